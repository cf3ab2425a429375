# SPDX-License-Identifier: BSD-2-Clause
"""Runs SPIN over a model: `python3 tests/model/run.py` prints what it says and fails if it has found anything."""
from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILE = ["gcc", "-O2", "-w", "-DSAFETY", "-DVECTORSZ=2048", "-DMEMLIM=2000", "-o", "pan", "pan.c"]
DEPTH = 1_000_000
TIMEOUT_S = 300


def check(model: str, *defines: str) -> str:
    """Every state of the model has been seen, or an error was found: what the checker prints."""
    with tempfile.TemporaryDirectory(prefix="tessera-model-") as scratch:
        source = str(HERE / model)
        for command in (["spin", "-a", *(f"-D{name}" for name in defines), source], COMPILE):
            subprocess.run(command, cwd=scratch, check=True, capture_output=True, timeout=TIMEOUT_S)
        return subprocess.run(["./pan", f"-m{DEPTH}"], cwd=scratch, check=True, capture_output=True, text=True,
                              timeout=TIMEOUT_S).stdout


def errors(said: str) -> int:
    """The number of errors; an incomplete search is one."""
    found = re.search(r"errors: (\d+)", said)
    assert found, said
    return int(found[1]) + ("max search depth too small" in said) + ("Search not completed" in said and found[1] == "0")


def main() -> int:
    said = check("handover.pml")
    print(said)
    return 1 if errors(said) else 0


if __name__ == "__main__":
    sys.exit(main())
