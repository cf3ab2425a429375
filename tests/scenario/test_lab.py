# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios run under labgrid too, with its QEMU driver and the environment file of tests/lab."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

from lib.images import TOP, iso

SCENARIOS = ("tests/scenario/test_shell.py::test_help_names_each_command",
             "tests/scenario/test_boot.py::test_hello",
             "tests/scenario/test_shell.py::test_ping_calls_echo",
             "tests/scenario/test_power.py::test_without_acpi")


def run(environment: Path) -> str:
    alone = ("-p", "no:xdist", "-p", "no:rerunfailures")  # the second one wants the first
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", *alone, *SCENARIOS], cwd=TOP,
                          env={**os.environ, "LG_ENV": str(environment)}, capture_output=True, text=True, timeout=180)
    return done.stdout + done.stderr


def test_scenarios_pass_on_a_machine_of_labgrid() -> None:
    """Those that need a console alone pass; one that asks for a board of its own is skipped and says why."""
    iso("demo"), iso("hello")
    text = run(TOP / "tests" / "lab" / "qemu.yaml")
    assert "3 passed, 1 skipped in" in text, text
    assert "wants a machine of its own" in text


def test_it_is_labgrid_that_boots_them(tmp_path: Path) -> None:
    """With an environment that has no such machine the same scenarios fail."""
    text = (TOP / "tests" / "lab" / "qemu.yaml").read_text()
    (tmp_path / "other.yaml").write_text(text.replace("  main:\n", "  other:\n"))
    text = run(tmp_path / "other.yaml")
    assert "has no target main" in text and "passed" not in text, text
