# SPDX-License-Identifier: BSD-2-Clause
"""`make bench`: measures, prints a table, writes bench.json. Status 1 if runs differ or a target is missed."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich import box  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bench.figures import Figures, not_kept, text, tools  # noqa: E402
from bench.measure import BOUNDED, Row, Unsteady, measure, missed  # noqa: E402


def table(rows: dict[str, Row]) -> Table:
    """The rows for people."""
    result = Table(box=box.SIMPLE)
    result.add_column("row")
    for title in ("min", "median", "max"):
        result.add_column(title, justify="right")
    result.add_column("unit")
    for name, row in rows.items():
        if row.unit != BOUNDED:
            result.add_row(name, f"{row.least:,}", f"{row.median:,}", f"{row.most:,}", row.unit)
    return result


def price_list(rows: dict[str, Row]) -> Table:
    """What a round trip to another unit costs: mode by size of the message."""
    result = Table(box=box.SIMPLE, title="price list of security modes: instructions a round trip")
    for title in ("mode", "register", "64", "256"):
        result.add_column(title, justify="right" if title != "mode" else "left")
    for mode, suffix in (("FAST", ""), ("HARDENED", "_hardened"), ("PARANOID", "_paranoid")):
        medians = [rows[f"ipc_rt_{size}_cross{suffix}"].median for size in ("register", "64", "256")]
        result.add_row(mode, *(f"{median:,}" for median in medians))
    return result


def main() -> int:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build"), help="folder for bench.json (default: build)")
    arguments = parser.parse_args()
    try:
        rows = measure()
    except Unsteady as differences:
        print(f"bench: two runs differ: {differences}", file=sys.stderr)
        return 1
    Console(width=100).print(table(rows))
    Console(width=100).print(price_list(rows))
    longest = {name: row.median for name, row in rows.items() if row.unit == BOUNDED}
    print("\n".join(f"{name:<32} {value:>12,}" for name, value in sorted(longest.items(), key=lambda row: -row[1])))
    measured = Figures(tools(), rows, {})
    (arguments.out / "bench.json").write_text(text(measured))
    print(f"written: {arguments.out / 'bench.json'}")
    for sentence in not_kept(measured):
        print(f"bench: not as kept: {sentence}", file=sys.stderr)
    wrong = missed(rows)
    for sentence in wrong:
        print(f"bench: target missed: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
