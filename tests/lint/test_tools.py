# SPDX-License-Identifier: BSD-2-Clause
"""Other people's checkers: each must have nothing to say."""
from __future__ import annotations

import os
import subprocess

from lint.tree import TOP, files

OUTPUT = os.environ.get("O", "build")
KERNEL_INCLUDES = ["-Ikernel/include", "-Ikernel/arch/x86_64/include"]


def run(*command: str) -> None:
    """Runs a checker at the top of the tree; its output is the message when it fails."""
    result = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert result.returncode == 0, f"{' '.join(command[:6])} ...\n{result.stdout}{result.stderr}"


def test_clang_format() -> None:
    # The ABI's tables of columns are laid out by hand.
    names = [name for name in files(".c", ".h") if not name.startswith("kernel/include/")]
    run("clang-format", "--dry-run", "-Werror", *names)


def test_clang_tidy() -> None:
    config = TOP / OUTPUT / "include" / "config.h"
    if not config.exists():
        subprocess.run(["make", "-s", f"{OUTPUT}/include/config.h"], cwd=TOP, check=True)
    run("clang-tidy", "--quiet", *files(".c", under="kernel/"), "--", "-std=gnu2x", "-ffreestanding",
        "-mgeneral-regs-only", *KERNEL_INCLUDES, "-include", str(config))


def test_cppcheck() -> None:
    quiet = [f"--suppress={what}" for what in ("missingIncludeSystem", "comparePointers", "uninitvar", "constStatement",
                                               "unmatchedSuppression")]
    run("cppcheck", "--quiet", "--std=c11", "--enable=warning,portability", "--inline-suppr", "--error-exitcode=1",
        "-j2", *quiet, *KERNEL_INCLUDES, "-Icomponents/lib/include", *files(".c", under="kernel/"),
        *files(".c", under="components/"))


def test_flake8() -> None:
    run("flake8", *files(".py"))


def test_mypy_generator() -> None:
    run("mypy", "--strict", *files(".py", under="generator/"))


def test_mypy_tests() -> None:
    names = [name for name in files(".py", under="tests/") if not name.startswith("tests/generator/")]
    run("env", "MYPYPATH=tests", "mypy", "--strict", "--explicit-package-bases", *names)


def test_shellcheck() -> None:
    names = [name for name in files(".sh") + [".ci/run"] if (TOP / name).exists()]
    run("shellcheck", *names)
