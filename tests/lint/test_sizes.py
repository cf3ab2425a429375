# SPDX-License-Identifier: BSD-2-Clause
"""Sizes: files to 500 lines, functions to 50, the kernel under 10,000 lines of code."""
from __future__ import annotations

import sys

from lint.tree import KERNEL_CODE, c_functions, code_lines, files, python_functions, text

FILE_LINES = 500
FUNCTION_LINES = 50
KERNEL_LINES = 10_000


def kernel_lines() -> dict[str, tuple[int, int]]:
    """Folder of the kernel -> lines of code, all lines."""
    sums: dict[str, tuple[int, int]] = {}
    for name in files(*KERNEL_CODE, under="kernel/"):
        parts = name.split("/")
        folder = "include/abi" if name.startswith("kernel/include/abi/") else parts[1]
        code, lines = sums.get(folder, (0, 0))
        sums[folder] = code + code_lines(text(name)), lines + text(name).count("\n")
    return sums


def test_files() -> None:
    long = {name: text(name).count("\n") for name in files(".c", ".h", ".S", ".def", ".py", "generator/tessera")}
    assert not {name: count for name, count in long.items() if count > FILE_LINES}


def test_functions_in_c() -> None:
    found = [f for name in files(".c", ".h") for f in c_functions(name, text(name))]
    assert not [str(f) for f in found if f.length > FUNCTION_LINES]


def test_functions_in_python() -> None:
    found = [f for name in files(".py") for f in python_functions(name, text(name))]
    assert not [str(f) for f in found if f.length > FUNCTION_LINES]


def test_kernel() -> None:
    sums = kernel_lines()
    rows = [f"  kernel/{folder:<12} {code:6} code {lines:6} lines" for folder, (code, lines) in sorted(sums.items())]
    total = sum(code for code, _ in sums.values())
    print("\n".join(["", *rows, f"  kernel       {total:13} code (bound: under {KERNEL_LINES})"]), file=sys.stderr)
    assert total < KERNEL_LINES


def test_the_measures_themselves() -> None:
    source = "/* a\n * b */\nint f(void)\n{\n\t// c\n\treturn \"/*\"[0]; /* d */\n}\n\nint x;\n"
    assert code_lines(source) == 5
    (found,) = c_functions("f.c", source)
    assert (found.name, found.line, found.length) == ("f", 3, 5)
    (python,) = python_functions("f.py", "def f():\n    a = 1\n    return a\n")
    assert python.length == 3
