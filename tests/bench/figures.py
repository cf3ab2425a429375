# SPDX-License-Identifier: BSD-2-Clause
"""Figures as files: bench.json of a run, figures.json kept in the repository, and the comparison of the two.

A run counts guest instructions and bytes, so with the same tools it gives the same figures on every machine, and a kept
figure holds exactly: what got longer fails, and so does what got shorter, until the kept figure is changed too, with a
word why. Other tools (a row of `tools` differs) make other code: then each row may be RANGE off and no more.
"""
from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import BOUNDED, Row

KEPT = Path(__file__).with_name("figures.json")
RANGE = 0.15
EXACT_UNITS = ("lines",)  # no tool has a part in these
TOOLS = {"compiler": (os.environ.get("CC", "gcc"), "--version"), "linker": ("ld", "--version"),
         "emulator": ("qemu-system-x86_64", "--version"), "loader": ("grub-mkrescue", "--version"),
         "image": ("xorriso", "-version")}


@dataclass(frozen=True)
class Figures:
    """Rows with the tools that made them; `why` has, for kept rows, the reason of the last change."""

    tools: dict[str, str]
    rows: dict[str, Row]
    why: dict[str, str]


def tools() -> dict[str, str]:
    """The first line with which each tool that has a part in the figures tells its version."""
    found = {}
    for name, command in TOOLS.items():
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        found[name] = next(line.strip() for line in (said.stdout + said.stderr).splitlines() if line.strip())
    return found


def read(path: Path) -> Figures:
    """A file of either kind."""
    document: dict[str, Any] = json.loads(path.read_text())
    rows = {name: Row(row["min"], row["median"], row["max"], row["unit"]) for name, row in document["rows"].items()}
    why = {name: row["why"] for name, row in document["rows"].items() if "why" in row}
    return Figures(document.get("tools", {}), rows, why)


def text(figures: Figures) -> str:
    """The file: sorted, a row a line, so that a change of one figure is a change of one line."""
    def entry(name: str) -> str:
        row = figures.rows[name]
        fields: dict[str, Any] = {"min": row.least, "median": row.median, "max": row.most, "unit": row.unit}
        if name in figures.why:
            fields["why"] = figures.why[name]
        return f"    {json.dumps(name)}: {json.dumps(fields)}"

    rows = ",\n".join(entry(name) for name in sorted(figures.rows))
    versions = ",\n".join(f"    {json.dumps(name)}: {json.dumps(version)}"
                          for name, version in sorted(figures.tools.items()))
    return f'{{\n  "tools": {{\n{versions}\n  }},\n  "rows": {{\n{rows}\n  }}\n}}\n'


def _row_difference(name: str, old: Row, new: Row, exact: bool) -> str:
    """How a row differs from its kept figure by more than it may; "" if it does not. Bounds are measure.missed()'s."""
    if old.unit == new.unit == BOUNDED:
        return ""
    if exact or old.unit in EXACT_UNITS:
        if old == new:
            return ""
        word = ("longer" if new.median > old.median else "shorter" if new.median < old.median else "another spread")
        return (f"{name}: {new.least}/{new.median}/{new.most} {new.unit}, kept is "
                f"{old.least}/{old.median}/{old.most}: {word}")
    if old.unit == new.unit and abs(new.median - old.median) <= RANGE * old.median:
        return ""
    return f"{name}: {new.median} {new.unit}, kept is {old.median}: off by more than {RANGE:.0%} even for other tools"


def differences(kept: Figures, measured: Figures) -> list[str]:
    """What is not as kept, as sentences; none: all is well."""
    exact = kept.tools == measured.tools
    wrong = [f"{name}: measured, but not kept" for name in measured.rows.keys() - kept.rows.keys()]
    wrong += [f"{name}: kept, but not measured" for name in kept.rows.keys() - measured.rows.keys()]
    for name in kept.rows.keys() & measured.rows.keys():
        wrong.append(_row_difference(name, kept.rows[name], measured.rows[name], exact))
    return sorted(sentence for sentence in wrong if sentence)


def not_kept(measured: Figures) -> list[str]:
    """How a run differs from the figures in the repository."""
    return differences(read(KEPT), measured) if KEPT.exists() else ["no figures are kept"]


def keep(kept: Figures, measured: Figures, why: str) -> Figures:
    """What is kept from now on: the measured rows; those that changed get the new reason."""
    reasons = {name: kept.why[name] if kept.rows.get(name) == row and name in kept.why else why
               for name, row in measured.rows.items()}
    return Figures(measured.tools, measured.rows, reasons)


def comparison(old: Figures, new: Figures) -> str:
    """Medians side by side with their ratio, new to old: below 1 is shorter."""
    lines = [f"{'row':<32} {'old':>14} {'new':>14} {'new/old':>8}  unit"]
    for name in sorted(old.rows.keys() | new.rows.keys()):
        one, other = old.rows.get(name), new.rows.get(name)
        ratio = f"{other.median / one.median:.3f}" if one and other and one.median else "-"
        shown = [f"{row.median:,}" if row else "-" for row in (one, other)]
        unit = (other or one or Row(0, 0, 0)).unit
        lines.append(f"{name:<32} {shown[0]:>14} {shown[1]:>14} {ratio:>8}  {unit}")
    changed = [f"{name}: {old.tools.get(name, '?')} then {new.tools.get(name, '?')}"
               for name in sorted(old.tools.keys() | new.tools.keys()) if old.tools.get(name) != new.tools.get(name)]
    return "\n".join(lines + [f"other tools: {line}" for line in changed])
