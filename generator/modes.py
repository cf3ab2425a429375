# SPDX-License-Identifier: BSD-2-Clause
"""modes: what connections say of their security, and what comes of it.

    defaults: {mode: HARDENED}                  # of every connection that says nothing itself
    vault: {component: ..., mode: PARANOID}     # of its connections, and at least of each that leads to it
    connect: {log: {to: log, methods: [write], mode: PARANOID, rate: 100 in 1s, burst: 20, memory: true}}

A connection's guard goes to the bundle even if it is FAST: what it lists counts as soon as its mode is raised.
"""
import re
from collections.abc import Callable, Collection, Iterable, Mapping as Table
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.diagnostics import Note, Position, did_you_mean, short
from generator.fields import Reader, Shape
from generator.load import Mapping, Node, Scalar, Sequence
from generator.restart import Named

if TYPE_CHECKING:
    from generator.check import Link
    from generator.component import Component, Need
    from generator.model import Instance, Manifest

MODES = ("FAST", "HARDENED", "PARANOID")  # numbers in the bundle follow from the order: enum tss_mode
ANY = (1 << 64) - 1  # every type of message
READS = "audit"  # the system right that lets an instance read the record
COUNT, WINDOW = (1, 65536), (1_000, 3_600_000_000)
# Beside `to` and others in model.CONNECT; None: read here by its own code.
KEYS: dict[str, Shape | None] = {
    "mode": Shape("choice", words=MODES), "methods": None, "rate": None, "burst": Shape("integer", *COUNT),
    "memory": Shape("boolean")}
Error = Callable[..., None]


@dataclass(frozen=True)
class Wish:
    """What one connection says; None: nothing. rate: so many messages in so many microseconds."""

    mode: str | None = None
    methods: tuple[Named, ...] | None = None
    rate: tuple[int, int] | None = None
    burst: int | None = None
    memory: bool = False
    places: tuple[tuple[str, Position], ...] = ()

    def place(self, name: str, otherwise: Position) -> Position:
        return dict(self.places).get(name, otherwise)


@dataclass(frozen=True)
class Guard:
    """What holds for a connection; numbers as in the bundle."""

    mode: str = "FAST"
    methods: int = ANY
    names: tuple[str, ...] = ()  # of the methods
    interval_us: int = 0
    burst: int = 0
    shares: bool = False

    @property
    def level(self) -> int:
        return MODES.index(self.mode)


def read_methods(reader: Reader, node: Node) -> tuple[Named, ...]:
    """`methods:` of a connection or of what a component needs."""
    found: list[Named] = []
    for item in reader.sequence(node, "methods"):
        text = reader.text(item, "method")
        if text is not None and text.text in [n.name for n in found]:
            reader.error("TSS-019", item.position, f"method {short(text.text)} is listed twice")
        elif text is not None:
            found.append(Named(text.text, item.position))
    if not isinstance(node, Sequence) or node.items:
        return tuple(found)
    reader.error("TSS-013", node.position, "a connection without any method is of no use",
                 "list what the client calls, or leave the connection out")
    return ()


def _rate(reader: Reader, node: Node) -> tuple[int, int] | None:
    """`100 in 1s`."""
    match = re.fullmatch(r"(\S+) in (\S+)", node.text) if isinstance(node, Scalar) else None
    if match is None:
        found = short(node.text) if isinstance(node, Scalar) else "something else"
        reader.error("TSS-012", node.position, f"rate must be such as 100 in 1s, not {found}",
                     "write how many messages, `in`, and in what time")
        return None
    count = reader.integer(Scalar(match[1], True, node.position), "rate", *COUNT)
    window = reader.duration(Scalar(match[2], True, node.position), "time of rate", *WINDOW)
    return None if count is None or window is None else (count, window)


def read_wish(reader: Reader, mapping: Mapping) -> Wish:
    """The keys above of a connection."""
    nodes = {name: node for name in KEYS if (node := mapping.get(name)) is not None}
    simple = {name: reader.value(nodes[name], name, shape) for name, shape in KEYS.items()
              if shape is not None and name in nodes}
    wish = Wish(simple.get("mode"), read_methods(reader, nodes["methods"]) if "methods" in nodes else None,
                _rate(reader, nodes["rate"]) if "rate" in nodes else None, simple.get("burst"),
                bool(simple.get("memory")), tuple((name, node.position) for name, node in nodes.items()))
    if "burst" in nodes and "rate" not in nodes:
        reader.error("TSS-019", nodes["burst"].position, "a burst without a rate has no meaning",
                     "write `rate: 100 in 1s` beside it, or remove it")
    return wish


def _bitmap(wish: Wish, client: "Instance", need: "Need", known: Table[str, int] | None,
            error: Error) -> tuple[int, tuple[str, ...]]:
    """The methods that may be called and their names: those listed, or that the component lists, or all."""
    if known is None:
        return ANY, ()
    for method in wish.methods or ():
        if method.name not in known:
            error("TSS-110", method.position, f"the interface {need.interface} has no method {short(method.name)}",
                  did_you_mean(method.name, known))
    if wish.methods is not None and need.methods is not None:
        _compare(wish, client, need, known, error)
    listed = need.methods if wish.methods is None else wish.methods
    names = known.keys() if listed is None else {m.name for m in listed} & known.keys()
    return sum(1 << known[name] for name in names), tuple(sorted(names))


def _compare(wish: Wish, client: "Instance", need: "Need", known: Table[str, int], error: Error) -> None:
    """What the manifest grants is what the component calls."""
    granted, called = wish.methods or (), need.methods or ()
    for method in called:
        if method.name in known and method.name not in [m.name for m in granted]:
            error("TSS-137", wish.place("methods", client.position), f"the connection {short(need.name)} does not "
                  f"grant {short(method.name)}, which {client.component} calls",
                  f"add {method.name}, or leave `methods` out",
                  Note(method.position, "component.yaml says so here"))
    for method in granted:
        if method.name in known and method.name not in [m.name for m in called]:
            error("TSS-138", method.position, f"{client.component} never calls {short(method.name)} on "
                  f"{short(need.name)}", "it lists: " + ", ".join(m.name for m in called),
                  Note(need.position, "component.yaml lists them here"))


def _mode(wish: Wish, client: "Instance", server: "Instance", manifest: "Manifest", error: Error) -> str:
    floor = server.mode or "FAST"
    if wish.mode is not None and MODES.index(wish.mode) < MODES.index(floor):
        error("TSS-040", wish.place("mode", client.position), f"mode {wish.mode} is weaker than {short(server.name)} "
              f"demands of all its clients", f"write {floor}, or remove it",
              Note(server.place("mode"), "this demands it"))
    return max(wish.mode or client.mode or manifest.mode or "FAST", floor, key=MODES.index)


def guard_of(wish: Wish, ends: tuple["Instance", "Instance"], need: "Need", known: Table[str, int] | None,
             manifest: "Manifest", error: Error) -> Guard:
    """What holds for the connection between a client and a server; `known`: methods of the interface by name."""
    client, server = ends
    bitmap, names = _bitmap(wish, client, need, known, error)
    mode = _mode(wish, client, server, manifest, error)
    if wish.rate is not None and mode != "PARANOID":
        error("TSS-111", wish.place("rate", client.position), f"a rate has no effect on a {mode} connection",
              "write `mode: PARANOID` beside it, or remove it")
    count, window = wish.rate or (0, 0)
    return Guard(mode, bitmap, names, max(window // count, 1) if count else 0, (wish.burst or count) if count else 0,
                 wish.memory)


def check_carried(guard: Guard, wish: Wish, name: str, carriers: Collection[str], position: Position, error: Error) \
        -> None:
    """No method that is granted carries memory over a connection that lets none pass."""
    carried = [method for method in guard.names if method in carriers]
    if carried and guard.level and not guard.shares:
        verb = "carry" if len(carried) > 1 else "carries"
        error("TSS-143", wish.place("memory", wish.place("mode", position)), f"{short(name)} is {guard.mode} and lets "
              f"no memory pass, but its client may call {', '.join(carried)}, which {verb} memory",
              "write `memory: true` on the connection, or list the other methods in `methods`")


def check_record(manifest: "Manifest", components: Table[str, "Component"], links: Iterable["Link"],
                 error: Error) -> None:
    """Who is PARANOID needs a reader of the record, which must make no records itself."""
    found = list(links)
    paranoid = [k for k in found if k.guard.mode == "PARANOID"]
    auditors = {i.name for i in manifest.instances
                if (one := components.get(i.component or "")) is not None and READS in one.system}
    floors = [i for i in manifest.instances if i.mode == "PARANOID"]
    if (paranoid or floors) and not auditors:
        place = paranoid[0].position if paranoid else floors[0].place("mode")
        error("TSS-112", place, "a connection is PARANOID, but nobody reads the record of what passes through it",
              "add an instance of servers/audit, or choose another mode")
    behind = set(auditors)
    while more := {k.server for k in found if k.client in behind} - behind:
        behind |= more
    for link in paranoid:
        if link.client in behind:
            error("TSS-113", link.position, f"the record is written out through {short(link.client)}, so its "
                  f"connection {short(link.name)} cannot be PARANOID: each record would make another",
                  "write `mode: HARDENED`")
