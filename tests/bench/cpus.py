# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-smp`: how the work of apps/bench_cpus grows with the CPUs, beside two independent loops in the same run.

Plain time on the host's clock, so the figures depend on the host; only the ratio to that of the loops says something of
the kernel. It is asserted where the host has more cores than the guest has CPUs, and printed everywhere.
"""
from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from lib import plugins
from lib.images import iso
from lib.symbols import KERNEL_BASE, Symbols, load
from lib.vm import VM, Machine, primary_clock

LINE = re.compile(r"^line (0x[0-9a-f]+)((?: \d+:\d+:0x[0-9a-f]+)+)$", re.M)
WRITER = re.compile(r"(\d+):(\d+):(0x[0-9a-f]+)")
ROW = re.compile(r"^row (\w+) one (\d+) all (\d+) cpus (\d+)$", re.M)
BUSY = 10000  # stores of a CPU that worked while a phase lasted
PAIRS_AT_LEAST = 0.95  # of what the loops do
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Row:
    """How often something was done in a slice: by one CPU, by all together."""

    one: int
    all: int

    @property
    def ratio(self) -> float:
        return self.all / self.one


def measure(cpus: int, counted: bool = False) -> dict[str, Row]:
    """`counted`: the clock counts instructions and the CPUs take turns, so that loops have a ratio of 1."""
    machine = replace(primary_clock(iso("bench_cpus")) if counted else Machine(iso=iso("bench_cpus")), cpus=cpus)
    with VM(machine) as vm:
        vm.expect(r"\ndone\n", timeout=TIMEOUT_S)
        return {m[1]: Row(int(m[2]), int(m[3])) for m in ROW.finditer(vm.console) if int(m[4]) == cpus}


@dataclass(frozen=True)
class Line:
    """A cache line that several CPUs wrote: its physical address; CPU -> how often, and who was the first to."""

    address: int
    writers: dict[int, tuple[int, str]]

    def __str__(self) -> str:
        who = "; ".join(f"CPU {cpu} {count} times, first in {name}" for cpu, (count, name) in self.writers.items())
        return f"line {self.address:#x}: {who}"


def read_lines(text: str, phases: list[str], cpus: int, known: Symbols) -> dict[str, list[Line]]:
    """Name of the phase -> lines that several CPUs wrote in it, from the plugin's file.

    Of all rounds in which as many CPUs worked as the name says, the one with fewest: what a path writes it writes in
    each, but a CPU may have begun late, or a slice may have ended. Errors: ValueError, if there was no such round, or
    the plugin's table was full.
    """
    found: dict[str, list[Line]] = {}
    for number, part in enumerate(re.split(r"^phase ", text, flags=re.M)[1:]):
        head, name = part.partition("\n")[0], phases[number % len(phases)]
        if " full" in head:
            raise ValueError(f"phase {number} wrote more lines than there is room for")
        busy = sum(int(stores) >= BUSY for stores in head.partition(" stores ")[2].split())
        if busy < (cpus if name.endswith(" all") else 1):
            continue
        lines = [Line(int(m[1], 16), {int(w[1]): (int(w[2]), named(int(w[3], 16), known))
                                      for w in WRITER.finditer(m[2])})
                 for m in LINE.finditer(part)]
        found[name] = min(found.get(name, lines), lines, key=len)
    if set(found) != set(phases):
        raise ValueError(f"in no round all CPUs worked: {', '.join(sorted(set(phases) - set(found)))}")
    return found


def named(address: int, known: Symbols) -> str:
    return known.name(address) if address >= KERNEL_BASE else f"unit+{address:#x}"


def shared_lines(cpus: int) -> dict[str, list[Line]]:
    """Row and `one` or `all` -> the cache lines that more than one CPU wrote while it was measured.

    The CPUs are threads of the host, so they run side by side; how fast does not matter.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines"
        plugin = ("-plugin", f"{plugins.built('lines')},out={file}")
        with VM(replace(Machine(iso=iso("bench_cpus")), cpus=cpus, extra=plugin)) as vm:
            vm.expect(r"\ndone\n", timeout=TIMEOUT_S)
            rows = [m[1] for m in ROW.finditer(vm.console)]
        phases = [f"{row} {used}" for row in rows for used in ("one", "all")]
        return read_lines(file.read_text(), phases, cpus, load(plugins.output_folder() / "kernel" / "kernel.sym"))


def missed(rows: dict[str, Row], cpus: int, cores: int) -> list[str]:
    """What the kernel should have done better; nothing where the host cannot tell."""
    share = rows["pairs"].ratio / rows["spin"].ratio
    if cores <= cpus or share >= PAIRS_AT_LEAST:
        return []
    return [f"pairs: {share:.3f} of what independent loops gain, target {PAIRS_AT_LEAST}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpus", type=int, default=2)
    cpus, cores = parser.parse_args().cpus, os.cpu_count() or 1
    rows = measure(cpus)
    print(f"{'row':15} {'1 CPU':>10} {f'{cpus} CPUs':>10} {'ratio':>6} {'of spin':>8}")
    for name, row in rows.items():
        print(f"{name:15} {row.one:>10} {row.all:>10} {row.ratio:6.2f} {row.ratio / rows['spin'].ratio:8.3f}")
    if cores <= cpus:
        print(f"the host has {cores} cores for {cpus} CPUs and itself: the ratios say little, and nothing is asserted")
    print("cache lines that more than one CPU wrote, in the round with fewest:")
    for phase, lines in shared_lines(cpus).items():
        print("\n".join([f"{phase}: {len(lines)}", *(f"  {line}" for line in lines)]))
    for line in (wrong := missed(rows, cpus, cores)):
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
