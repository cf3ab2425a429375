# SPDX-License-Identifier: BSD-2-Clause
"""response: how long after its period begins an instance has surely done its work, for instances with a `period`.

Each time is that of the longest possible way, in nanoseconds: its own `work`; the calls it makes (round trip, the
server's `work`, what the server calls in turn, and before it what each other client may have it do: callers wait in
line and lend their priority); whoever is as urgent on a CPU on which that is done, as often as its period allows in
that time, or for what its budget allows, which the kernel holds it to; and the kernel's longest stretch. Kernel figures
are those of `make bench`, in instructions; the manifest's `machine: {speed: N}` says how many the machine surely runs
in a microsecond. Starting and restarting are not covered.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generator.check import Link, Resolved, System
from generator.diagnostics import Diagnostic, Note, Position, short
from generator.fields import time_text
from generator.share import Budget
from generator.supervision import OWN_HEARTBEAT

ROUND_TRIP, SWITCH, INTERRUPT = "ipc_rt_256_cap_cross", "event_wake_switch", "irq_to_user"
STRETCH, HEARTBEAT = "revoke_latency_200", "ipc_send_receive_async"
FIGURES = (ROUND_TRIP, SWITCH, INTERRUPT, STRETCH, HEARTBEAT)
TICK_SHIFT = 6  # of a kernel whose configuration is not known: the default of CONFIG_TIMER_TICK_SHIFT


@dataclass(frozen=True)
class Term:
    """A part of a response time."""

    text: str
    time: int  # nanoseconds
    position: Position


@dataclass(frozen=True)
class Response:
    """Of one instance with a period. A deadline that is not `kept` ended the search: it may take longer than `time`."""

    instance: str
    deadline: int  # microseconds, like the next
    period: int
    time: int  # nanoseconds
    kept: bool
    terms: tuple[Term, ...]
    position: Position


class _Unknown(Exception):
    """A time that nothing says, or that is not given; carries the error."""

    def __init__(self, code: str, position: Position, message: str, hint: str, *notes: Note) -> None:
        super().__init__(message)
        self.diagnostic = Diagnostic(code, position, message, hint, notes)


def us_text(time: int) -> str:
    """Nanoseconds for people, rounded up to a tenth of a microsecond."""
    tenths = -(-time // 100)
    return f"{tenths // 10:,}.{tenths % 10}us"


class Analysis:
    """One system; `figures` are rows of bench.json, `tick` the timer's in microseconds."""

    def __init__(self, system: System, figures: Mapping[str, int], tick: int) -> None:
        self.system, self.figures, self.tick = system, figures, tick
        self.instances = {i.name: i for i in system.instances}
        self.calls = {i.name: [k for k in system.links if k.client == i.name and "call" in k.rights]
                      for i in system.instances}
        self.callers = {i.name: sorted({k.client for k in system.links if k.server == i.name and "call" in k.rights})
                        for i in system.instances}

    def cost(self, figure: str) -> int:
        """Nanoseconds of what the kernel does."""
        speed = self.system.manifest.speed or 1
        return -(-self.figures[figure] * 1000 // speed)

    def served(self, server: Resolved, behind: tuple[str, ...]) -> int:
        """One request of `server` from beginning to end; `behind` are those who wait for it, the first first."""
        if server.name in behind:
            chain = " -> ".join((*behind[behind.index(server.name):], server.name))
            raise _Unknown("TSS-098", server.position, f"{short(behind[0])} has a deadline, but these call each other "
                           f"in a circle: {chain}", "write `calls: 0` at the connection that is not used there")
        if not server.work:
            link = next(k for k in self.calls[behind[-1]] if k.server == server.name)
            raise _Unknown("TSS-098", server.position, f"nothing says how long {short(server.name)} works on a request "
                           f"of {short(behind[-1])}, and {short(behind[0])} has a deadline",
                           f"write `work: 50us` or so at {server.name}, or `calls: 0` at the connection",
                           Note(link.position, "the connection"))
        return server.work * 1000 + sum(self.called(k, (*behind, server.name)) for k in self.calls[server.name])

    def ahead(self, link: Link, behind: tuple[str, ...]) -> list[str]:
        """Other clients of the server of `link`, each of which may be served or wait there before."""
        return [name for name in self.callers[link.server] if name != link.client and name not in behind and any(
            k.server == link.server and k.calls for k in self.calls[name])]

    def called(self, link: Link, behind: tuple[str, ...]) -> int:
        """All calls through one connection in an activation of its client, the last of `behind`."""
        if link.calls == 0:
            return 0
        served = self.served(self.instances[link.server], behind)
        others = sum(1 + len(self.instances[name].component.stacks.threads) for name in self.ahead(link, behind))
        once = self.cost(ROUND_TRIP) + served
        return link.calls * (once + others * (once + self.cost(SWITCH)))

    def places(self, one: Resolved) -> dict[int, int]:
        """The CPUs on which the work of an instance and of those it calls is done, and how urgently at least."""
        there = {one.cpu: one.priority}
        ahead, seen = [one.name], {one.name}
        while ahead:
            servers = {k.server for k in self.calls[ahead.pop()] if k.calls} - seen
            seen |= servers
            ahead += servers
            for server in (self.instances[name] for name in servers):
                if server.cpu != one.cpu:
                    there[server.cpu] = min(server.priority, there.get(server.cpu, server.priority))
        return there

    def runs_alone(self, one: Resolved) -> bool:
        """Whether it runs only when called, in the caller's time, but for its heartbeats."""
        sent = any(k.server == one.name and "send" in k.rights for k in self.system.links)
        return bool(one.component.provides) and not any(d.device.kind == "irq" for d in one.devices) and not sent

    def unbounded(self, one: Resolved, other: Resolved) -> _Unknown:
        """The error that `other` may come in between at any time."""
        return _Unknown("TSS-097", other.place("priority"), f"{short(other.name)} (priority {other.priority}) can run "
                        f"as often and as long as it likes, and {short(one.name)} (priority {one.priority}) has a "
                        "deadline",
                        "write a `budget`, or `period` and `work`, how often it runs at most and how long each time, "
                        "or give it a lower priority",
                        Note(one.place("deadline" if one.deadline else "period"), "the deadline"))

    def demand(self, one: Resolved) -> int:
        """What is charged to one in each period: its work, and what servers do for it or for those before it there."""
        return (one.work or 0) * 1000 + sum(self.called(k, (one.name,)) for k in self.calls[one.name])

    def limited(self, other: Resolved, budget: Budget) -> tuple[str, int, int, int, Position]:
        """How one with a budget comes in between: once more than its periods fit, at the end of one and so on."""
        time = budget.time * 1000 + self.cost(STRETCH) + self.cost(INTERRUPT) + 2 * self.cost(SWITCH)
        return f"the budget of {other.name}", budget.period * 1000, time, 1, budget.position

    def interfering(self, one: Resolved) -> Iterator[tuple[str, int, int, int, Position]]:
        """(who, how often at most, for how long, how often more, why) of all that are as urgent where `one` works."""
        there, beat = self.places(one), self.cost(HEARTBEAT) + 2 * self.cost(SWITCH)
        if self.system.supervisor is not None and 0 in there:
            yield "init", OWN_HEARTBEAT * 500, beat, 0, self.system.supervisor.position
        for other in self.instances.values():
            if other is one or other.priority < there.get(other.cpu, other.priority + 1):
                continue
            if other.budget is not None:
                yield self.limited(other, other.budget)
            elif other.period:
                time = self.demand(other) + self.cost(INTERRUPT) + 2 * self.cost(SWITCH)
                yield other.name, other.period * 1000, time, 0, other.place("period")
            elif not self.runs_alone(other):
                raise self.unbounded(one, other)
            elif other.heartbeat:
                yield f"heartbeats of {other.name}", other.heartbeat * 500, beat, 0, other.place("heartbeat")

    def own(self, one: Resolved) -> list[Term]:
        """What does not depend on how long it takes."""
        terms = [Term("the timer's tick", self.tick * 1000, one.place("period")),
                 Term("the kernel's longest stretch, and waking", self.cost(STRETCH) + self.cost(INTERRUPT) +
                      self.cost(SWITCH), one.place("period")),
                 Term(f"work of {one.name}", (one.work or 0) * 1000, one.place("work"))]
        for link in (k for k in self.calls[one.name] if k.calls):
            others = self.ahead(link, (one.name,))
            wait = f", each after {' and '.join(others)}" if others else ""
            terms.append(Term(f"{link.calls} call{'s' * (link.calls > 1)} of {link.server} through {link.name}{wait}",
                              self.called(link, (one.name,)), link.position))
        return terms

    def response(self, one: Resolved) -> Response:
        """The smallest time in which it fits with all that may come in between."""
        deadline = one.deadline or one.period
        if one.budget is not None and self.demand(one) > one.budget.time * 1000:
            raise _Unknown("TSS-133", one.budget.position, f"{short(one.name)} and those who work for it may take "
                           f"{us_text(self.demand(one))} each time, its budget is {one.budget}: it would wait for the "
                           "next period in between", "give it a larger budget, or less work",
                           Note(one.place("work"), "its work"))
        own, others = self.own(one), list(self.interfering(one))
        alone = time = sum(term.time for term in own)
        while True:
            longer = alone + sum((-(-time // period) + extra) * work for _, period, work, extra, _ in others)
            if longer == time or time > deadline * 1000:
                break
            time = longer
        more = [Term(f"{name}, up to {times} times", times * work, position) for name, period, work, extra, position
                in others for times in (-(-time // period) + extra,)]
        return Response(one.name, deadline, one.period, time, time <= deadline * 1000, (*own, *more),
                        one.place("deadline" if one.deadline else "period"))


def respond(system: System, figures: Mapping[str, int], tick: int) -> tuple[list[Response], list[Diagnostic]]:
    """The response times of all instances with a period, and what is wrong: TSS-096 to TSS-098."""
    found: list[Response] = []
    errors: list[Diagnostic] = []
    periodic = [i for i in system.instances if i.period]
    missing = [figure for figure in FIGURES if figure not in figures]
    if periodic and missing:
        errors.append(Diagnostic("TSS-098", periodic[0].place("period"), "the figures of the bench lack "
                                 f"{', '.join(missing)}", "they stand in tests/bench/figures.json; `make bench` and "
                                 "`make bench-keep` write it"))
    if periodic and system.manifest.speed is None:
        errors.append(Diagnostic("TSS-098", periodic[0].place("period"), "nothing says how fast the machine is, and "
                                 f"{short(periodic[0].name)} has a deadline", "write `machine: {speed: 1000}`, how "
                                 "many instructions it surely runs in a microsecond"))
    analysis = Analysis(system, figures, tick)
    for one in periodic if not errors else []:
        try:
            found.append(analysis.response(one))
        except _Unknown as unknown:
            errors.append(unknown.diagnostic)
    errors += [late(response) for response in found if not response.kept]
    return found, list(dict.fromkeys(errors))


def late(response: Response) -> Diagnostic:
    """The error for a deadline that may be missed, with the chain."""
    notes = tuple(Note(term.position, f"{us_text(term.time)}: {term.text}") for term in response.terms)
    return Diagnostic("TSS-096", response.position, f"{short(response.instance)} may take {us_text(response.time)} or "
                      f"more, its deadline is {time_text(response.deadline)}",
                      "give it more time or priority, or those that come before it less work", notes)
