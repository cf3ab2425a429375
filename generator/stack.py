# SPDX-License-Identifier: BSD-2-Clause
"""stack: how deep a thread's stack can get: the longest way down its call graph, from the compiled code.

An indirect call goes to whatever function has its address taken and begins no thread, or to those that component.yaml
names. A circle of
calls needs a bound: so many activations of a named function at once. Then the circle's longest round counts that often.
"""
from collections.abc import Callable, Iterable, Mapping, Sequence as Items
from dataclasses import dataclass
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

from generator.functions import Code, Edge, Function
from generator.diagnostics import Diagnostic, Note, Position, did_you_mean, short
from generator.fields import Reader, Shape
from generator.load import Mapping as Lines, Node

KEYS = ("threads", "recursion", "calls", "leaves")
SIZE = Shape("integer", 256, 16 << 20)
ACTIVATIONS = (2, 4096)


@dataclass(frozen=True)
class Named:
    """A function's name (`*` stands for any characters) and where that stands."""

    name: str
    position: Position


@dataclass(frozen=True)
class Facts:
    """`stacks:` of a component.yaml: what the compiled code does not say."""

    threads: tuple[tuple[Named, int], ...] = ()  # functions in which further threads begin, bytes each has
    recursion: tuple[tuple[Named, int], ...] = ()  # at most so many activations at once
    calls: tuple[tuple[Named, tuple[Named, ...]], ...] = ()  # where indirect calls of a function go
    leaves: tuple[Named, ...] = ()  # functions that go to another stack on purpose, or jump where no function is

    def names(self) -> list[Named]:
        """All that must be functions."""
        rows = [named for named, _ in (*self.threads, *self.recursion, *self.calls)]
        return [*rows, *(target for _, targets in self.calls for target in targets), *self.leaves]


@dataclass(frozen=True)
class Step:
    """A function on the longest way down, and how deep its frame is when it calls the next one (or at its deepest)."""

    function: Function
    depth: int


@dataclass(frozen=True)
class Bound:
    """What a thread needs at most. `unknown`: why it cannot be known, as pairs of code and text."""

    bytes: int
    chain: tuple[Step, ...]
    circles: tuple[str, ...] = ()  # functions whose declared recursion is part of it
    indirect: tuple[str, ...] = ()  # functions with calls that go to any function whose address is taken
    unknown: tuple[tuple[str, str], ...] = ()


def _entries(reader: Reader, node: Node | None, what: str) -> list[tuple[Named, Node]]:
    mapping = reader.mapping(node, what) if node is not None else None
    return [(Named(key.text, key.position), value) for key, value in (mapping.entries if mapping else ())]


def _listed(reader: Reader, node: Node | None, what: str) -> tuple[Named, ...]:
    items = reader.sequence(node, what) if node is not None else ()
    return tuple(Named(text.text, text.position) for item in items if (text := reader.text(item, what)) is not None)


def read_facts(reader: Reader, node: Node) -> Facts:
    """The value of `stacks:`."""
    mapping = reader.mapping(node, "stacks")
    if not isinstance(mapping, Lines):
        return Facts()
    reader.keys(mapping, "stacks", KEYS)
    threads, recursion, calls, leaves = (mapping.get(key) for key in KEYS)
    return Facts(
        tuple((named, reader.value(value, f"stack of {short(named.name)}", SIZE) or SIZE.high)
              for named, value in _entries(reader, threads, "threads")),
        tuple((named, reader.integer(value, f"recursion of {short(named.name)}", *ACTIVATIONS) or ACTIVATIONS[0])
              for named, value in _entries(reader, recursion, "recursion")),
        tuple((named, _listed(reader, value, f"calls of {short(named.name)}"))
              for named, value in _entries(reader, calls, "calls")),
        _listed(reader, leaves, "leaves"))


def plain(name: str) -> str:
    """A function as its source calls it: without what the compiler adds to a part or a copy of it."""
    return name.partition(".")[0]


def _fits(function: Function, named: Named) -> bool:
    return fnmatchcase(plain(function.name), named.name)


class Graph:
    """A component's functions with all their calls resolved."""

    def __init__(self, code: Code, facts: Facts) -> None:
        self.code, self.facts = code, facts
        self.taken = [address for address in code.taken
                      if not any(_fits(code.functions[address], named) for named, _ in facts.threads)]
        self.calls = {address: self.resolved(function) for address, function in code.functions.items()}
        self.guessed = {address for address, function in code.functions.items()
                        if any(edge.target is None for edge in function.edges) and self.named(function) is None}

    def named(self, function: Function) -> list[int] | None:
        """Where the function's indirect calls go, if component.yaml says so."""
        for named, targets in self.facts.calls:
            if _fits(function, named):
                return [a for a, f in self.code.functions.items() if any(_fits(f, target) for target in targets)]
        return None

    def resolved(self, function: Function) -> list[tuple[int, int]]:
        """(callee, depth) of each call."""
        if self.leaving(function):
            return [(edge.target, edge.depth) for edge in function.edges if edge.target in self.code.functions]
        found: list[tuple[int, int]] = []
        for edge in function.edges:
            found += [(target, edge.depth) for target in self.targets(function, edge)]
        return found

    def targets(self, function: Function, edge: Edge) -> Iterable[int]:
        if edge.target is not None:
            return [edge.target] if edge.target in self.code.functions else []
        named = self.named(function)
        return self.taken if named is None else named

    def leaving(self, function: Function) -> bool:
        return any(_fits(function, named) for named in self.facts.leaves)

    def reached(self, root: int) -> set[int]:
        """All functions that run when `root` does."""
        found: set[int] = set()
        ahead = [root]
        while ahead:
            address = ahead.pop()
            if address not in found:
                found.add(address)
                ahead += [target for target, _ in self.calls[address]]
        return found

    def unknown(self, there: Items[int]) -> list[tuple[str, str]]:
        """What keeps the bound from being one."""
        found = []
        for function in (self.code.functions[address] for address in there):
            where = f"{short(plain(function.name))}" + (f" ({function.place})" if function.place else "")
            if self.leaving(function):
                continue
            if function.elsewhere:
                found.append(("TSS-092", f"{where} puts its stack pointer where this cannot follow it"))
            if function.address in self.guessed and not self.taken:
                found.append(("TSS-092", f"{where} calls indirectly, but no function's address is taken"))
        return found


@dataclass(frozen=True)
class _Circle:
    """Declared functions that reach each other, and what a round through one of them takes."""

    members: frozenset[int]
    rounds: int


def _circles(graph: Graph, there: set[int]) -> list[_Circle]:
    """Groups of functions with a declared recursion; those that call each other are one."""
    counts = {address: count for address in there for named, count in graph.facts.recursion
              if _fits(graph.code.functions[address], named)}
    behind = {address: graph.reached(address) for address in counts}
    groups = {frozenset(b for b in counts if b in behind[a] and a in behind[b]) for a in counts}
    return [_Circle(members, sum(counts[m] for m in members)) for members in sorted(groups, key=min)]


def _needs(graph: Graph, order: list[int], cut: set[tuple[int, int]]) -> dict[int, tuple[int, int | None, int]]:
    """Function -> bytes from its entry down, the callee on the way there, the depth of that call."""
    needs: dict[int, tuple[int, int | None, int]] = {}
    for address in order:
        function = graph.code.functions[address]
        best: tuple[int, int | None, int] = (function.frame, None, function.frame)
        for target, depth in graph.calls[address]:
            if (address, target) not in cut and depth + needs[target][0] > best[0]:
                best = (depth + needs[target][0], target, depth)
        needs[address] = best
    return needs


def _round(graph: Graph, order: list[int], cut: set[tuple[int, int]], circle: _Circle) -> int:
    """The longest way from a member of the circle to a call of one."""
    longest: dict[int, int] = {}
    for address in order:
        ways = [depth if (address, target) in cut and target in circle.members else
                depth + longest[target] if (address, target) not in cut and target in longest else -1
                for target, depth in graph.calls[address]]
        if max(ways, default=-1) >= 0:
            longest[address] = max(ways)
    return max((longest.get(member, 0) for member in circle.members), default=0)


def _chain(graph: Graph, root: int, needs: Mapping[int, tuple[int, int | None, int]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    address: int | None = root
    while address is not None:
        _, following, depth = needs[address]
        steps.append(Step(graph.code.functions[address], depth))
        address = following
    return tuple(steps)


def bound(graph: Graph, root: int) -> Bound:
    """The most that a thread that begins in `root` needs, in bytes."""
    there = graph.reached(root)
    circles = _circles(graph, there)
    cut = {(a, b) for circle in circles for b in circle.members for a in there
           if b in {target for target, _ in graph.calls[a]} and a in graph.reached(b)}
    unknown = graph.unknown(sorted(there))
    edges = {a: {target for target, _ in graph.calls[a] if (a, target) not in cut} for a in there}
    try:
        order = list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        names = [plain(graph.code.functions[address].name) for address in reversed(error.args[1])]
        return Bound(0, (), unknown=(*unknown, ("TSS-091", f"these call each other in a circle: {' -> '.join(names)}")))
    needs = _needs(graph, order, cut)
    total = needs[root][0]
    for circle in circles:
        depths = [needs[member][0] for member in circle.members]
        total += (circle.rounds - 1) * _round(graph, order, cut, circle) + max(depths) - min(depths)
    names = sorted({plain(graph.code.functions[m].name) for circle in circles for m in circle.members})
    guessed = sorted({plain(graph.code.functions[a].name) for a in graph.guessed & there})
    return Bound(total, _chain(graph, root, needs), tuple(names), tuple(guessed), tuple(unknown))


@dataclass(frozen=True)
class Stacks:
    """A component's threads."""

    main: Bound
    threads: tuple[tuple[Named, int, Bound], ...]  # entry, bytes it has, bytes it needs


def strangers(code: Code, facts: Facts, written: Callable[[], frozenset[str]]) -> list[Diagnostic]:
    """The names in `stacks:` that are no functions, neither compiled nor `written`, as those are that became part of
    their callers."""
    names = {plain(function.name) for function in code.functions.values()}
    missing = [named for named in facts.names() if not any(fnmatchcase(name, named.name) for name in names)]
    if missing:
        words = written()
        missing = [named for named in missing if not any(fnmatchcase(word, named.name) for word in words)]
    hints = [did_you_mean(named.name, names) for named in missing]
    return [Diagnostic("TSS-093", named.position, f"the component has no function {short(named.name)}",
                       hint if hint.startswith("did") or len(names) < 20 else "")
            for named, hint in zip(missing, hints)]


def measure(code: Code, facts: Facts) -> Stacks:
    """All threads of a component."""
    graph = Graph(code, facts)
    threads = [(named, size, bound(graph, address)) for named, size in facts.threads
               for address, function in code.functions.items() if _fits(function, named) and "." not in function.name]
    if code.entry not in code.functions:
        nothing = Bound(0, (), unknown=(("TSS-092", "there are no symbols from which to know its functions"),))
        return Stacks(nothing, ())
    return Stacks(bound(graph, code.entry), tuple(threads))


def page_up(size: int) -> int:
    return (size + 4095) // 4096 * 4096


def too_small(who: str, declared: int, found: Bound, position: Position, size_text: str, hint: str) -> list[Diagnostic]:
    """The error if a thread may need more than it has; the longest way down as notes."""
    if found.bytes <= declared:
        return []
    notes = []
    for step in found.chain:
        path, _, line = step.function.place.rpartition(":")
        notes.append(Note(Position(path, int(line), 1) if line.isdigit() else Position(step.function.place or "?"),
                          f"{plain(step.function.name)}: {step.depth} bytes"))
    return [Diagnostic("TSS-090", position, f"{who} may need {found.bytes} bytes of stack, but has {size_text}",
                       hint, tuple(notes))]
