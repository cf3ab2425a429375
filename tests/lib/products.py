# SPDX-License-Identifier: BSD-2-Clause
"""The products: systems with a configuration of their own, each built in a folder of its own below build/products."""
from __future__ import annotations

import fcntl
import functools
import json
import os
import subprocess
from pathlib import Path

from lib.images import BUILD_TIMEOUT_S, TOP, BuildError
from lib.vm import Machine, output_folder

PRODUCTS = tuple(sorted(path.stem for path in (TOP / "manifests" / "products").glob("*.md") if path.stem != "README"))


def run(*command: str) -> str:
    """Runs a command at the top of the tree, without what an outer make has set; what it printed."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS")) and name not in ("O", "SYSTEM")}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def make(folder: Path, *words: str) -> str:
    """Runs make with outputs in `folder`; what it printed."""
    return run("make", "--no-print-directory", "-j2", f"O={folder}", *words)


@functools.cache
def product(name: str, *targets: str) -> Path:
    """The folder with NAME.iso and plan.json (and what `targets` make) of a product, up to date."""
    folder = output_folder() / "products" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(folder, f"{name}_defconfig")
        make(folder, f"SYSTEM={name}", *(targets or ("image",)))
    return folder / name


@functools.cache
def direct_loader(build: Path) -> Path:
    """images/direct, compiled, for the kernel in the build folder `build`."""
    with (build / "direct.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(build, str(build / "direct" / "direct.elf"))
    return build / "direct" / "direct.elf"


def direct(folder: Path) -> Machine:
    """A machine that boots what is in `folder` (kernel, bundle, plan.json) by QEMU's -kernel, without GRUB."""
    root = json.loads((folder / "plan.json").read_text())["root_hash"]
    kernel = folder.parent / "kernel" / "kernel.elf"
    return Machine(cd=False, extra=("-kernel", str(direct_loader(folder.parent)), "-initrd",
                                    f"{kernel} tessera.root={root},{folder / 'bundle.bin'}"))
