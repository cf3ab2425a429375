# SPDX-License-Identifier: BSD-2-Clause
"""The trace: what the kernel records is what happened, in order and with the right ids; what is lost is counted."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib.images import variant
from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

TOP = Path(__file__).resolve().parents[2]
ROW = re.compile(r" *([\d.]+) +(\d+) (\S+) +([A-Z]+) +(.*)")
LOST = re.compile(r"CPU (\d+): (\d+) events, (\d+) of them lost")
DUMP_S = 240.0


@dataclass(frozen=True)
class Event:
    """A line of `tessera trace`."""

    us: float
    cpu: int
    who: str
    name: str
    arguments: dict[str, str]


def tessera(folder: Path, *options: str) -> str:
    command = [sys.executable, "generator/tessera", "trace", str(folder / "console.txt"), "--system", "traced"]
    command += options
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout


def dump(vm: VM, folder: Path) -> tuple[list[Event], dict[int, tuple[int, int]]]:
    """The events, and for each CPU how many there were and how many of them were lost."""
    assert "trace:" not in vm.command("trace dump", DUMP_S)
    (folder / "console.txt").write_text(vm.console)
    text = tessera(folder)
    rows = [match for line in text.splitlines() if (match := ROW.fullmatch(line))]
    lost = {int(m[1]): (int(m[2]), int(m[3])) for m in LOST.finditer(text)}
    assert len(rows) + len(lost) == len(text.splitlines())
    return [Event(float(m[1]), int(m[2]), m[3], m[4], dict(word.split("=", 1) for word in re.findall(
        r"\w+=(?:(?! \w+=).)*", m[5]))) for m in rows], lost


def matches(event: Event, who: str, name: str, wanted: dict[str, str]) -> bool:
    return (re.fullmatch(who, event.who) is not None and event.name == name
            and all(re.fullmatch(text, event.arguments.get(key, "")) for key, text in wanted.items()))


def in_order(events: list[Event], steps: list[tuple[str, str, dict[str, str]]]) -> list[Event]:
    """The first event that is each step, behind the one before."""
    rest = iter(events)
    found: list[Event] = []
    for who, name, wanted in steps:
        event = next((e for e in rest if matches(e, who, name, wanted)), None)
        assert event is not None, f"no {who} {name} {wanted} behind {found[-1:]}"
        found.append(event)
    return found


def settled(vm: VM) -> None:
    """At the prompt, and the application ping is done: it would talk into our lines, and to echo."""
    for pattern in (PROMPT, r"\[ping\] 8 replies\n"):
        if not re.search(pattern, vm.console):
            vm.expect(pattern)


def record_ping(vm: VM, *categories: str) -> None:
    settled(vm)
    assert vm.command(" ".join(["trace on", *categories])) == ""
    assert "4 replies" in vm.command("ping")


ONE_PING: list[tuple[str, str, dict[str, str]]] = [
    (r"shell#\d+", "ENTER", {"number": "connection_call"}),
    (r"shell#\d+", "CALL", {"connection": "shell->echo", "server": r"echo#\d+", "tag": "echo.registers"}),
    (r"echo#\d+", "SWITCH", {"from": r"shell#\d+", "to": r"echo#\d+"}),
    (r"echo#\d+", "RETURN", {"status": "OK"}),
    (r"echo#\d+", "ENTER", {"number": "port_reply_receive"}),
    (r"echo#\d+", "REPLY", {"caller": r"shell#\d+"}),
    (r"shell#\d+", "SWITCH", {"from": r"echo#\d+", "to": r"shell#\d+"}),
    (r"shell#\d+", "RETURN", {"status": "OK"}),
]


@pytest.mark.parametrize("cpu", ["max", "max,-fsgsbase"])
def test_a_ping_is_in_it_step_by_step(boot: Boot, tmp_path: Path, cpu: str) -> None:
    vm = boot("traced", Machine(cpu=cpu))
    record_ping(vm, "syscall", "ipc", "sched")
    events, lost = dump(vm, tmp_path)
    steps = in_order(events, 4 * ONE_PING)
    assert len({e.who for e in steps if e.who.startswith("echo#")}) == 1
    assert [e.us for e in events] == sorted(e.us for e in events)
    assert lost == {0: (len(events), 0)}
    calls = [e for e in events if e.name == "CALL" and e.arguments["connection"] == "shell->echo"]
    replies = [e for e in events if e.name == "REPLY" and e.who.startswith("echo#")]
    assert len(calls) == len(replies) == 4
    assert {e.name for e in events} <= {"ENTER", "RETURN", "CALL", "REPLY", "RECEIVE", "SEND", "SWITCH", "WAKE"}


def test_between_two_switches_of_a_cpu_one_thread_runs(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    record_ping(vm)
    events, _ = dump(vm, tmp_path)
    runs = events[0].arguments["to"]
    for event in events[1:]:
        if event.name == "SWITCH":
            assert event.arguments["from"] == runs
            runs = event.arguments["to"]
        elif event.name in ("ENTER", "RETURN", "TIMER"):
            assert event.who == runs, event
    names = {e.name for e in events}
    assert "INTERRUPT" in names


def test_only_what_was_chosen_is_recorded(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    record_ping(vm, "ipc")
    assert " on, " in vm.command("trace") and vm.command("trace").endswith(": ipc\n")
    assert "4 replies" in vm.command("ping")
    events, _ = dump(vm, tmp_path)
    assert {e.name for e in events} <= {"CALL", "REPLY", "RECEIVE", "SEND"}
    assert len([e for e in events if e.arguments.get("connection") == "shell->echo"]) == 8
    assert " off, " in vm.command("trace")
    assert "categories are" in vm.command("trace on nonsense")


def test_what_is_overwritten_is_counted(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    settled(vm)
    vm.command("trace on")
    for _ in range(8):
        assert "4 replies" in vm.command("ping")
    vm.command("trace off")
    told = re.search(r"off, (\d+) events, (\d+) of them overwritten", vm.command("trace"))
    events, lost = dump(vm, tmp_path)
    assert told and int(told[2]) > 0
    written, gone = lost[0]
    assert (written, gone) == (int(told[1]), written - len(events))
    assert gone == int(told[2]) + 1  # the oldest place might have been in the middle of being written
    sequence = [int(m[1], 16) for m in re.finditer(r"^~r 0 ([0-9a-f]+) ", vm.console, re.M)]
    assert sequence == list(range(gone, written))


def test_a_restart_is_seen_from_end_to_beginning(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    settled(vm)
    vm.command("trace on object")
    vm.command("kill echo")
    vm.expect(r"\[echo\] ready")
    events, _ = dump(vm, tmp_path)
    in_order(events, [(".*", "END", {"unit": "echo"}), (".*", "RESTART", {"unit": "echo", "restarts": "1"})])


def test_each_cpu_has_its_own(boot: Boot, tmp_path: Path) -> None:
    text = (TOP / "manifests/traced.yaml").read_text()
    for name in ("echo", "ping"):
        text = text.replace(f"component: apps/{name},", f"component: apps/{name}, cpu: 1,")
    (tmp_path / "traced.yaml").write_text(text)
    vm = boot("traced", Machine(cpus=2), variant(str(tmp_path / "traced.yaml"), "cpus") / "traced.iso")
    record_ping(vm, "syscall", "ipc", "sched", "cpu")
    events, lost = dump(vm, tmp_path)
    assert set(lost) == {0, 1} and all(lost[cpu][1] == 0 for cpu in lost)
    for cpu in (0, 1):
        numbers = [int(m[1], 16) for m in re.finditer(rf"^~r {cpu} ([0-9a-f]+) ", vm.console, re.M)]
        assert numbers == list(range(lost[cpu][0]))
    assert {e.cpu for e in events if e.who.startswith("echo#") and e.name == "RETURN"} == {1}
    assert {e.cpu for e in events if e.who.startswith("shell#") and e.name == "RETURN"} == {0}
    across = [e for e in events if e.arguments.get("connection") == "shell->echo"]
    assert len(across) == 4 and {e.cpu for e in across} == {0}
    assert {e.name for e in events} >= {"EXCLUSIVE", "IPI"}


def slices(document: dict[str, Any], category: str) -> list[dict[str, Any]]:
    return [e for e in document["traceEvents"] if e["ph"] == "X" and e["cat"] == category]


def test_perfetto_finds_slices_that_nest_and_arrows_that_lead_somewhere(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    record_ping(vm, "syscall", "ipc", "sched")
    dump(vm, tmp_path)
    document = json.loads(tessera(tmp_path, "--json"))
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in document["traceEvents"] if e["name"] == "thread_name"}
    served = [e for e in slices(document, "ipc") if e["name"].startswith("echo.registers for shell#")]
    assert len(served) == 4
    assert all(names[e["pid"], e["tid"]].startswith("echo#") and e["dur"] > 0 for e in served)
    starts = {e["id"]: e["ts"] for e in document["traceEvents"] if e["ph"] == "s"}
    ends = {e["id"]: e["ts"] for e in document["traceEvents"] if e["ph"] == "f"}
    assert len(ends) >= 8 and all(starts[number] <= ts for number, ts in ends.items())
    tracks: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for e in slices(document, "syscall") + slices(document, "ipc"):
        tracks.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
    for spans in tracks.values():
        spans.sort()
        assert all(one[1] <= two[0] or two[1] <= one[1] for one, two in zip(spans, spans[1:]))


def test_a_damaged_dump_is_refused(boot: Boot, tmp_path: Path) -> None:
    vm = boot("traced")
    record_ping(vm, "ipc")
    dump(vm, tmp_path)
    whole = (tmp_path / "console.txt").read_text()
    lines = whole.splitlines(keepends=True)
    record = next(i for i, line in enumerate(lines) if line.startswith("~r "))
    changed = lines[record].replace("~r 0", "~r 1", 1)
    for text in ("".join(lines[:record] + lines[record + 1:]), "".join([*lines[:record], changed, *lines[record + 1:]]),
                 whole.replace("~end", "end"), whole.replace("~trace 1", "~trace 2")):
        (tmp_path / "console.txt").write_text(text)
        command = [sys.executable, "generator/tessera", "trace", str(tmp_path / "console.txt")]
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "TSS-087" in done.stderr


def test_a_panic_says_what_came_last(boot: Boot) -> None:
    vm = boot("traced")
    record_ping(vm, "syscall", "ipc")
    vm.qmp_last("inject-nmi")
    vm.expect("PANIC: .*non-maskable interrupt", panic_is_fine=True)
    vm.expect(r"trace \d+ (ENTER|RETURN|CALL|REPLY|RECEIVE) thread \d+: ", panic_is_fine=True)
