# SPDX-License-Identifier: BSD-2-Clause
"""Host unit tests in C: each tests/unit/**/test_*.c is compiled with the sources it names and run under ASan/UBSan.

Comments at the head of the file (`//` or inside a block comment):
    sources: kernel/mm/frame.c kernel/mm/bitmap.c     compiled along, from the top of the tree
    flags: -DSOMETHING -Isome/folder                  added to the compiler's command line
The program's exit status is the verdict; TAP lines (`ok 1 name`, `not ok 2 name`, `# where: what`) say more.
"""
from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FLAGS = ["-std=gnu2x", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
         "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-DTSS_HOST_TEST=1",
         "-Itests/unit/include", "-Ikernel/include", "-Icomponents/lib/include"]
TIMEOUT_S = 60
HEADER_LINES = 12


def header(source: Path, key: str) -> list[str]:
    """The words behind `key:` near the top of the file."""
    for line in source.read_text().splitlines()[:HEADER_LINES]:
        match = re.match(rf"\s*(?://|/?\*)?\s*{key}:(.*)", line)
        if match:
            return match[1].removesuffix("*/").split()
    return []


class CProgram(pytest.Item):
    """One test_*.c: built and run as one test."""

    def runtest(self) -> None:
        output = Path(os.environ.get("O", "build")) / "unit" / self.path.relative_to(TOP).with_suffix("")
        (TOP / output).parent.mkdir(parents=True, exist_ok=True)
        config = Path(os.environ.get("O", "build")) / "include" / "config.h"
        subprocess.run(["make", "-s", str(config)], cwd=TOP, check=False, capture_output=True)
        known = ["-include", str(config)] if (TOP / config).exists() else []
        command = ["gcc", *FLAGS, *known, f"-I{self.path.parent}", *header(self.path, "flags"), str(self.path),
                   *header(self.path, "sources"), "-o", str(output)]
        built = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
        if built.returncode:
            raise CFailure(f"{' '.join(command)}\n{built.stderr}")
        ran = subprocess.run([TOP / output], cwd=TOP, capture_output=True, text=True, timeout=TIMEOUT_S)
        if ran.returncode:
            raise CFailure(f"exit status {ran.returncode}\n{ran.stdout}{ran.stderr}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class CFailure(Exception):
    """The program could not be built, or said no."""


class CFile(pytest.File):
    """A C file as a collection of one test."""

    def collect(self) -> list[pytest.Item]:
        return [CProgram.from_parent(self, name=self.path.stem)]


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> CFile | None:
    if file_path.suffix == ".c" and file_path.name.startswith("test_"):
        collected: CFile = CFile.from_parent(parent, path=file_path)
        return collected
    return None
