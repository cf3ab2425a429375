# SPDX-License-Identifier: BSD-2-Clause
"""trace: what servers/trace put out, as text. trace_json.py makes the same records into Chrome's format.

The lines (components/servers/trace/out.c says which) are taken from whatever else a console printed; what the numbers
mean is in kernel/include/abi/trace.def, read through the preprocessor; names are those of the running system, of
plan.json and of the interfaces.
"""
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from generator.abi import Abi
from generator.diagnostics import Diagnostic, Position, Refused

VERSION = 1
FIELDS = {"~trace": 6, "~u": 2, "~t": 2, "~c": 5, "~l": 3, "~r": 10, "~end": 2}
Methods = Mapping[str, Mapping[int, str]]  # interface -> number -> method


@dataclass(frozen=True)
class Record:
    """One event. `tsc` counts from the trace's beginning."""

    cpu: int
    number: int
    tsc: int
    event: int
    thread: int
    unit: int
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Connection:
    port: int
    badge: int
    client: str
    server: str


@dataclass
class Trace:
    """All that a dump says. `lost`: records that were made on each CPU and are not in the dump, whyever."""

    tsc_per_ms: int = 1
    units: dict[int, str] = field(default_factory=dict)
    threads: dict[int, int] = field(default_factory=dict)  # id -> unit
    connections: dict[int, Connection] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    interfaces: dict[tuple[str, str, int], str] = field(default_factory=dict)  # client, server, badge

    @property
    def lost(self) -> dict[int, int]:
        return {cpu: count - sum(r.cpu == cpu for r in self.records) for cpu, count in self.written.items()}

    def microseconds(self, record: Record) -> float:
        return record.tsc * 1000 / self.tsc_per_ms

    def thread(self, number: int) -> str:
        """`unit#thread`, or `idle`."""
        return f"{self.units.get(self.threads.get(number, 0), '?')}#{number}" if number else "idle"


def _refuse(path: str, what: str) -> Refused:
    return Refused([Diagnostic("TSS-087", Position(path), what, "let the whole output of `trace dump` be in the file")])


def dumps(text: str) -> Iterator[list[str]]:
    """The lines of each dump in a console's text, the first and the last included."""
    lines: list[str] = []
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("~trace "):
            lines = []
        if line.startswith("~"):
            lines.append(line)
        if line.startswith("~end ") and lines[0].startswith("~trace "):
            yield lines


def _whole(lines: list[str], path: str) -> None:
    """A line that is missing or was changed shows in the number and the sum of all."""
    count, total = (int(word, 16) for word in lines[-1].split()[1:])
    found = sum(sum(line.encode()) + 10 for line in lines[:-1])
    if (len(lines) - 1, found) != (count, total):
        raise _refuse(path, f"the trace is damaged: {len(lines) - 1} lines of {count}" if count != len(lines) - 1
                      else "the trace is damaged: the sum of its characters is another")


def _take(trace: Trace, line: str, start: int) -> None:
    kind, *words = line.split(" ")
    if kind == "~u":
        trace.units[int(words[0], 16)] = words[1]
        return
    if kind == "~c":
        trace.connections[int(words[0], 16)] = Connection(int(words[1], 16), int(words[2], 16), *words[3:])
        return
    numbers = [int(word, 16) for word in words]
    if kind == "~t":
        trace.threads[numbers[0]] = numbers[1]
    elif kind == "~l":
        trace.written[numbers[0]] = numbers[1]
    elif kind == "~r":
        cpu, number, tsc, event, thread, unit, *arguments = numbers
        trace.records.append(Record(cpu, number, tsc - start, event, thread, unit, tuple(arguments)))
        if thread:
            trace.threads.setdefault(thread, unit)


def read(text: str, path: str, abi: Abi, plan: str | None = None) -> Trace:
    """The last dump in a console's text; `plan`, the text of plan.json, says what interfaces connections have."""
    found = list(dumps(text))
    if not found:
        raise _refuse(path, "there is no whole trace in it")
    lines = found[-1]
    if any(len(line.split(" ")) - 1 != FIELDS.get(line.split(" ")[0], -1) for line in lines):
        raise _refuse(path, "the trace is damaged: a line has not the words it should have")
    _whole(lines, path)
    version, abi_version, _, _, per_ms, start = (int(word, 16) for word in lines[0].split()[1:])
    if (version, abi_version) != (VERSION, abi["TSS_ABI_VERSION"]):
        raise _refuse(path, f"the trace has version {version} and is of ABI {abi_version}; this reads version "
                      f"{VERSION} and ABI {abi['TSS_ABI_VERSION']}")
    trace = Trace(per_ms)
    for line in lines[1:-1]:
        _take(trace, line, start)
    for row in json.loads(plan)["connections"] if plan else []:
        trace.interfaces[row["client"], row["server"], row["badge"]] = row["interface"]
    trace.records.sort(key=lambda r: (r.tsc, r.cpu, r.number))
    return trace


@dataclass(frozen=True)
class Names:
    """What numbers in records are called."""

    trace: Trace
    abi: Abi
    methods: Methods

    def call(self, number: int) -> str:
        return next((f"{c.object}_{c.verb}" for c in self.abi.calls if c.number == number), f"{number:#x}")

    def status(self, value: int) -> str:
        name = next((error[1] for error in self.abi.errors if error[0] == value & 0xff), f"{value:#x}")
        return name if value < 0x100 else f"{name} ({value >> 8})" if value < 0x10000 else f"{value:#x}"

    def message(self, connection: int, tag: int) -> str:
        """`interface.method` of a request, or its type."""
        c = self.trace.connections.get(connection)
        interface = self.trace.interfaces.get((c.client, c.server, c.badge), "") if c else ""
        method = self.methods.get(interface, {}).get(tag & 0xffffffff)
        return f"{interface}.{method}" if method else f"type {tag & 0xffffffff}"

    def connection(self, number: int) -> str:
        c = self.trace.connections.get(number)
        return f"{c.client}->{c.server}" if c else f"connection {number}"

    def argument(self, name: str, value: int, record: Record) -> str:
        if name in ("thread", "caller", "server", "from", "to"):
            return self.trace.thread(value) if value or name in ("from", "to") else "nobody"
        if name == "number":
            return self.call(value)
        if name == "status":
            return self.status(value)
        if name == "connection_id":
            return self.connection(value)
        if name == "tag":
            return self.message(record.arguments[0], value)
        if name == "unit_id":
            return self.trace.units.get(value, str(value))
        if name == "type":
            return self.abi.type_name(value).lower()
        return f"{value:#x}" if name in ("ip", "address") or name.startswith("argument") else str(value)


def text(names: Names) -> str:
    """One line a record, and what was lost."""
    rows = {event.number: event for event in names.abi.events}
    lines = []
    for r in names.trace.records:
        event = rows.get(r.event)
        shown = (" ".join(f"{name.removesuffix('_id')}={names.argument(name, value, r)}"
                          for name, value in zip(event.arguments, r.arguments)) if event else str(r.arguments))
        lines.append(f"{names.trace.microseconds(r):12.3f} {r.cpu:2} {names.trace.thread(r.thread):20} "
                     f"{event.name if event else r.event:<10} {shown}")
    for cpu, count in sorted(names.trace.lost.items()):
        lines.append(f"CPU {cpu}: {names.trace.written[cpu]} events, {count} of them lost")
    return "\n".join(lines) + "\n"
