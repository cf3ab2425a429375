# SPDX-License-Identifier: BSD-2-Clause
"""Kconfig beyond what kconfiglib does by itself: merge fragments, choose at random, mend, and say why.

Every function takes a parsed kconfiglib.Kconfig, whose values are those of the .config that was loaded. Places are
written file:line, with files as Kconfig names them (from the top of the tree).
"""
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kconfiglib

from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean

ASSIGNMENT = re.compile(r"(?:# )?(?P<name>CONFIG_\w+)(?:=(?P<value>.*)| is not set)$")
READERS = ("*.c", "*.h", "*.S", "*.mk", "component.yaml")  # what may look at a symbol, of sources
FOLDERS = ("kernel", "components", "images", "configs", "tests/audit")


@dataclass(frozen=True)
class Request:
    """One line of a fragment: symbol without CONFIG_, value as kconfiglib prints it, where it stands."""

    name: str
    value: str
    place: str


@dataclass(frozen=True)
class Cause:
    """A symbol whose value makes an expression false, and the value that would make it true."""

    name: str
    wanted: str


def _broken(error: Exception) -> Diagnostic:
    """Why Kconfig cannot be read, with the place that the library names."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    match = re.match(r"(?P<path>[^:]+):(?P<line>\d+): (?:error: )?(?P<text>.*)", lines[0])
    if isinstance(error, OSError) or match is None:
        text = error.strerror if isinstance(error, OSError) and error.strerror else lines[0]
        return Diagnostic("TSS-080", Position("Kconfig"), f"cannot be read: {text}", "it has the options of the tree")
    return Diagnostic("TSS-080", Position(match["path"], int(match["line"]), 1), f"no Kconfig: {match['text']}",
                      "mend this line, then try again")


def parse(root: Path) -> Any:
    """The options of the tree at `root`, with their defaults. Warnings are for the caller to print. Raises Refused."""
    try:
        kconf = kconfiglib.Kconfig("Kconfig", warn=True, warn_to_stderr=False)
    except (kconfiglib.KconfigError, OSError) as error:
        raise Refused([_broken(error)]) from None
    if Path(kconf.srctree or ".").resolve() != root.resolve():
        raise ValueError(f"srctree is {kconf.srctree!r}, not {root}")
    return kconf


def _unquoted(value: str) -> str:
    return str(kconfiglib.unescape(value[1:-1])) if len(value) > 1 and value[0] == value[-1] == '"' else value


def read_fragment(name: str, text: str) -> tuple[list[Request], list[str]]:
    """The assignments of a fragment in order, and a complaint for each line that is none."""
    requests, complaints = [], []
    for number, line in enumerate(text.splitlines(), 1):
        place, line = f"{name}:{number}", line.strip()
        match = ASSIGNMENT.fullmatch(line)
        if match and (match["value"] is None) == line.startswith("#"):
            value = "n" if match["value"] is None else _unquoted(match["value"])
            requests.append(Request(match["name"].removeprefix("CONFIG_"), value, place))
        elif line and not line.startswith("#"):
            complaints.append(f"{place}: {line!r} is no assignment; write CONFIG_NAME=value")
    return requests, complaints


def where(symbol: Any) -> str:
    """file:line of a symbol's first definition."""
    return f"{symbol.nodes[0].filename}:{symbol.nodes[0].linenr}" if symbol.nodes else "not defined"


def text_of(expression: Any) -> str:
    """An expression with the values of its symbols, such as `A [=n] && !B [=y]`."""
    def shown(item: Any) -> str:
        if getattr(item, "is_constant", True):
            return str(kconfiglib.standard_sc_expr_str(item))
        return f"{item.name} [={item.str_value}]"

    return str(kconfiglib.expr_str(expression, shown))


def _smallest(options: Iterable[tuple[Cause, ...] | None]) -> tuple[Cause, ...] | None:
    known = [option for option in options if option is not None]
    return min(known, key=len) if known else None


def causes(expression: Any, value: bool = True, seen: tuple[Any, ...] = ()) -> tuple[Cause, ...] | None:
    """A smallest set of settings that makes `expression` true (or false); None: no setting does.

    Each cause's own dependencies are in the set too. Comparisons of numbers and strings are not solved.
    """
    if (kconfiglib.expr_value(expression) > 0) == value:
        return ()
    if not isinstance(expression, tuple):
        return _of_symbol(expression, value, seen)
    kind, *parts = expression
    if kind == kconfiglib.NOT:
        return causes(parts[0], not value, seen)
    if kind not in (kconfiglib.AND, kconfiglib.OR):
        return None
    options = [causes(part, value, seen) for part in parts]
    if (kind == kconfiglib.AND) != value:
        return _smallest(options)
    if any(option is None for option in options):
        return None
    return tuple(dict.fromkeys(cause for option in options for cause in option or ()))


def _of_symbol(symbol: Any, value: bool, seen: tuple[Any, ...]) -> tuple[Cause, ...] | None:
    if symbol in seen or getattr(symbol, "is_constant", False) or not symbol.nodes:
        return None
    if not any(node.prompt for node in symbol.nodes):
        conditions = [condition for default, condition in getattr(symbol, "defaults", ())
                      if value and kconfiglib.expr_value(default)]
        return _smallest(causes(condition, True, (*seen, symbol)) for condition in conditions)
    if isinstance(symbol, kconfiglib.Choice):
        return causes(symbol.direct_dep, value, (*seen, symbol))
    needed = causes(symbol.direct_dep, True, (*seen, symbol)) if value else ()
    return None if needed is None else (*needed, Cause(symbol.name, "y" if value else "n"))


def mending(symbol: Any) -> tuple[Cause, ...] | None:
    """A smallest set of settings with which the symbol can be set, a switch's own included; None: none was found.

    The settings were tried; the configuration is what it was before.
    """
    before = causes(symbol.direct_dep)
    if before is None:
        return None
    switch = symbol.orig_type in (kconfiglib.BOOL, kconfiglib.TRISTATE)
    changes = tuple(dict.fromkeys((*before, *([Cause(symbol.name, "y")] if switch else []))))
    syms = symbol.kconfig.syms
    kept = [(syms[c.name], syms[c.name].user_value) for c in changes if c.name in syms]
    for change in changes:
        if change.name in syms:
            syms[change.name].set_value(change.wanted)
    good = symbol.str_value == "y" if switch else kconfiglib.expr_value(symbol.direct_dep) > 0
    for one, value in kept:
        one.unset_value() if value is None else one.set_value(value)
    return changes if good else None


def others(symbol: Any) -> str:
    """What to set before a symbol can be set, if its dependencies are not met; empty: nothing, or nothing was found."""
    changes = mending(symbol) if not kconfiglib.expr_value(symbol.direct_dep) else ()
    return ", ".join(f"CONFIG_{c.name}={c.wanted}" for c in changes or () if c.name != symbol.name)


def conditions(symbol: Any) -> list[Any]:
    """What must be true before a symbol can be set, part by part: its dependencies and its prompt's."""
    parts = list(kconfiglib.split_expr(symbol.direct_dep, kconfiglib.AND))
    for node in symbol.nodes[:1]:
        if node.prompt:
            parts += [p for p in kconfiglib.split_expr(node.prompt[1], kconfiglib.AND) if p not in parts]
    return [part for part in parts if part is not symbol.kconfig.y]


def blame(symbol: Any, wanted: str) -> str:
    """Why a symbol does not have the value that somebody asked for."""
    if not any(node.prompt for node in symbol.nodes):
        return f"it has no prompt, so it follows from others ({where(symbol)})"
    false = [text_of(part) for part in conditions(symbol) if not kconfiglib.expr_value(part)]
    if false:
        change = others(symbol)
        return f"it depends on {' and '.join(false)}, which is not so ({where(symbol)}){change and f'; set {change}'}"
    if wanted == "n" and kconfiglib.expr_value(symbol.rev_dep):
        by = [text_of(term) for term in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR)
              if kconfiglib.expr_value(term)]
        return f"it is selected by {' and '.join(by)}"
    if symbol.choice is not None:
        chosen = symbol.choice.selection
        return f"the choice at {where(symbol.choice)} has one member only, now {chosen.name if chosen else 'none'}"
    for low, high, condition in getattr(symbol, "ranges", ()):
        if kconfiglib.expr_value(condition):
            return f"it ranges from {low.str_value} to {high.str_value} ({where(symbol)})"
    return f"it is a {kconfiglib.TYPE_TO_STR[symbol.orig_type]} ({where(symbol)})"


def merge(kconf: Any, fragments: Iterable[tuple[str, str]]) -> list[str]:
    """Sets what fragments (name, text) ask for, later ones last; what there is to warn of."""
    asked: dict[str, Request] = {}
    warnings: list[str] = []
    for name, text in fragments:
        requests, complaints = read_fragment(name, text)
        warnings += complaints
        for request in requests:
            symbol = kconf.syms.get(request.name)
            if symbol is None or not symbol.nodes:
                known = [s.name for s in kconf.unique_defined_syms]
                warnings.append(f"{request.place}: there is no option {request.name}; "
                                f"{did_you_mean(request.name, known) if len(request.name) > 2 else ''}")
                continue
            before = asked.get(request.name)
            if before is not None and before.value != request.value:
                warnings.append(f"{request.place}: CONFIG_{request.name}={request.value} replaces "
                                f"{before.value} of {before.place}")
            asked[request.name] = request
            symbol.set_value(request.value)
    for request in asked.values():
        symbol = kconf.syms[request.name]
        if symbol.str_value != request.value:
            warnings.append(f"{request.place}: CONFIG_{request.name}={request.value} was asked for, but it is "
                            f"{symbol.str_value or 'nothing'}: {blame(symbol, request.value)}")
    return warnings


def randomize(kconf: Any, seed: int) -> None:
    """Every option that can be set gets a value by chance: the same for the same seed and the same options."""
    chance = random.Random(seed)
    done: set[Any] = set()
    for node in kconf.node_iter():
        item = node.item
        if item in done or not isinstance(item, (kconfiglib.Symbol, kconfiglib.Choice)) or not item.visibility:
            continue
        done.add(item)
        if isinstance(item, kconfiglib.Choice):
            members = [symbol for symbol in item.syms if symbol.visibility]
            if members:
                chance.choice(members).set_value("y")
        elif item.choice is None and item.assignable:
            item.set_value(chance.choice(item.assignable))
        elif item.orig_type in (kconfiglib.INT, kconfiglib.HEX):
            for low, high, condition in item.ranges:
                if kconfiglib.expr_value(condition):
                    base = kconfiglib.TYPE_TO_STR[item.orig_type] == "hex"
                    first, last = int(low.str_value, 0), int(high.str_value, 0)
                    value = chance.choice((first, last, chance.randint(first, last)))
                    item.set_value(hex(value) if base else str(value))
                    break


def _default_of(symbol: Any) -> str:
    for default, condition in symbol.defaults:
        if kconfiglib.expr_value(condition):
            words = kconfiglib.standard_sc_expr_str(default) if not isinstance(default, tuple) else text_of(default)
            return f"default {words}" + ("" if condition is symbol.kconfig.y else f" if {text_of(condition)}")
    return "no default applies"


def _origin(symbol: Any, files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Where the value comes from: a line of a file that says it, else a select, a choice, the default."""
    if kconfiglib.expr_value(symbol.rev_dep):
        yield "selected, see below"
    said = False
    for name, text in files:
        for request in read_fragment(name, text)[0]:
            if request.name == symbol.name:
                yield f"{request.place} says {request.value}"
                said = True
    yield f"{_default_of(symbol)}  # {where(symbol)}" if symbol.choice is None else \
        f"member of the choice at {where(symbol.choice)}"
    if not said:
        yield "no configuration file says more"


def _values(kconf: Any) -> dict[str, str]:
    return {symbol.name: symbol.str_value for symbol in kconf.unique_defined_syms}


def _changes(kconf: Any, symbol: Any) -> Iterator[str]:
    """What flipping a switch would change among the other options. Leaves the values as they were."""
    if symbol.orig_type not in (kconfiglib.BOOL, kconfiglib.TRISTATE) or not symbol.assignable:
        return
    other = "n" if symbol.str_value == "y" else "y"
    before, own = _values(kconf), symbol.user_value
    chosen = symbol.choice.user_selection if symbol.choice is not None else None
    symbol.set_value(other)
    after = _values(kconf)
    symbol.unset_value() if own is None else symbol.set_value(own)
    if chosen is not None:
        chosen.set_value("y")
    for name in sorted(before):
        if before[name] != after[name] and name != symbol.name:
            yield f"with {other}: CONFIG_{name} {before[name]} -> {after[name]}"


def _readers(root: Path, name: str) -> list[str]:
    """Sources that look at CONFIG_name: file:line of each file's first."""
    word = re.compile(rf"\bCONFIG_{name}\b")
    found = []
    for pattern in READERS:
        for folder in FOLDERS:
            for path in sorted((root / folder).rglob(pattern)):
                for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                    if word.search(line):
                        found.append(f"{path.relative_to(root)}:{number}")
                        break
    return found


def _systems(root: Path, readers: Iterable[str]) -> Iterator[str]:
    """Manifests that have an instance of a component that the symbol switches."""
    for reader in readers:
        match = re.fullmatch(r"components/(.+)/component\.yaml:\d+", reader)
        for path in sorted((root / "manifests").glob("*.yaml")) if match else ():
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if match and re.search(rf"component: *{match[1]}\b", line):
                    yield f"manifests/{path.name}:{number}"
                    break


def _section(title: str, lines: Iterable[str], none: str) -> Iterator[str]:
    lines = list(lines)
    yield f"  {title}: {lines[0] if lines else none}"
    yield from (f"  {' ' * len(title)}  {line}" for line in lines[1:])


def why(kconf: Any, root: Path, symbol: Any, files: Iterable[tuple[str, str]]) -> str:
    """All there is to say about one symbol. `files`: configuration files (name, text): products', then .config."""
    prompt = next((node.prompt[0] for node in symbol.nodes if node.prompt), "no prompt: it follows from others")
    parts = conditions(symbol)
    depends = [f"{text_of(part)}{'' if kconfiglib.expr_value(part) else '   <- this is false'}" for part in parts]
    if change := others(symbol):
        depends.append(f"to make it true: {change}")
    selectors = [] if symbol.rev_dep is kconf.n else [
        f"{text_of(term)}" for term in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR)]
    readers = _readers(root, symbol.name)
    lines = [f"CONFIG_{symbol.name}: {prompt}"]
    lines += [f"    {line}" for node in symbol.nodes for line in (node.help or "").splitlines()]
    lines += _section("value", [f"{symbol.str_value or 'none'} ({kconfiglib.TYPE_TO_STR[symbol.orig_type]})"], "")
    files = list(files)
    used, products = files[-1:], files[:-1]
    lines += _section("from", _origin(symbol, used), "")
    lines += _section("products", [f"{r.place} says {r.value}" for name, text in products
                                   for r in read_fragment(name, text)[0] if r.name == symbol.name], "none says a value")
    lines += _section("depends on", depends, "nothing")
    lines += _section("selected by", selectors, "nobody")
    lines += _section("would change", _changes(kconf, symbol), "no other option")
    lines += _section("read by", readers, "no source; other options depend on it")
    lines += _section("in systems", _systems(root, readers), "none by itself")
    return "\n".join(lines)
