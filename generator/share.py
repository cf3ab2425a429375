# SPDX-License-Identifier: BSD-2-Clause
"""Shares of CPU time: budgets of instances, and whose policy they are under.

    worker: {component: apps/worker, budget: {time: 2ms, period: 10ms}}
    player: {component: apps/player, scheduler: sched}      # an instance of servers/sched

A budget is the kernel's affair (kernel/doc/adr/0009-budgets.md); with a `deadline` as well, instances of the same
priority go by it. A scheduler changes priority, slice and budget of those that the manifest puts under it. Its table
has the layout of components/lib/include/tessera/schedule.h.
"""
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.diagnostics import Note, Position, did_you_mean, short
from generator.fields import NAME, Reader, Shape, time_text
from generator.load import Node

if TYPE_CHECKING:
    from generator.check import Link, Resolved

SCHEDULER = "servers/sched"
SCHEDULED_MAX = 64  # TSS_SCHEDULED_MAX
TIMES = Shape("duration", 100, 10_000_000)  # TSS_SLICE_MIN_US to TSS_PERIOD_MAX_US
KEYS: dict[str, Shape | None] = {"time": TIMES, "period": TIMES}
BEATS = 4  # so many periods of a client fit into its server's heartbeat, at least
_ENTRY = struct.Struct("<16sIIII")
Error = Callable[..., None]


@dataclass(frozen=True)
class Budget:
    """So much time in each period, microseconds."""

    time: int
    period: int
    position: Position = field(compare=False)

    def more_than(self, other: "Budget") -> bool:
        """A larger share, or the same share in longer pieces."""
        mine, its = self.time * other.period, other.time * self.period
        return mine > its or mine == its and self.time > other.time

    def __str__(self) -> str:
        return f"{time_text(self.time)} of {time_text(self.period)}"


@dataclass(frozen=True)
class Under:
    """The name of a scheduler, and where it stands."""

    name: str
    position: Position


def read_budget(reader: Reader, node: Node) -> Budget | None:
    """`budget: {time: 2ms, period: 10ms}`."""
    mapping = reader.mapping(node, "budget")
    if mapping is None:
        return None
    reader.keys(mapping, "budget", KEYS, tuple(KEYS))
    values = [reader.value(found, f"{name} of the budget", TIMES)
              for name in KEYS if (found := mapping.get(name)) is not None]
    if len(values) < len(KEYS) or None in values:
        return None
    time, period = values[0] or 0, values[1] or 0
    if time > period:
        reader.error("TSS-019", node.position, f"the budget {time_text(time)} is longer than its period "
                     f"{time_text(period)}", "a budget is at most the period")
        return None
    return Budget(time, period, node.position)


def read_under(reader: Reader, node: Node) -> Under | None:
    """`scheduler: NAME`."""
    name = reader.name(node, "scheduler", NAME)
    return Under(name, node.position) if name is not None else None


def fits(reader: Reader, name: str, budget: Budget | None, work: int, deadline: int, places: Mapping[str, Position]) \
        -> None:
    """What an instance says of its time must fit its budget."""
    for key, value, most in (("work", work, "time"), ("deadline", deadline, "period")):
        if budget is not None and value > getattr(budget, most):
            reader.error("TSS-019", places[key], f"the {key} {time_text(value)} of {short(name)} does not fit its "
                         f"budget, {budget}",
                         f"write `{key}: {time_text(getattr(budget, most))}` or less, or a larger budget")


def scheduled(instances: Sequence["Resolved"], scheduler: "Resolved") -> list[tuple["Resolved", int]]:
    """Those under a scheduler by name, with the slots it has for them behind all that its component has."""
    under = sorted((i for i in instances if i.under is not None and i.under.name == scheduler.name),
                   key=lambda i: i.name)
    return list(zip(under, range(scheduler.component.layout.end, scheduler.component.layout.end + len(under))))


def check_shares(instances: Sequence["Resolved"], links: Sequence["Link"], error: Error) -> None:
    """Schedulers are schedulers and come first; no server starves because its client has used up its time."""
    by_name = {i.name: i for i in instances}
    under: dict[str, int] = {}
    for one in instances:
        if one.under is not None:
            _under(one, one.under, by_name, error)
            under[one.under.name] = under.get(one.under.name, 0) + 1
            if under[one.under.name] == SCHEDULED_MAX + 1:
                error("TSS-130", one.under.position, f"{short(one.under.name)} has more than {SCHEDULED_MAX} under it",
                      f"add another instance of {SCHEDULER} for the others")
    for link in links:
        client, server = by_name.get(link.client), by_name.get(link.server)
        if client is None or server is None or client.budget is None or "call" not in link.rights:
            continue
        if server.heartbeat and server.heartbeat < BEATS * client.budget.period:
            error("TSS-132", client.budget.position, f"{short(server.name)} works for {short(client.name)} in its "
                  f"time, and when that is used up waits for up to {time_text(client.budget.period)}; with a "
                  f"heartbeat of {time_text(server.heartbeat)} it would be taken for hung",
                  f"write a period of at most {time_text(server.heartbeat // BEATS)}, or a longer heartbeat",
                  Note(server.place("heartbeat"), "the heartbeat"))


def _under(one: "Resolved", under: Under, by_name: Mapping[str, "Resolved"], error: Error) -> None:
    scheduler = by_name.get(under.name)
    if scheduler is None or scheduler.component.name != SCHEDULER:
        there = {i.name for i in by_name.values() if i.component.name == SCHEDULER}
        error("TSS-130", under.position, f"{short(under.name)} is no scheduler",
              did_you_mean(under.name, there) if there else f"add an instance of {SCHEDULER}")
        return
    if one is scheduler or one.priority >= scheduler.priority:
        error("TSS-130", under.position, f"{short(one.name)} (priority {one.priority}) is not below its scheduler "
              f"{short(scheduler.name)} (priority {scheduler.priority})", "give the scheduler a higher priority, "
              "so that it can always change its policy", Note(scheduler.place("priority"), "its priority"))
    if one.budget is not None:
        error("TSS-131", one.budget.position, f"{short(one.name)} has a budget and a scheduler, {short(under.name)}, "
              "which gives it budgets of its own", "remove one of the two", Note(under.position, "the scheduler"))


def words(one: "Resolved") -> tuple[int, int]:
    """b and c of its SCHED object in the init table."""
    if one.budget is None:
        return 0, 0
    return one.budget.time | one.budget.period << 32, one.deadline


def table(rows: Sequence[tuple["Resolved", int]]) -> bytes:
    """A scheduler's table: each whom it schedules, with the slot of his scheduling context; zeros end it."""
    return b"".join(_ENTRY.pack(i.name.encode(), slot, i.priority, i.slice, i.cpu) for i, slot in rows) + \
        bytes(_ENTRY.size)
