# SPDX-License-Identifier: BSD-2-Clause
"""The tutorial of components/README.md, word for word: each command as it stands there, in a copy of the tree."""
from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lib.images import TOP
from scenario.test_readme import copy_of_the_tree, run_on_a_terminal

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def commands() -> list[str]:
    """The tutorial's lines without their comments."""
    (block,) = BLOCK.findall((TOP / "components" / "README.md").read_text())
    return [line.partition("  #")[0].strip() for line in block.strip().splitlines()]


def test_a_component_in_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_of_the_tree(tmp_path / "tessera")
    for name in [name for name in os.environ if name.startswith(("MAKE", "MFLAGS", "PYTEST"))] + ["O", "SYSTEM"]:
        monkeypatch.delenv(name, raising=False)
    outputs = {}
    for command in commands():
        if command.startswith("make run"):
            outputs[command] = run_on_a_terminal(command, folder)
            continue
        done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        outputs[command] = done.stdout
    said = list(outputs.values())
    assert "next: generator/tessera new manifest hi --of apps/hi" in said[0] and "next: make run SYSTEM=hi" in said[1]
    assert "hello from hi" in outputs["make run SYSTEM=hi"] and "1 passed" in said[-1]
