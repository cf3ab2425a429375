# SPDX-License-Identifier: BSD-2-Clause
"""policy: what a manifest says must never be possible, and whether it is. Violations name a path with its lines.

    policy:
      - never: net -> vault                     # nothing that net does can reach vault, through whatever is between
      - only: {who: [fs], may_use: blk}         # who can come to hold a connection to blk
      - isolated: [vault, web]                  # no two of them reach each other
      - no_cycles: call                         # calls cannot wait for each other in a circle; pager: nor for pages
      - minimum_mode: HARDENED                  # of all connections; or {mode: PARANOID, of: [vault]}
"""
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from generator.diagnostics import Note, Position, did_you_mean, short
from generator.fields import NAME, Reader
from generator.load import Mapping, Node, Scalar
from generator.modes import MODES
from generator.restart import Named

if TYPE_CHECKING:
    from generator.check import System
    from generator.reach import Flow, Graph

RULES = ("never", "only", "isolated", "no_cycles", "minimum_mode")
CYCLES = ("call", "pager")
ARROW = re.compile(r"([a-z][a-z0-9_]{0,14}) -> ([a-z][a-z0-9_]{0,14})")
ONLY = ("who", "may_use")
MINIMUM = ("mode", "of")
Error = Callable[..., None]


@dataclass(frozen=True)
class Rule:
    """never: names are from and to. only: `target`'s users are `names`. isolated: names. no_cycles: none. minimum_mode:
    of `names`, or of all."""

    kind: str
    names: tuple[Named, ...]
    target: Named | None
    position: Position  # of the value
    mode: str = ""  # minimum_mode; the kind of cycle

    def __str__(self) -> str:
        names = ", ".join(n.name for n in self.names)
        if self.kind == "never":
            return f"never: {self.names[0].name} -> {self.names[1].name}"
        if self.kind == "only":
            return f"only: {{who: [{names}], may_use: {self.target.name if self.target else '?'}}}"
        if self.kind == "minimum_mode":
            return f"minimum_mode: {{mode: {self.mode}, of: [{names}]}}" if names else f"minimum_mode: {self.mode}"
        return f"{self.kind}: {f'[{names}]' if self.kind == 'isolated' else self.mode}"


@dataclass(frozen=True)
class Verdict:
    """A rule that holds, and the servers whose keeping apart it rests on."""

    rule: Rule
    trusted: tuple[str, ...]


def _names(reader: Reader, node: Node, what: str) -> tuple[Named, ...]:
    found: list[Named] = []
    for item in reader.sequence(node, what):
        name = reader.name(item, f"name in {what}", NAME)
        if name is not None and name in [n.name for n in found]:
            reader.error("TSS-019", item.position, f"{short(name)} is listed twice")
        elif name is not None:
            found.append(Named(name, item.position))
    return tuple(found)


def _never(reader: Reader, node: Node) -> Rule | None:
    match = ARROW.fullmatch(node.text) if isinstance(node, Scalar) else None
    if match is None:
        found = short(node.text) if isinstance(node, Scalar) else "something else"
        reader.error("TSS-012", node.position, f"never must be such as net -> vault, not {found}",
                     "two instances, and an arrow between blanks")
        return None
    if match[1] == match[2]:
        reader.error("TSS-019", node.position, f"{short(match[1])} always reaches itself", "name two instances")
        return None
    return Rule("never", tuple(Named(name, node.position) for name in match.groups()), None, node.position)


def _only(reader: Reader, node: Node) -> Rule | None:
    mapping = reader.mapping(node, "only")
    if mapping is None:
        return None
    reader.keys(mapping, "only", ONLY, ONLY)
    who, target = mapping.get("who"), mapping.get("may_use")
    names = _names(reader, who, "who") if who is not None else ()
    name = reader.name(target, "may_use", NAME) if target is not None else None
    if name is None or target is None or who is None:
        return None
    return Rule("only", names, Named(name, target.position), node.position)


def _isolated(reader: Reader, node: Node) -> Rule | None:
    names = _names(reader, node, "isolated")
    if len(names) == 1:
        reader.error("TSS-013", node.position, f"{short(names[0].name)} alone is isolated from nobody",
                     "name two instances or more")
    return Rule("isolated", names, None, node.position) if len(names) > 1 else None


def _no_cycles(reader: Reader, node: Node) -> Rule | None:
    word = reader.choice(node, "kind of cycle", CYCLES)
    return Rule("no_cycles", (), None, node.position, word) if word is not None else None


def _minimum_mode(reader: Reader, node: Node) -> Rule | None:
    names: tuple[Named, ...] = ()
    mode: Node | None = node
    if isinstance(node, Mapping):
        reader.keys(node, "minimum_mode", MINIMUM, MINIMUM)
        mode, of = node.get("mode"), node.get("of")
        names = _names(reader, of, "of") if of is not None else ()
    word = reader.choice(mode, "minimum_mode", MODES) if mode is not None else None
    return Rule("minimum_mode", names, None, node.position, word) if word is not None else None


_READ: dict[str, Callable[[Reader, Node], Rule | None]] = {
    "never": _never, "only": _only, "isolated": _isolated, "no_cycles": _no_cycles,
    "minimum_mode": _minimum_mode}


def read_policy(reader: Reader, node: Node) -> tuple[Rule, ...]:
    """`policy:` of a manifest: a list of rules, each of one key."""
    found = []
    for item in reader.sequence(node, "policy"):
        mapping = reader.mapping(item, "a rule of the policy")
        if mapping is None:
            continue
        reader.keys(mapping, "a rule of the policy", RULES)
        if len(mapping.entries) != 1:
            reader.error("TSS-019", mapping.position, "a rule of the policy has one key",
                         "begin each rule on a line of its own with `- `")
            continue
        read = _READ.get(mapping.entries[0][0].text)
        rule = read(reader, mapping.entries[0][1]) if read is not None else None
        if rule is not None:
            found.append(rule)
    return tuple(found)


def _notes(path: tuple["Flow", ...]) -> tuple[Note, ...]:
    return tuple(Note(flow.position, str(flow)) for flow in path)


class _Judge:
    """Judges each rule over one graph."""

    def __init__(self, system: "System", graph: "Graph", error: Error) -> None:
        self.system, self.graph, self.error = system, graph, error
        self.verdicts: list[Verdict] = []

    def known(self, rule: Rule) -> bool:
        """Are all the names instances?"""
        unknown = [n for n in (*rule.names, *([rule.target] if rule.target else ())) if n.name not in self.graph.names]
        for name in unknown:
            self.error("TSS-023", name.position, f"there is no instance {short(name.name)}",
                       did_you_mean(name.name, self.graph.names))
        return not unknown

    def reaches(self, rule: Rule, source: str, target: str) -> tuple[str, ...]:
        """An error if there is a path; else who is trusted that there is none."""
        path, trusted = self.graph.verdict(source, target)
        if path:
            code = {"never": "TSS-081", "isolated": "TSS-083"}[rule.kind]
            steps = "directly" if len(path) == 1 else f"in {len(path)} steps"
            self.error(code, rule.position, f"{short(source)} can influence {short(target)} {steps}, which `{rule}` "
                       "forbids", "cut one of these steps, or have a server between them that keeps its clients apart",
                       *_notes(path))
        return trusted

    def never(self, rule: Rule) -> None:
        self.verdicts.append(Verdict(rule, self.reaches(rule, rule.names[0].name, rule.names[1].name)))

    def isolated(self, rule: Rule) -> None:
        trusted: set[str] = set()
        for one, two in permutations(rule.names, 2):
            trusted |= set(self.reaches(rule, one.name, two.name))
        self.verdicts.append(Verdict(rule, tuple(sorted(trusted))))

    def only(self, rule: Rule) -> None:
        assert rule.target is not None
        allowed = {n.name for n in rule.names} | {rule.target.name}
        for use in self.graph.users(rule.target.name):
            if use.client not in allowed:
                how = "is connected to" if not use.chain else "can be handed a connection to"
                self.error("TSS-082", rule.position, f"{short(use.client)} {how} {short(rule.target.name)}, which "
                           f"`{rule}` forbids", f"remove the connection, or add {use.client} to the list",
                           Note(use.link.position, f"{use.link.client} holds it here"), *_notes(use.chain))
        self.verdicts.append(Verdict(rule, ()))

    def minimum_mode(self, rule: Rule) -> None:
        names = {n.name for n in rule.names}
        for link in self.system.links:
            if names and not names & {link.client, link.server} or link.guard.level >= MODES.index(rule.mode):
                continue
            self.error("TSS-114", rule.position, f"the connection {link.name} of {short(link.client)} to "
                       f"{short(link.server)} is {link.guard.mode}, which `{rule}` forbids",
                       f"write `mode: {rule.mode}` at the connection", Note(link.position, "this is it"))
        self.verdicts.append(Verdict(rule, ()))

    def no_cycles(self, rule: Rule) -> None:
        pager = rule.mode == "pager"
        for cycle in self.graph.pager_cycles() if pager else self.graph.call_cycles():
            names = [flow.source for flow in cycle]
            self.error("TSS-084", rule.position, f"{'pages and calls' if pager else 'calls'} can wait for each other: "
                       f"{' -> '.join([*names, names[0]])}", "turn one of these calls into messages (rights: [send]), "
                       "or remove it", *_notes(cycle))
        self.verdicts.append(Verdict(rule, ()))


def judge(system: "System", graph: "Graph", error: Error) -> list[Verdict]:
    """Violations as errors; the verdicts are of use only if there is no error."""
    found = _Judge(system, graph, error)
    for rule in system.manifest.policy:
        if found.known(rule):
            getattr(found, rule.kind)(rule)
    return found.verdicts
