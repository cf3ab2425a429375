# SPDX-License-Identifier: BSD-2-Clause
"""Which instructions of the kernel a machine executes, recorded with the plugin cover.c.

With TESSERA_COVERAGE in the environment every machine that boots an image of a build leaves a file in that folder,
under the hash of the kernel it booted.
"""
from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from lib import plugins

LINK_BASE = 0xFFFFFFFF80000000


@dataclass(frozen=True)
class Kernel:
    """A kernel's code: where it is linked, where it is entered, how large it is in bytes, and its file's hash."""

    base: int
    entry: int
    size: int
    key: str


def kernel(path: Path) -> Kernel:
    """What `path`, a kernel.elf, holds."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        text = elf.get_section_by_name(".text")
        base, size = int(text["sh_addr"]), int(text["sh_size"])
        entry = int(elf.header["e_entry"])
    return Kernel(base, entry, size, hashlib.sha256(path.read_bytes()).hexdigest()[:16])


def kernel_of(iso: Path) -> Path | None:
    """The kernel.elf of the build that an image lies in."""
    return next((folder / "kernel" / "kernel.elf" for folder in iso.resolve().parents
                 if (folder / "kernel" / "kernel.elf").exists()), None)


def arguments(iso: Path | None) -> list[str]:
    """QEMU's arguments that record a machine, if it was asked for."""
    folder = os.environ.get("TESSERA_COVERAGE")
    path = kernel_of(iso) if iso and folder else None
    if not folder or path is None:
        return []
    code = kernel(path)
    target = Path(folder).resolve() / code.key
    target.mkdir(parents=True, exist_ok=True)
    low = code.base & ~LINK_BASE & 0xFFFFFFFF
    entry = code.entry & ~LINK_BASE & 0xFFFFFFFF
    return ["-plugin", f"{plugins.built('cover')},out={target / uuid.uuid4().hex},high={code.base:x},low={low:x},"
                       f"entry={entry:x},size={code.size:x}"]
