# SPDX-License-Identifier: BSD-2-Clause
"""kernel/README.md's table of objects, rights and operations is the one that the ABI's tables give.

Run as a program it prints the table: `/usr/bin/python3 tests/lint/test_operations.py`.
"""
from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ABI = TOP / "kernel/include/abi"
OBJECT = re.compile(r"^OBJECT\(\d+, (\w+), \w+, ([^,]+),", re.M)
CALL = re.compile(r"^SYSCALL\(\w+, (\w+), (\w+), (\w+), (\w+),", re.M)


def table() -> list[str]:
    """Markdown: a row for each type that argument 1 of a system call can have."""
    calls: dict[str, dict[str, list[str]]] = {}
    for owner, kind, verb, right in CALL.findall((ABI / "syscalls.def").read_text()):
        calls.setdefault(kind, {}).setdefault(right, []).append(f"{owner}_{verb}")
    lines = ["| argument 1 | rights it may carry | right: system calls |", "|---|---|---|"]
    rights = {name: " ".join(re.findall(r"TSS_RIGHT_(\w+)", mask)) or "-"
              for name, mask in OBJECT.findall((ABI / "objects.def").read_text())}
    names = {"NONE": "no capability", "ANY": "any capability"}
    for kind in ("NONE", "ANY", *(name for name in rights if name != "NONE")):
        what = "; ".join(f"{'none' if right == 'NONE' else right}: {' '.join(sorted(found))}"
                         for right, found in sorted(calls.get(kind, {}).items()))
        lines.append(f"| {names.get(kind, kind.lower())} | {rights.get(kind, '-') if kind not in names else '-'} "
                     f"| {what or 'none; it is an argument of others'} |")
    return lines


def test_the_table_of_the_kernel_is_the_one_of_the_abi() -> None:
    assert "\n".join(table()) + "\n" in (TOP / "kernel/README.md").read_text(), "\n".join(table())


if __name__ == "__main__":
    print("\n".join(table()))
