# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-hardening`: what each switch of the profiles costs, in guest instructions; KEEP=1 keeps the figures.

One kernel with every switch off, then one for each switch with that one on alone; all boot the same bundle, that of the
bench, under the primary clock. So what components pay for a stack protector of their own is not in here.
"""
from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich import box  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench.figures import tools  # noqa: E402
from bench.measure import BENCH_TIMEOUT_S, ROW  # noqa: E402
from lib.hardening import SWITCHES, kernel, machine  # noqa: E402
from lib.vm import PRIMARY_CLOCK, PRIMARY_CPU, VM, output_folder  # noqa: E402

KEPT = Path(__file__).with_name("hardening.json")
OFF = "open"
Rows = dict[str, int]


def measure(elf: Path) -> Rows:
    """The medians of the bench's rows on that kernel."""
    started = machine(elf, "bench", PRIMARY_CPU)
    with VM(replace(started, extra=(*started.extra, *PRIMARY_CLOCK, "-serial", "null"))) as vm:
        vm.expect(r"bench done\n", BENCH_TIMEOUT_S)
        return {m[1]: int(m[3]) for m in ROW.finditer(vm.console)}


def measure_switch(switch: str) -> Rows:
    """Of the kernel with that switch alone, or with none."""
    return measure(kernel(OFF) if switch == OFF else kernel(switch.lower(), switch))


def prices(rows: dict[str, Rows]) -> dict[str, dict[str, tuple[int, int]]]:
    """Switch -> row -> without and with, of the rows that differ."""
    return {switch: {name: (rows[OFF][name], value) for name, value in rows[switch].items()
                     if value != rows[OFF][name]} for switch in rows if switch != OFF}


def text(found: dict[str, dict[str, tuple[int, int]]]) -> str:
    """The file: a row a line."""
    def entry(switch: str) -> str:
        rows = [f"\n    {json.dumps(row)}: {json.dumps(pair)}" for row, pair in sorted(found[switch].items())]
        return f"  {json.dumps(switch)}: {{{','.join(rows)}\n  }}"

    lines = [entry(switch) for switch in sorted(found)]
    return f'{{"tools": {json.dumps(tools())}, "prices": {{\n' + ",\n".join(lines) + "\n}}\n"


def table(found: dict[str, dict[str, tuple[int, int]]]) -> Table:
    """For people: a row of the bench a line, a switch a column; only what differs."""
    result = Table(box=box.SIMPLE, title="price list of switches: instructions with that one alone")
    result.add_column("row", no_wrap=True)
    costly = [switch for switch, rows in found.items() if rows]
    for title in ("none", *costly):
        result.add_column(title, justify="right", no_wrap=True)
    for row in sorted({row for rows in found.values() for row in rows}):
        without = next(rows[row][0] for rows in found.values() if row in rows)
        result.add_row(row, f"{without:,}", *(f"{found[s][row][1]:,}" if row in found[s] else "" for s in costly))
    free = ", ".join(sorted(set(found) - set(costly)))
    result.caption = f"nothing that the bench sees: {free}" if free else None
    return result


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.name} beside this file")
    arguments = parser.parse_args()
    found = prices({switch: measure_switch(switch) for switch in (OFF, *SWITCHES)})
    Console(width=160).print(table(found))
    path = KEPT if arguments.keep else output_folder() / "hardening.json"
    path.write_text(text(found))
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
