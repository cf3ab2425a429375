# SPDX-License-Identifier: BSD-2-Clause
"""A trace in Chrome's trace-event format, which Perfetto reads too: threads in units, CPUs, slices, arrows.

A slice for each system call of a thread, one for each call across a connection on the server's side, from where the
server has it until it answers, and on each CPU one for each time a thread runs. Arrows lead from a call to the server
and from the answer back. All else is an instant.
"""
import json
from dataclasses import dataclass, field
from typing import Any

from generator.trace import Names, Record

CPUS = 0  # the process that the CPUs' tracks are in; ids of units begin with 1


@dataclass
class _Maker:
    names: Names
    events: list[dict[str, Any]] = field(default_factory=list)
    entered: dict[int, Record] = field(default_factory=dict)  # thread -> the system call it is in
    serving: dict[int, tuple[Record, str]] = field(default_factory=dict)  # server -> from when, what
    asked: dict[int, str] = field(default_factory=dict)  # caller -> what it asked for
    awaited: dict[int, int] = field(default_factory=dict)  # thread -> arrow that ends when it is back in its unit
    running: dict[int, Record] = field(default_factory=dict)  # CPU -> since when
    arrows: int = 0

    def put(self, phase: str, record: Record, name: str, category: str, **more: Any) -> None:
        self.events.append({"ph": phase, "name": name, "cat": category, "ts": self.names.trace.microseconds(record),
                            "pid": record.unit, "tid": record.thread, **more})

    def slice(self, start: Record, end: Record, name: str, category: str, **more: Any) -> None:
        duration = self.names.trace.microseconds(end) - self.names.trace.microseconds(start)
        self.put("X", start, name, category, dur=duration, **more)

    def arrow(self, record: Record, to: int, name: str) -> None:
        """From here to where `to` is back in its unit."""
        self.arrows += 1
        self.put("s", record, name, "ipc", id=self.arrows)
        self.awaited[to] = self.arrows

    def serve(self, server: int, caller: int) -> None:
        """From the server's return on it works for that caller."""
        self.serving[server] = (Record(0, 0, -1, 0, server, 0, ()), f"{self.asked.get(caller, 'call')} for "
                                f"{self.names.trace.thread(caller)}")

    def enter(self, r: Record) -> None:
        self.entered[r.thread] = r

    def back(self, r: Record) -> None:
        """Return: the system call is over; an arrow that was on its way ends."""
        start = self.entered.pop(r.thread, None)
        if start is not None:
            self.slice(start, r, self.names.call(start.arguments[0]), "syscall",
                       args={"status": self.names.status(r.arguments[0])})
        if r.thread in self.awaited:
            self.put("f", r, "ipc", "ipc", id=self.awaited.pop(r.thread), bp="e")
        if r.thread in self.serving and self.serving[r.thread][0].tsc < 0:
            self.serving[r.thread] = (r, self.serving[r.thread][1])

    def call(self, r: Record) -> None:
        connection, _, server, tag = r.arguments
        self.asked[r.thread] = self.names.message(connection, tag)
        if server:
            self.serve(server, r.thread)
            self.arrow(r, server, self.asked[r.thread])

    def receive(self, r: Record) -> None:
        if r.arguments[0]:
            self.serve(r.thread, r.arguments[0])

    def reply(self, r: Record) -> None:
        """The slice of serving ends where the server entered the kernel to answer, so that slices nest."""
        start, name = self.serving.pop(r.thread, (r, ""))
        if name and start.tsc >= 0:
            self.slice(start, self.entered.get(r.thread, r), name, "ipc")
        self.arrow(r, r.arguments[0], "reply")

    def switch(self, r: Record) -> None:
        before = self.running.get(r.cpu)
        if before is not None and before.arguments[1]:
            self.slice(Record(r.cpu, 0, before.tsc, 0, r.cpu, CPUS, ()), r,
                       self.names.trace.thread(before.arguments[1]), "sched")
        self.running[r.cpu] = r

    def metadata(self) -> None:
        trace = self.names.trace
        rows = [("process_name", CPUS, 0, "CPUs")]
        rows += [("thread_name", CPUS, cpu, f"CPU {cpu}") for cpu in sorted(trace.written)]
        rows += [("process_name", unit, 0, name) for unit, name in sorted(trace.units.items())]
        rows += [("thread_name", unit, thread, trace.thread(thread)) for thread, unit in sorted(trace.threads.items())]
        self.events += [{"ph": "M", "name": name, "pid": pid, "tid": tid, "args": {"name": text}}
                        for name, pid, tid, text in rows]


def chrome(names: Names) -> str:
    """The document, in the order of time."""
    maker = _Maker(names)
    maker.metadata()
    rows = {event.number: event for event in names.abi.events}
    steps = {"ENTER": maker.enter, "RETURN": maker.back, "CALL": maker.call, "RECEIVE": maker.receive,
             "REPLY": maker.reply, "SWITCH": maker.switch}
    for record in names.trace.records:
        event = rows.get(record.event)
        if event is None:
            continue
        if event.name in steps:
            steps[event.name](record)
        else:
            arguments = {n: names.argument(n, v, record) for n, v in zip(event.arguments, record.arguments)}
            maker.put("i", record, event.name.lower(), event.category, s="t", args=arguments)
    lost = {f"CPU {cpu}": count for cpu, count in sorted(names.trace.lost.items())}
    return json.dumps({"traceEvents": maker.events, "displayTimeUnit": "ns", "otherData": {"lost": lost}}) + "\n"
