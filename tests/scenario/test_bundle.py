# SPDX-License-Identifier: BSD-2-Clause
"""A damaged bundle does not run: the kernel refuses what it checks, init what it checks, and each says what it was."""
from __future__ import annotations

import hashlib
import re
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.images import image
from lib.vm import PROMPT
from scenario.conftest import Boot

HEADER = struct.Struct("<8sIIQQ32s")
SECTION = struct.Struct("<IIQQQQ32s32s")
INIT_TABLE_STEP = 97  # every so many bytes of the table one is flipped in a booted image; unit tests flip them all


@dataclass(frozen=True)
class Section:
    """Where a section lies in the bundle."""

    name: str
    offset: int
    size: int


def sections(bundle: bytes) -> list[Section]:
    """The section table, read here without help of the generator (bundle.h)."""
    _, _, count, *_ = HEADER.unpack_from(bundle)
    rows = [SECTION.unpack_from(bundle, HEADER.size + index * SECTION.size) for index in range(count)]
    return [Section(row[6].rstrip(b"\0").decode(), row[2], row[3]) for row in rows]


def hashed(data: bytes) -> bytes:
    """BLAKE2b with 256 bits, as hash.h has it."""
    return hashlib.blake2b(data, digest_size=32).digest()


def damaged(system: str, folder: Path, offset: int) -> Path:
    """A copy of the system's ISO in which one byte of the bundle is another."""
    bundle = (image(system) / "bundle.bin").read_bytes()
    target = folder / f"{system}-{offset:x}.iso"
    shutil.copy(image(system) / f"{system}.iso", target)
    contents = target.read_bytes()
    start = contents.index(bundle)
    with target.open("r+b") as file:
        file.seek(start + offset)
        file.write(bytes([contents[start + offset] ^ 0x40]))
    return target


def test_header_and_section_table(boot: Boot, tmp_path: Path) -> None:
    bundle = (image("demo") / "bundle.bin").read_bytes()
    for offset in (0, 8, 12, 16, 24, 33, HEADER.size + 8, HEADER.size + 5 * SECTION.size):
        assert offset < len(bundle)
        vm = boot("demo", image_file=damaged("demo", tmp_path, offset))
        vm.expect("PANIC: the bundle", panic_is_fine=True)
        assert vm.wait_exit(10) != 0


def test_init_table(boot: Boot, tmp_path: Path) -> None:
    bundle = (image("hello") / "bundle.bin").read_bytes()
    (table,) = [section for section in sections(bundle) if section.name == "table"]
    for offset in range(table.offset, table.offset + table.size, INIT_TABLE_STEP):
        vm = boot("hello", image_file=damaged("hello", tmp_path, offset))
        vm.expect("PANIC: the bundle has a section that does not match its hash: table", panic_is_fine=True)
        vm.close()


def forged(bundle: bytes) -> bytes:
    """The bundle with another byte in its last section that has any, and with every hash in it made good again."""
    forgery = bytearray(bundle)
    count = HEADER.unpack_from(bundle)[2]
    at = HEADER.size + max(index for index, section in enumerate(sections(bundle)) if section.size) * SECTION.size
    row = SECTION.unpack_from(bundle, at)
    forgery[row[2]] ^= 1
    SECTION.pack_into(forgery, at, *row[:7], hashed(forgery[row[2]:row[2] + row[3]]))
    end = HEADER.size + count * SECTION.size
    root = hashed(bytes(forgery[:HEADER.size - 32]) + bytes(32) + forgery[HEADER.size:end])
    forgery[HEADER.size - 32:HEADER.size] = root
    return bytes(forgery)


def test_a_forgery_with_good_hashes(boot: Boot, tmp_path: Path) -> None:
    """What GRUB's configuration says the root hash is cannot be mended inside the bundle."""
    bundle = (image("hello") / "bundle.bin").read_bytes()
    target = tmp_path / "forged.iso"
    target.write_bytes((image("hello") / "hello.iso").read_bytes().replace(bundle, forged(bundle)))
    vm = boot("hello", image_file=target)
    vm.expect("PANIC: the bundle does not match the root hash on the command line", panic_is_fine=True)


def test_segment_of_init(boot: Boot, tmp_path: Path) -> None:
    bundle = (image("hello") / "bundle.bin").read_bytes()
    (text,) = [section for section in sections(bundle) if section.name == "init.text"]
    vm = boot("hello", image_file=damaged("hello", tmp_path, text.offset + text.size // 2))
    vm.expect(r"PANIC: .*init\.text", panic_is_fine=True)


PAGE = 4096
# What is damaged of a section: a byte of it, or of the zeros behind it, which are mapped with it.
PLACES: dict[str, Callable[[Section], int]] = {
    "first byte": lambda s: s.offset, "byte behind": lambda s: s.offset + s.size,
    "word behind": lambda s: (s.offset + s.size + 15) & ~7,
    "page's end": lambda s: (s.offset + s.size) // PAGE * PAGE + PAGE - 1}


@pytest.mark.parametrize("name, place", [("ping.text", "first byte"), ("ping.rodata", "first byte"),
                                         ("echo.text", "byte behind"), ("ping.text", "word behind"),
                                         ("ping.rodata", "page's end")])
def test_segment_of_another_unit(name: str, place: str, boot: Boot, tmp_path: Path) -> None:
    """init names the section, that unit does not start, the others do."""
    bundle = (image("demo") / "bundle.bin").read_bytes()
    (section,) = [section for section in sections(bundle) if section.name == name]
    vm = boot("demo", image_file=damaged("demo", tmp_path, PLACES[place](section)))
    vm.expect(PROMPT)
    assert name in vm.console + vm.command("log")
    assert re.search(rf"\b{name.split('.')[0]} +ended +0 +0 +0 +0 +0\n", vm.command("threads")), "it never ran"
