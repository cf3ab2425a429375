# SPDX-License-Identifier: BSD-2-Clause
"""README.md's tour, done in a copy of the tree: each file it shows is written, each command run, each output seen."""
from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.images import TOP
from lib.vm import die_with_parent
from lint.tree import all_files

BLOCK = re.compile(r"(?:^`([\w./-]+)`\n\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
PROMPT = b"tessera> "
RUN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Block:
    """A fenced block of the README; `path` if it is a file's contents."""

    path: str
    language: str
    text: str


def blocks() -> list[Block]:
    """All fenced blocks, in order."""
    return [Block(m[1] or "", m[2], m[3]) for m in BLOCK.finditer((TOP / "README.md").read_text())]


def run_on_a_terminal(command: str, folder: Path) -> str:
    """Runs a command that boots a system on a terminal; once its prompt is there, types Ctrl-A X."""
    master, slave = pty.openpty()
    child = subprocess.Popen(command.split(), cwd=folder, stdin=slave, stdout=slave, stderr=slave,
                             preexec_fn=die_with_parent)
    os.close(slave)
    output, end, asked = b"", time.monotonic() + RUN_TIMEOUT_S, False
    while child.poll() is None and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                output += os.read(master, 65536)
            except OSError:
                break
        if PROMPT in output and not asked:
            asked = True
            os.write(master, b"\x01x")
    child.kill()
    child.wait()
    os.close(master)
    return output.decode("utf-8", "replace").replace("\r", "")


def run(command: str, folder: Path) -> str:
    """Runs one line of the README; what it printed."""
    if command == "make test":  # this is it; a test cannot contain itself
        subprocess.run(["make", "-n", "test"], cwd=folder, check=True, capture_output=True)
        return ""
    if command.startswith("make run"):
        return run_on_a_terminal(command, folder)
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=RUN_TIMEOUT_S)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def copy_of_the_tree(target: Path) -> Path:
    """What a clone would have: everything but outputs, as a repository of its own."""
    for name in all_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, target / name)
    return target


def test_the_tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copy_of_the_tree(tmp_path / "tessera")
    for name in ("O", "SYSTEM", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)
    output = ""
    commands = 0
    for block in blocks():
        if block.path:
            (folder / block.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.path).write_text(block.text)
        elif block.language == "sh":
            output = ""
            for command in block.text.strip().splitlines():
                output += run(command, folder)
                commands += 1
        elif block.language == "text":
            for line in block.text.rstrip("\n").splitlines():
                assert line.split("> ")[0] in output, f"{line!r} is not in:\n{output}"
    assert commands >= 7
