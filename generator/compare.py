# SPDX-License-Identifier: BSD-2-Clause
"""compare: what one system may do that another may not, for `tessera diff`.

Growth is anything that somebody has more of: a right, a reach, a priority, memory; also a rule of the policy that is no
longer demanded, and a server that is newly trusted to keep its clients apart.
"""
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from generator.authority import rights
from generator.check import Resolved, System
from generator.diagnostics import Diagnostic, Note, Position
from generator.fields import size_text, time_text
from generator.reach import Graph

SETTINGS = ("priority", "memory", "slots")


@dataclass(frozen=True)
class Row:
    """One difference. `more`: growth; `steps` are the lines of a path."""

    section: str
    more: bool
    text: str
    position: Position
    steps: tuple[Note, ...] = ()


def _rows(section: str, old: dict[str, Position], new: dict[str, Position], flip: bool = False) -> list[Row]:
    """What is in one and not in the other; `flip`: having less is growth."""
    gained = [Row(section, not flip, text, new[text]) for text in new if text not in old]
    return gained + [Row(section, flip, text, old[text]) for text in old if text not in new]


def _settings(old: System, new: System) -> list[Row]:
    before = {i.name: i for i in old.instances}
    found = []
    for instance in (i for i in new.instances if i.name in before):
        for name in SETTINGS:
            was, now = getattr(before[instance.name], name), getattr(instance, name)
            if was != now:
                texts = [size_text(n) if name == "memory" else str(n) for n in (was, now)]
                found.append(Row("settings", now > was, f"{instance.name}: {name} {' -> '.join(texts)}",
                                 instance.place(name)))
        found += _time(before[instance.name], instance)
    if old.memory != new.memory:
        found.append(Row("settings", new.memory > old.memory, f"machine: memory {size_text(old.memory)} -> "
                         f"{size_text(new.memory)}", new.manifest.memory_position))
    return found


def _time(was: Resolved, now: Resolved) -> list[Row]:
    """What the kernel gives at most, and how urgently: no budget is more than any, as is an earlier deadline."""
    found = []
    if was.budget != now.budget:
        more = now.budget is None or was.budget is not None and now.budget.more_than(was.budget)
        found.append(Row("settings", more, f"{now.name}: budget {was.budget or 'none'} -> {now.budget or 'none'}",
                         now.place("budget")))
    if was.deadline != now.deadline:
        texts = [time_text(i.deadline) if i.deadline else "none" for i in (was, now)]
        found.append(Row("settings", 0 < now.deadline < (was.deadline or now.deadline + 1),
                         f"{now.name}: deadline {' -> '.join(texts)}", now.place("deadline")))
    return found


def _modes(old: System, new: System) -> list[Row]:
    """Connections that both have: a weaker mode and further methods are growth, and so is memory that may cross."""
    before = {(k.client, k.name): k.guard for k in old.links}
    found = []
    for link in (k for k in new.links if (k.client, k.name) in before):
        was, now, name = before[link.client, link.name], link.guard, f"{link.client}: connection {link.name}"
        if was.mode != now.mode:
            found.append(Row("modes", now.level < was.level, f"{name}: mode {was.mode} -> {now.mode}", link.position))
        for more, names in ((True, set(now.names) - set(was.names)), (False, set(was.names) - set(now.names))):
            found += [Row("modes", more, f"{name}: may call {method}", link.position) for method in sorted(names)]
        if was.shares != now.shares:
            found.append(Row("modes", now.shares, f"{name}: memory may be handed over", link.position))
    return found


def _reach(old: Graph, new: Graph) -> list[Row]:
    """Pairs of which the first can newly influence the second, or no longer can."""
    found = []
    for graph, other, more in ((new, old, True), (old, new, False)):
        for source in sorted(graph.names):
            paths = graph.search(source, None, graph.apart)
            known = other.reached(source) if source in other.names else frozenset()
            for target in sorted(paths.keys() - {source} - known):
                steps = tuple(Note(flow.position, str(flow)) for flow in paths[target])
                both = {source, target} <= other.names  # with a new instance, that it is there says enough
                found.append(Row("reach", more, f"{source} can influence {target}", steps[0].position,
                                 steps if both else ()))
    return found


def _policy(old: System, new: System) -> list[Row]:
    before, now = ({str(rule): rule.position for rule in s.manifest.policy} for s in (old, new))
    apart: list[dict[str, Position]] = [
        {f"{i.name} keeps its clients apart": i.component.keeps_apart or i.position for i in s.instances
         if i.component.keeps_apart is not None} for s in (old, new)]
    rules = [replace(row, text=f"{row.text} is {'no longer ' * row.more}demanded")
             for row in _rows("policy", before, now, flip=True)]
    return rules + _rows("trusted", apart[0], apart[1])


def compare(old: System, new: System, graphs: tuple[Graph, Graph]) -> list[Row]:
    """All differences in authority."""
    there, here = ({f"{i.name} ({i.component.name})": i.position for i in s.instances} for s in (old, new))
    before, now = ({f"{r.instance}: {r.text}": r.position for r in rights(s)} for s in (old, new))
    return [*_rows("instances", there, here), *_rows("capabilities", before, now), *_reach(*graphs),
            *_policy(old, new), *_modes(old, new), *_settings(old, new)]


def text(rows: Iterable[Row]) -> str:
    """For people: sections of `+` (more) and `-` (less) lines with their places."""
    lines: list[str] = []
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines.append(section)
        steps = f", {len(row.steps)} steps" if len(row.steps) > 1 else ""
        lines.append(f"  {'+' if row.more else '-'} {row.text}{steps}  # {row.position}")
        lines += [f"      {note.text}  # {note.position}" for note in row.steps if row.more and len(row.steps) > 1]
    return "\n".join(lines) + "\n" if lines else "no difference in authority\n"


def to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [{"section": r.section, "more": r.more, "text": r.text, "file": r.position.path, "line": r.position.line,
             "steps": [n.text for n in r.steps]} for r in rows]


def growth(rows: Iterable[Row]) -> list[Diagnostic]:
    """An error for each row that is more."""
    return [Diagnostic("TSS-085", row.position, f"authority grew ({row.section}): {row.text}",
                       "have the change approved, then compare with the new system", row.steps)
            for row in rows if row.more]
