# SPDX-License-Identifier: BSD-2-Clause
"""The generator's reader of ELF files on damaged ones: an image in order or coded errors, never a traceback, soon.

The same damage each time; `make soak` tries two hundred times as much.
"""
from __future__ import annotations

import faulthandler
import os
import random
import sys
from collections.abc import Iterator

import pytest

from lib.images import TOP, image
from lib.vm import output_folder

sys.path.insert(0, str(TOP))

from generator.codes import CODES  # noqa: E402
from generator.elf import IMAGE_MAX, PAGE, Image, read_image  # noqa: E402

TRIES = 300 * (200 if "TESSERA_SOAK" in os.environ else 1)  # a component
COMPONENTS = ("apps/hello", "drivers/serial", "init")
SECONDS_MAX = 20
NUMBERS = (0, 1, 2, 7, 8, 0xFF, 0x1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, 1 << 63, (1 << 64) - 1)


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """A reader that does not come back ends its process: no signal, since a worker may run tests in any thread."""
    yield
    faulthandler.cancel_dump_traceback_later()


def headers(data: bytes) -> list[int]:
    """Offsets of the bytes that structure an ELF file: its header, program and section headers."""
    programs, sections = (int.from_bytes(data[at:at + 8], "little") for at in (32, 40))
    program_size, program_count, section_size, section_count = (int.from_bytes(data[at:at + 2], "little")
                                                                for at in (54, 56, 58, 60))
    return [*range(64), *range(programs, programs + program_size * program_count),
            *range(sections, sections + section_size * section_count)]


def damaged(data: bytes, structure: list[int], dice: random.Random) -> bytes:
    """The file with a few bytes or numbers changed, mostly where it hurts, or cut short."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.choice(structure) if dice.random() < 0.8 else dice.randrange(len(data))
        if dice.random() < 0.5:
            changed[at] ^= 1 << dice.randrange(8)
        else:
            width = dice.choice((1, 2, 4, 8))
            number = dice.choice(NUMBERS) & (1 << 8 * width) - 1
            changed[at:at + width] = number.to_bytes(width, "little")
    return bytes(changed[:dice.randrange(len(data))] if dice.random() < 0.1 else changed)


def check_image(read: Image) -> None:
    """What has been accepted can be laid out."""
    ends = [s.address + s.memory_size for s in read.segments]
    assert all(s.address % PAGE == 0 and s.memory_size % PAGE == 0 for s in read.segments)
    assert all(len(s.data) <= s.memory_size for s in read.segments)
    assert all(end <= after.address for end, after in zip(ends, read.segments[1:]))
    assert max(ends, default=0) <= IMAGE_MAX
    assert any(s.kind == "text" and s.address <= read.entry < s.address + s.memory_size for s in read.segments)


@pytest.mark.parametrize("component", COMPONENTS)
def test_damage_is_told_in_codes(component: str) -> None:
    image("demo")
    image("hello")
    folder = output_folder() / "components" / component
    data = (folder / f"{folder.name}.elf").read_bytes()
    structure, dice, refused = headers(data), random.Random(component), 0
    assert read_image(data, "whole.elf")[1] == []
    for _ in range(TRIES):
        faulthandler.dump_traceback_later(SECONDS_MAX, exit=True)
        read, errors = read_image(damaged(data, structure, dice), "damaged.elf")
        assert all(error.code in CODES for error in errors)
        refused += bool(errors)
        if not errors:
            assert read is not None
            check_image(read)
    assert TRIES / 10 < refused < TRIES  # some damage is none, some is


@pytest.mark.parametrize("entry, count", [(0, 1 << 58), (64, 1 << 40), (63, 3)])
def test_more_sections_than_there_is_room_for(entry: int, count: int) -> None:
    """A count in the first section header is believed by the library, which then reads them one by one."""
    image("hello")
    data = bytearray((output_folder() / "components" / "apps" / "hello" / "hello.elf").read_bytes())
    first = int.from_bytes(data[40:48], "little")
    data[58:60] = entry.to_bytes(2, "little")
    data[60:62] = bytes(2)
    data[first + 32:first + 40] = count.to_bytes(8, "little")
    faulthandler.dump_traceback_later(SECONDS_MAX, exit=True)
    errors = read_image(bytes(data), "many.elf")[1]
    assert [(error.code, error.message) for error in errors] == [
        ("TSS-060", f"names {count} sections of {entry} bytes, for which it has no room")]
