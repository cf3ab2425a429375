# SPDX-License-Identifier: BSD-2-Clause
"""Boots the bench image twice under the primary clock, demands identical figures, adds sizes and lines."""
from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bench import worst
from lib.count import Counter, counter
from lib.images import iso
from lib.vm import PROMPT, VM, output_folder, primary_clock
from lint.test_sizes import kernel_lines

ROW = re.compile(r"^bench (\w+) (\d+) (\d+) (\d+)$", re.M)
BENCH_TIMEOUT_S = 300
PROMPT_TIMEOUT_S = 120
SETTLE_S = 0.3

# Targets: row -> most instructions (median). figures.json keeps what has been reached.
TARGETS = {"null_syscall": 35, "ipc_rt_register_cross": 220, "ipc_rt_register_cross_timeout": 260, "event_signal": 120,
           "ipc_rt_register_cross_hardened": 350, "event_wake_switch": 300,
           "yield_cross": 180, "irq_to_user": 350, "boot_to_init": 1_655_000,
           "boot_to_prompt": 3_695_000}
# Not reached yet; kernel/doc/adr/0005-hot-paths.md says why. A row that gets there moves up.
AHEAD = {"ipc_rt_64_cross": 300, "ipc_rt_256_cross": 420, "ipc_rt_256_cap_cross": 600, "fault_rt_cross": 500,
         "fault_rt_same": 200}
# Operations called O(1): with 200 they may cost this much more than with 2.
FLAT = (("sched_pick_2", "sched_pick_200"),)
FLAT_FACTOR = 1.05
BOUNDED = "at most"  # unit of rows that hold if they are below worst.BOUND


@dataclass(frozen=True)
class Row:
    """One figure; `unit` says of what."""

    least: int
    median: int
    most: int
    unit: str = "instructions"


class Unsteady(AssertionError):
    """Two runs of the same image gave different figures."""


def bench_once() -> dict[str, Row]:
    """The rows that the bench image prints. COM2 is there for the interrupt row and goes nowhere."""
    machine = primary_clock(iso("bench"))
    with VM(replace(machine, extra=(*machine.extra, "-serial", "null"))) as vm:
        vm.expect(r"bench done\n", BENCH_TIMEOUT_S)
        assert "bench: there is no room" not in vm.console, vm.console
        return {m[1]: Row(int(m[2]), int(m[3]), int(m[4])) for m in ROW.finditer(vm.console)}


def settled(vm: VM, count: Counter) -> int:
    """The count once it stands still, which is when the machine waits for input."""
    last = -1
    while count.total() != last:
        last = count.total()
        vm.quiet(SETTLE_S)
    return last


def boot_to_prompt() -> Row:
    """Instructions from the kernel's first until the demo waits for input at its prompt.

    Idle time is waited for, not skipped: skipped time would bring heartbeats, and the count would never stand still.
    """
    with tempfile.TemporaryDirectory() as folder:
        count = counter(Path(folder))
        machine = primary_clock(iso("demo"))
        extra = tuple(word.replace("sleep=off", "sleep=on") for word in machine.extra)
        with VM(replace(machine, extra=(*extra, *count.arguments))) as vm:
            vm.expect(PROMPT, PROMPT_TIMEOUT_S)
            value = settled(vm, count) - count.at_entry()
    return Row(value, value, value)


def twice(first: dict[str, Row], second: dict[str, Row]) -> dict[str, Row]:
    """The rows of two runs that agree; else Unsteady with all that do not."""
    if first != second:
        names = sorted(first.keys() | second.keys())
        raise Unsteady("; ".join(f"{name}: {first.get(name)} then {second.get(name)}"
                                 for name in names if first.get(name) != second.get(name)))
    return first


def sizes() -> dict[str, Row]:
    """Bytes of the kernel as it is loaded, of the demo's ISO, and the kernel's lines of code."""
    with (output_folder() / "kernel" / "kernel.elf").open("rb") as file:
        kernel = sum(int(segment["p_filesz"]) for segment in ELFFile(file).iter_segments("PT_LOAD"))
    lines = sum(code for code, _ in kernel_lines().values())
    image = iso("demo").stat().st_size
    return {"kernel_bytes": Row(kernel, kernel, kernel, "bytes"), "iso_bytes": Row(image, image, image, "bytes"),
            "kernel_lines": Row(lines, lines, lines, "lines")}


def measure() -> dict[str, Row]:
    """All rows, each measured twice."""
    rows = twice(bench_once(), bench_once())
    boot = twice({"boot_to_prompt": boot_to_prompt()}, {"boot_to_prompt": boot_to_prompt()})
    return {**rows, **boot, **sizes(), **worst_rows()}


def worst_rows() -> dict[str, Row]:
    """The longest stretch with interrupts off of each way in, and of all; once, since it is compared with a bound."""
    found = {f"worst_{name}": each.instructions for name, each in sorted(worst.worst().items())}
    found["worst_irq_off"] = max(found.values())
    return {name: Row(value, value, value, BOUNDED) for name, value in found.items()}


def missed(rows: dict[str, Row]) -> list[str]:
    """Targets that are not met, as sentences."""
    wrong = [f"{name}: {rows[name].median if name in rows else 'no row'}, target {most}" for name, most in
             TARGETS.items() if name not in rows or rows[name].median > most]
    for few, many in FLAT:
        if few not in rows or many not in rows:
            wrong.append(f"{few}, {many}: no row")
        elif rows[many].median > rows[few].median * FLAT_FACTOR:
            wrong.append(f"{many}: {rows[many].median}, but {few}: {rows[few].median}: not O(1)")
    found = {name.removeprefix("worst_"): row.median for name, row in rows.items() if row.unit == BOUNDED}
    return wrong + worst.excess({name: value for name, value in found.items() if name != "irq_off"})
