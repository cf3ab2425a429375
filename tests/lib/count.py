# SPDX-License-Identifier: BSD-2-Clause
"""Counts the guest's instructions while it runs, with the plugin count.c."""
from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from lib import plugins
from lib.plugins import output_folder

LINK_BASE = 0xFFFFFFFF80000000


def kernel_entry() -> int:
    """Physical address of the kernel's first instruction, where GRUB jumps to."""
    with (output_folder() / "kernel" / "kernel.elf").open("rb") as file:
        return int(ELFFile(file).header["e_entry"]) & ~LINK_BASE & 0xFFFFFFFF


@dataclass(frozen=True)
class Counter:
    """`arguments` go to QEMU; then total() and at_entry() can be asked at any time."""

    file: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("-plugin", f"{plugins.built('count')},out={self.file},entry={kernel_entry():x}")

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
