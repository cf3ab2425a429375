# SPDX-License-Identifier: BSD-2-Clause
"""reach: who can influence whom in a system, directly or through others. What influences is also what can be told.

Nodes are instances; kernel and init are trusted. A flow is one step: a client's request reaches its server, a server's
answer its client; the supervisor can end and rebuild everybody, and hears of everybody's end; who `may` kill or restart
reaches all; a monitor and whom it is asked about reach each other; an end reaches its dependants; system rights
`schedule` and `device` reach everybody. A connection with the right `grant` may be handed on along every flow, and then
is a flow itself. Devices are owned by one instance each, so they join nobody; but who drives one on PCI that reads and
writes memory by itself (`dma`) can have it read and write everybody's. Not in the model: time, counters that `inspect`
shows.

A server that keeps its clients apart (component.yaml) passes nothing from one client to another, neither itself nor
through the servers it uses for it. So a path that came in by a request goes on only to those servers, and does not come
back into it. `_Label` remembers through which such servers a path came. The supervisor is trusted to end and rebuild
only whom its table says; what it answers (who runs) does depend on others.
"""
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from generator.check import PAGER, Link, Resolved, System
from generator.diagnostics import Position

LABELS_MAX = 16  # of one place; beyond, less is remembered, which finds more paths, never fewer
PAST = {"call": "calls", "send": "sends to"}


@dataclass(frozen=True)
class Flow:
    """One step. kind: request, answer, control or device; of a device, nobody who keeps his clients apart makes one."""

    source: str
    target: str
    kind: str
    text: str
    position: Position

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Use:
    """`client` holds the connection `link`, or can be handed it along `chain`."""

    client: str
    link: Link
    chain: tuple[Flow, ...]


def _requests(client: str, link: Link, handed: bool) -> list[Flow]:
    """The flows of one connection in the hands of `client`."""
    word = PAST["call" if "call" in link.rights else "send"] if {"call", "send"} & set(link.rights) else ""
    if not word or client == link.server:
        return []
    through = f'"{link.name}", handed on by {link.client}' if handed else f'"{link.name}"'
    flows = [Flow(client, link.server, "request", f"{client} {word} {link.server} through {through}", link.position)]
    if "call" in link.rights:
        flows.append(Flow(link.server, client, "answer", f"{link.server} answers {client}, which calls it through "
                          f"{through}", link.position))
    return flows


def _supervision(system: System) -> Iterator[Flow]:
    guard = system.supervisor
    if guard is None:
        return
    others = [i for i in system.instances if i is not guard]
    for other in others:
        yield Flow(other.name, guard.name, "request", f"{guard.name} hears of the end of {other.name}", other.position)
        yield Flow(guard.name, other.name, "control", f"{guard.name} can end and rebuild {other.name}", guard.position)
        for dependant in other.restart.dependants or ():
            yield Flow(other.name, dependant.name, "control", f"{dependant.name} is restarted when {other.name} ends",
                       dependant.position)
    for link in system.links:
        if link.server == guard.name and link.may:
            for other in others:
                if other.name != link.client:
                    yield Flow(link.client, other.name, "control", f"{link.client} may {' and '.join(link.may)} "
                               f"{other.name} through {guard.name}", link.position)


def masters(instance: Resolved) -> list[str]:
    """Names of the devices of an instance that read and write memory by themselves, wherever they are told to."""
    able = {d.name for d in instance.component.devices if d.dma}
    return [assigned.slot for assigned in instance.devices if assigned.slot in able]


def _both(instance: Resolved, other: str, why: str) -> Iterator[Flow]:
    yield Flow(instance.name, other, "device", why, instance.position)
    yield Flow(other, instance.name, "device", why, instance.position)


def _system_rights(instance: Resolved, system: System) -> Iterator[Flow]:
    for other in (i.name for i in system.instances if i is not instance):
        if "device" in instance.component.system:
            why = f"{instance.name} can reach any device, and through it {other} (system right device)"
            yield from _both(instance, other, why)
        for slot in masters(instance):
            yield from _both(instance, other, f"{instance.name} can have its device {slot} read and write the memory "
                             f"of {other} (dma, without an IOMMU)")
        if "schedule" in instance.component.system:
            yield Flow(instance.name, other, "control", f"{instance.name} can take the time of {other} (system right "
                       "schedule)", instance.position)


def _monitors(system: System) -> Iterator[Flow]:
    """A monitor sees the calls of another and decides what becomes of them."""
    for watch in system.watches:
        yield Flow(watch.client, watch.monitor, "request", f"{watch.monitor} is asked about system calls of "
                   f"{watch.client}", watch.position)
        yield Flow(watch.monitor, watch.client, "control", f"{watch.monitor} decides about system calls of "
                   f"{watch.client}", watch.position)


@dataclass(frozen=True)
class _Label:
    """A place on a path: came in by a request, and through which servers that keep their clients apart."""

    node: str
    asked: bool
    apart: frozenset[str]


class Graph:
    """All flows of a system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.names = frozenset(i.name for i in system.instances)
        guard = system.supervisor
        self.guard = guard.name if guard is not None else ""
        self.apart = frozenset(i.name for i in system.instances if i.component.keeps_apart is not None or i is guard)
        self.flows: dict[str, list[Flow]] = {name: [] for name in sorted(self.names)}
        self.uses: dict[tuple[str, Link], Use] = {}  # by holder and what is held
        for link in system.links:
            self.hold(Use(link.client, link, ()))
        fixed = [*_supervision(system), *_monitors(system),
                 *(f for i in system.instances for f in _system_rights(i, system))]
        for flow in fixed:
            if flow.source in self.names and flow.target in self.names:
                self.flows[flow.source].append(flow)
        self.hand_on()

    def hold(self, use: Use) -> None:
        self.uses[use.client, use.link] = use
        for flow in _requests(use.client, use.link, bool(use.chain)):
            if flow.source in self.names and flow.target in self.names:
                self.flows[flow.source].append(flow)

    def hand_on(self) -> None:
        """Adds what can be handed on, along requests and answers, until nothing is new."""
        waiting = deque(use for use in self.uses.values() if "grant" in use.link.rights)
        again: list[Use] = []
        while waiting:
            use = waiting.popleft()
            again.append(use)
            new = [Use(flow.target, use.link, (*use.chain, flow)) for flow in self.flows[use.client]
                   if flow.kind not in ("control", "device")]
            for one in new:
                if (one.client, one.link) not in self.uses:
                    self.hold(one)
                    waiting.append(one)
                    waiting.extend(again)  # a new flow may carry what was done with already
                    again.clear()

    def users(self, server: str) -> list[Use]:
        """Who holds or can be handed a connection to `server`, each once, with the shortest chain."""
        best: dict[str, Use] = {}
        for use in sorted(self.uses.values(), key=lambda u: (len(u.chain), u.client, u.link.name)):
            if use.link.server == server:
                best.setdefault(use.client, use)
        return [best[name] for name in sorted(best)]

    def search(self, source: str, target: str | None, trusted: frozenset[str]) -> dict[str, tuple[Flow, ...]]:
        """A shortest path from `source` to each instance that it reaches, or to `target` alone."""
        start = _Label(source, False, frozenset())
        labels: dict[tuple[str, bool], list[frozenset[str]]] = {(source, False): [frozenset()]}
        found: dict[str, tuple[Flow, ...]] = {source: ()}
        ahead: deque[tuple[_Label, tuple[Flow, ...]]] = deque([(start, ())])
        while ahead and target not in found.keys() - {source}:
            label, path = ahead.popleft()
            for flow in self.flows[label.node]:
                after = _kept(labels, self.after(label, flow, trusted))
                if after is not None:
                    found.setdefault(after.node, (*path, flow))
                    ahead.append((after, (*path, flow)))
        return found

    def after(self, label: _Label, flow: Flow, trusted: frozenset[str]) -> _Label | None:
        """Where the step leads; None if a trusted server does not pass it on."""
        if flow.kind == "device" and {flow.source, flow.target} & trusted:
            return None
        if label.asked and label.node in trusted and flow.kind != "request":
            if label.node != self.guard or flow.kind == "control":
                return None
        if flow.kind == "request" and flow.target in trusted:
            through = frozenset() if flow.target == self.guard else frozenset({flow.target})
            return _Label(flow.target, True, label.apart | through)
        if flow.kind == "answer" and flow.target in label.apart:
            return None
        return _Label(flow.target, False, label.apart)

    def path(self, source: str, target: str, trusted: frozenset[str] | None = None) -> tuple[Flow, ...]:
        """The shortest way in which `source` influences `target`; empty if there is none."""
        return self.search(source, target, self.apart if trusted is None else trusted).get(target, ())

    def verdict(self, source: str, target: str) -> tuple[tuple[Flow, ...], tuple[str, ...]]:
        """The path, or else a smallest set of servers on whose keeping apart it rests that there is none."""
        path = self.path(source, target)
        if path:
            return path, ()
        needed = self.apart
        for name in sorted(self.apart):
            if not self.path(source, target, needed - {name}):
                needed -= {name}
        return (), tuple(sorted(needed))

    def reached(self, source: str) -> frozenset[str]:
        return frozenset(self.search(source, None, self.apart)) - {source}

    def _calls(self) -> dict[str, list[Flow]]:
        """Whom each instance calls."""
        calls: dict[str, list[Flow]] = {}
        for link in self.system.links:
            if "call" in link.rights:
                calls.setdefault(link.client, []).append(Flow(
                    link.client, link.server, "request", f'{link.client} calls {link.server} through "{link.name}"',
                    link.position))
        return calls

    def pager_cycles(self) -> list[tuple[Flow, ...]]:
        """For each instance that may wait for a page, the shortest circle by which it then waits for itself."""
        paged = {i.name for i in self.system.instances if i.paged}
        waits, pages = self._calls(), {}
        for link in self.system.links:
            if link.client in paged and link.interface == PAGER:
                pages[link.client] = Flow(link.client, link.server, "request",
                                          f"{link.client} has its pages from {link.server}", link.position)
                waits.setdefault(link.client, []).append(pages[link.client])
        circles = [_circle(name, {**waits, name: [flow]}) for name, flow in sorted(pages.items())]
        return [circle for circle in circles if circle]

    def call_cycles(self) -> list[tuple[Flow, ...]]:
        """One shortest circle of calls through each instance that is on one, each circle once."""
        calls = self._calls()
        found: dict[frozenset[str], tuple[Flow, ...]] = {}
        for name in sorted(calls):
            circle = _circle(name, calls)
            if circle:
                found.setdefault(frozenset(f.source for f in circle), circle)
        return list(found.values())


def _kept(labels: dict[tuple[str, bool], list[frozenset[str]]], label: _Label | None) -> _Label | None:
    """The label to go on with, noted; None if it leads no further than one that was there before.

    Where there are too many, it forgets through whom it came, which lets it go further.
    """
    before = labels.setdefault((label.node, label.asked), []) if label is not None else []
    if label is None or any(other <= label.apart for other in before):
        return None
    if len(before) >= LABELS_MAX:
        label = _Label(label.node, label.asked, frozenset())
    before.append(label.apart)
    return label


def _circle(start: str, calls: dict[str, list[Flow]]) -> tuple[Flow, ...]:
    """The shortest way along calls from `start` back to it."""
    seen: set[str] = set()
    ahead: deque[tuple[Flow, ...]] = deque((flow,) for flow in calls.get(start, []))
    while ahead:
        path = ahead.popleft()
        end = path[-1].target
        if end == start:
            return path
        if end not in seen:
            seen.add(end)
            ahead.extend((*path, flow) for flow in calls.get(end, []))
    return ()
