# SPDX-License-Identifier: BSD-2-Clause
"""The build: incremental, reproducible, with another compiler, in the other profiles; what comes out boots."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lib.images import TOP
from lib.vm import PROMPT
from scenario.conftest import Boot


def make(folder: Path, *words: str) -> str:
    """Runs make with outputs in `folder`; what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "--no-print-directory", "-j2", f"O={folder}", *words], cwd=TOP, env=environment,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_incremental_and_reproducible(tmp_path: Path) -> None:
    make(tmp_path, "image", "SYSTEM=demo")
    first = (tmp_path / "demo" / "demo.iso").read_bytes()
    assert make(tmp_path, "image", "SYSTEM=demo") == "make: Nothing to be done for 'image'.\n"
    touched = make(tmp_path, "image", "SYSTEM=demo", "-W", "components/apps/echo/echo.c")
    built = [line.split() for line in touched.splitlines()]
    assert built == [["CC", "components/apps/echo/echo.c"], ["LD", "components/apps/echo/echo.elf"],
                     ["IMAGE", "demo/demo.iso"]]
    assert (tmp_path / "demo" / "demo.iso").read_bytes() == first
    elsewhere = tmp_path / "another" / "place"
    make(elsewhere, "image", "SYSTEM=demo")
    assert (elsewhere / "demo" / "demo.iso").read_bytes() == first


@pytest.mark.parametrize("profile", ["standard", "hardened"])
def test_profiles_boot(profile: str, boot: Boot, tmp_path: Path) -> None:
    make(tmp_path, f"{profile}_defconfig")
    make(tmp_path, "image", "SYSTEM=demo")
    vm = boot("demo", image_file=tmp_path / "demo" / "demo.iso")
    vm.expect(PROMPT)
    assert f"profile={profile.upper()}" in vm.command("config")


def test_clang_builds_what_boots(boot: Boot, tmp_path: Path) -> None:
    make(tmp_path, "image", "SYSTEM=demo", "CC=clang")
    vm = boot("demo", image_file=tmp_path / "demo" / "demo.iso")
    vm.expect(PROMPT)
    assert "repl" in vm.command("ping")


def test_a_system_that_does_not_exist(tmp_path: Path) -> None:
    done = subprocess.run(["make", "image", f"O={tmp_path}", "SYSTEM=dmeo"], cwd=TOP, capture_output=True, text=True)
    assert done.returncode != 0 and "demo" in done.stderr and "error TSS-" in done.stderr


def test_help_is_the_default(tmp_path: Path) -> None:
    text = make(tmp_path)
    for target in ("run", "test", "image", "bench", "lint", "format", "clean", "setup", "menuconfig"):
        assert f"\n{target} " in text
    assert not list(tmp_path.iterdir())
