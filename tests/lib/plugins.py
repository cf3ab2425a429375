# SPDX-License-Identifier: BSD-2-Clause
"""Plugins for QEMU's TCG, compiled when they are asked for."""
from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path


def output_folder() -> Path:
    """Where the build's outputs are: the environment's O, else build, from the top of the tree."""
    return Path(__file__).resolve().parents[2] / os.environ.get("O", "build")


def built(name: str) -> Path:
    """The plugin of NAME.c; built when it is older than its source."""
    source = Path(__file__).with_name(f"{name}.c")
    target = output_folder() / "tests" / f"lib{name}.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=target.parent)
        os.close(handle)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-o", fresh, str(source)], check=True)
        os.replace(fresh, target)
    return target
