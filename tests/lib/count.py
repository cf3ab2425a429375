# SPDX-License-Identifier: BSD-2-Clause
"""Counts the guest's instructions while it runs, with the plugin count.c."""
from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from lib.vm import output_folder

LINK_BASE = 0xFFFFFFFF80000000


def kernel_entry() -> int:
    """Physical address of the kernel's first instruction, where GRUB jumps to."""
    with (output_folder() / "kernel" / "kernel.elf").open("rb") as file:
        return int(ELFFile(file).header["e_entry"]) & ~LINK_BASE & 0xFFFFFFFF


def plugin() -> Path:
    """The compiled plugin; built when it is older than its source."""
    source = Path(__file__).with_name("count.c")
    target = output_folder() / "tests" / "libcount.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, fresh = tempfile.mkstemp(dir=target.parent)
        os.close(handle)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-o", fresh, str(source)], check=True)
        os.replace(fresh, target)
    return target


@dataclass(frozen=True)
class Counter:
    """`arguments` go to QEMU; then total() and at_entry() can be asked at any time."""

    file: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("-plugin", f"{plugin()},out={self.file},entry={kernel_entry():x}")

    def total(self) -> int:
        """Instructions since power-on."""
        return int(struct.unpack("<QQ", self.file.read_bytes())[0])

    def at_entry(self) -> int:
        """Instructions before the kernel's first; 0: it has not been reached."""
        return int(struct.unpack("<QQ", self.file.read_bytes())[1])


def counter(folder: Path) -> Counter:
    """A counter whose file lies in `folder`."""
    file = folder / "count"
    file.write_bytes(bytes(16))
    return Counter(file)
