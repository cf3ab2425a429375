# SPDX-License-Identifier: BSD-2-Clause
"""Kernels with switches of their own, each in a folder below build/hardening, and machines that boot one of them."""
from __future__ import annotations

import fcntl
import functools
import json
from pathlib import Path

from lib.images import image
from lib.products import direct_loader, make
from lib.vm import Machine, output_folder

# Name of the switch in Kconfig -> its name in `config`.
SWITCHES = {"SMEP": "smep", "SMAP": "smap", "UMIP": "umip", "KASLR": "kaslr", "STACK_PROTECTOR": "stack_protector",
            "RETPOLINE": "retpoline", "PTI": "pti", "GUARD_PAGES": "guard_pages", "POISON": "poison"}


@functools.cache
def build(name: str, on: frozenset[str], *words: str) -> Path:
    """The folder of a build of profile DEV with just these switches on, in which `make` was called with those words."""
    folder = output_folder() / "hardening" / name
    folder.mkdir(parents=True, exist_ok=True)
    fragment = "".join(f"CONFIG_{switch}=y\n" if switch in on else f"# CONFIG_{switch} is not set\n"
                       for switch in SWITCHES)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "switches.config"
        if not path.is_file() or path.read_text() != fragment:
            path.write_text(fragment)
        make(folder, f"CONFIG_FRAGMENTS={path}", *words)
    return folder


def kernel(name: str, *on: str) -> Path:
    """kernel.elf with just these switches."""
    return build(name, frozenset(on), "SYSTEM=probe", "kernel") / "kernel" / "kernel.elf"


def image_with(name: str, system: str, *on: str) -> Path:
    """The ISO of a system, kernel and components with just these switches."""
    return build(name, frozenset(on), f"SYSTEM={system}", "image") / system / f"{system}.iso"


def machine(elf: Path, system: str, cpu: str = "max") -> Machine:
    """A machine that boots that kernel with a system's bundle, by QEMU's -kernel."""
    folder = image(system)
    root = json.loads((folder / "plan.json").read_text())["root_hash"]
    loader = direct_loader(folder.parent)
    disk = f"{elf} tessera.root={root},{folder / 'bundle.bin'}"
    return Machine(cpu=cpu, cd=False, extra=("-kernel", str(loader), "-initrd", disk))
