# SPDX-License-Identifier: BSD-2-Clause
"""What the lint tests share: the tree's files, code without comments, functions with their lengths."""
from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
KERNEL_CODE = (".c", ".h", ".S", ".def")


@functools.cache
def all_files() -> tuple[str, ...]:
    """Paths from the top of everything that is or would be committed, sorted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(sorted({name for name in names if name and (TOP / name).is_file()}))


def files(*endings: str, under: str = "") -> list[str]:
    """Those of all_files() below `under` that end in one of `endings`."""
    return [name for name in all_files() if name.startswith(under) and name.endswith(endings or "")]


@functools.cache
def text(name: str) -> str:
    """Contents of a file of the tree."""
    return (TOP / name).read_text(encoding="utf-8")


def _blank(match: re.Match[str], keep_strings: bool) -> str:
    if match[0][0] in "\"'":
        return match[0] if keep_strings else '""'
    return "\n" * match[0].count("\n") or " "


def without_comments(source: str, keep_strings: bool = True) -> str:
    """C source with each comment replaced by its line ends (strings too by empty ones, if asked)."""
    return COMMENT_OR_STRING.sub(lambda match: _blank(match, keep_strings), source)


def code_lines(source: str) -> int:
    """Lines of C that are neither blank nor comment."""
    return sum(1 for line in without_comments(source).split("\n") if line.strip())


@dataclass(frozen=True)
class Function:
    """A function's place and body; `line` is that of its name, from 1."""

    file: str
    line: int
    name: str
    length: int
    body: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}: {self.length} lines"


def c_functions(name: str, source: str) -> Iterator[Function]:
    """Functions of a C file in the project's layout: `{` and `}` of a body stand alone in column 0."""
    lines = source.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = start - 1
            while head > 0 and (lines[head].startswith(("\t", " ")) or not lines[head].strip()):
                head -= 1
            title = re.search(r"(\w+)\(", lines[head])
            yield Function(name, head + 1, title[1] if title else "?", number - head + 1,
                           "\n".join(lines[start:number]))
            start = None


def python_functions(name: str, source: str) -> Iterator[Function]:
    """Functions and methods of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            end = node.end_lineno or node.lineno
            yield Function(name, node.lineno, node.name, end - node.lineno + 1, "")
