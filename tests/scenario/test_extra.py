# SPDX-License-Identifier: BSD-2-Clause
"""A product outside the tree: manifests/example, copied elsewhere, is built, boots and runs its own scenarios."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lib.images import TOP

EXAMPLE = TOP / "manifests" / "example"


def run(folder: Path, extra: Path, *command: str) -> str:
    """A command at the top of the tree with the extra tree; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST"))}
    environment = {**kept, "O": str(folder), "TESSERA_EXTRA": str(extra)}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_elsewhere(tmp_path: Path) -> None:
    extra = tmp_path / "my" / "product"
    shutil.copytree(EXAMPLE, extra)
    out = tmp_path / "out"
    printed = run(out, extra, "/usr/bin/python3", "-m", "pytest", "-q", "--rootdir", ".", "-c", ".pytest.ini",
                  str(extra / "tests"))
    assert "1 passed" in printed
    first = (out / "greeting" / "greeting.iso").read_bytes()
    assert "Nothing to be done" in run(out, extra, "make", "image", "SYSTEM=greeting")
    checked = run(out, extra, "generator/tessera", "check", "greeting", "--build-dir", str(out))
    assert "holds: isolated: [morning, evening], trusting power, reincarnation" in checked
    # A fragment that changes makes the image again; so does the manifest, and another folder makes the same bytes.
    assert "IMAGE" in run(out, extra, "make", "image", "SYSTEM=greeting", "-W", "manifests/demo.yaml")
    moved = tmp_path / "elsewhere"
    shutil.move(extra, moved)
    run(tmp_path / "second", moved, "make", "-j2", "image", "SYSTEM=greeting")
    assert (tmp_path / "second" / "greeting" / "greeting.iso").read_bytes() == first
