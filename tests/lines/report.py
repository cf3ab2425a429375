# SPDX-License-Identifier: BSD-2-Clause
"""`make coverage`: which lines of the kernel ran, from what lib/cover.py has recorded; by folder and file, with a gate.

A line counts if it has code of its own in kernel.elf (DWARF's line table: inlined and merged code is where the compiler
says it came from); it is covered if an instruction of it was executed in any recorded machine.
"""
from __future__ import annotations

import argparse
import sys
from array import array
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import cover  # noqa: E402

GATE_PERCENT = 80.0
Line = tuple[str, int]  # file from the top of the tree, number


@dataclass(frozen=True)
class Code:
    """Where each statement's code begins, from the first byte of the kernel's code, and each function's extent."""

    statements: tuple[tuple[int, Line], ...]
    functions: tuple[tuple[str, int, int], ...]  # name, offset, bytes


def _file_names(program: Any) -> list[str]:
    """Names by the numbers that the program's rows use, relative to the top of the tree."""
    header = program.header
    folders = [folder.decode() if isinstance(folder, bytes) else folder for folder in header["include_directory"]] \
        if header["version"] < 5 else [entry.DW_LNCT_path.decode() for entry in header["directories"]]
    if header["version"] >= 5:
        pairs = [(entry.DW_LNCT_path.decode(), entry.DW_LNCT_directory_index) for entry in header["file_names"]]
        names = [f"{folders[at]}/{name}" if at else name for name, at in pairs]
    else:
        pairs = [(entry.name.decode(), entry.dir_index) for entry in header["file_entry"]]
        names = [""] + [f"{folders[at - 1]}/{name}" if at else name for name, at in pairs]
    return [name.removeprefix("./") for name in names]


def read_code(path: Path) -> Code:
    """The line table and the functions of a kernel.elf."""
    base = cover.kernel(path).base
    statements: set[tuple[int, Line]] = set()
    with path.open("rb") as file:
        elf = ELFFile(file)
        dwarf = elf.get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            names = _file_names(program)
            for entry in program.get_entries():
                row = entry.state
                if row is not None and not row.end_sequence and row.is_stmt and row.line:
                    statements.add((row.address - base, (names[row.file], row.line)))
        symbols = elf.get_section_by_name(".symtab").iter_symbols()
        functions = tuple((symbol.name, symbol["st_value"] - base, symbol["st_size"]) for symbol in symbols
                          if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"])
    return Code(tuple(sorted(s for s in statements if s[1][0].startswith("kernel/"))), functions)


def read_counts(folder: Path, size: int) -> array[int]:
    """The sum of all records of a kernel with `size` bytes of code."""
    total = array("Q", bytes(size * 8))
    for record in sorted(folder.glob("*")) if folder.is_dir() else []:
        counts = array("Q", record.read_bytes())
        for at, count in enumerate(counts[:size]):
            if count:
                total[at] += count
    return total


def lines_of(code: Code, counts: array[int]) -> dict[Line, bool]:
    """Each line with code -> whether it ran."""
    found: dict[Line, bool] = {}
    for offset, line in code.statements:
        ran = 0 <= offset < len(counts) and counts[offset] > 0
        found[line] = found.get(line, False) or ran
    return found


def idle_functions(code: Code, counts: array[int]) -> list[str]:
    """FILE: FUNCTION (BYTES) of those of which no instruction ran."""
    files = {offset: line[0] for offset, line in reversed(code.statements)}
    return sorted(f"{files[at]}: {name} ({size} bytes)" for name, at, size in code.functions
                  if at in files and not any(counts[at:at + size]))


def percent(covered: int, lines: int) -> float:
    """Of no lines, all ran."""
    return 100.0 * covered / lines if lines else 100.0


def table(found: dict[Line, bool]) -> list[str]:
    """A row a folder and file: covered lines, lines, percent."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (name, _), ran in found.items():
        for key in (name, str(Path(name).parent) + "/", "kernel/ in all"):
            sums[key][0] += ran
            sums[key][1] += 1
    rows = sorted(key for key in sums if key != "kernel/ in all") + ["kernel/ in all"]
    return [f"{'' if key.endswith('/') or ' ' in key else '  '}{key:<42} {sums[key][0]:5} of {sums[key][1]:5} lines "
            f"{percent(*sums[key]):6.1f} %" for key in rows]


def main(arguments: list[str]) -> int:
    """Prints the table; 1 below the gate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", type=Path, default=Path("build/kernel/kernel.elf"))
    parser.add_argument("--records", type=Path, default=Path("build/coverage"))
    parser.add_argument("--gate", type=float, default=GATE_PERCENT)
    parser.add_argument("--missing", action="store_true", help="print each line that did not run")
    options = parser.parse_args(arguments)
    kernel = cover.kernel(options.kernel)
    code = read_code(options.kernel)
    counts = read_counts(options.records / kernel.key, kernel.size)
    found = lines_of(code, counts)
    print("\n".join(["functions of which nothing ran:", *("  " + row for row in idle_functions(code, counts)),
                     "", *table(found)]))
    if options.missing:
        print("\n".join(f"{name}:{number}" for (name, number), ran in sorted(found.items()) if not ran))
    share = percent(sum(found.values()), len(found))
    print(f"\n{share:.1f} % (gate: {options.gate:.0f} %)")
    return 0 if share >= options.gate else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
