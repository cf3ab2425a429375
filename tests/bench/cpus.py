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
from dataclasses import dataclass, replace

from lib.images import iso
from lib.vm import VM, Machine, primary_clock

ROW = re.compile(r"^row (\w+) one (\d+) all (\d+) cpus (\d+)$", re.M)
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
    for line in (wrong := missed(rows, cpus, cores)):
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
