# SPDX-License-Identifier: BSD-2-Clause
"""Images for tests: built once, by `make`, one at a time however many test processes there are."""
from __future__ import annotations

import fcntl
import functools
import subprocess
from pathlib import Path

from lib.vm import output_folder

TOP = Path(__file__).resolve().parents[2]
BUILD_TIMEOUT_S = 600


class BuildError(AssertionError):
    """`make image` said no; the text is what it printed."""


@functools.cache
def image(system: str) -> Path:
    """The folder with SYSTEM.iso and plan.json of manifests/SYSTEM.yaml, up to date."""
    folder = output_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = ["make", "--no-print-directory", "-j2", "image", f"SYSTEM={system}"]
        made = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if made.returncode:
        raise BuildError(f"{' '.join(command)}\n{made.stdout}{made.stderr}")
    return folder / system


def iso(system: str) -> Path:
    """The bootable image of a system of this tree."""
    return image(system) / f"{system}.iso"


@functools.cache
def variant(system: str, name: str, *options: str) -> Path:
    """A system (its name, or a manifest's path) built with more options of `tessera build`, in a folder of its own."""
    base = Path(system).stem
    image(base)
    folder = output_folder() / "variants" / f"{base}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = ["/usr/bin/python3", "generator/tessera", "build", system, "--quiet", "--build-dir",
                   str(output_folder()), "--out", str(folder), *options]
        made = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if made.returncode:
        raise BuildError(f"{' '.join(command)}\n{made.stdout}{made.stderr}")
    return folder
