# SPDX-License-Identifier: BSD-2-Clause
"""The console's font: Debian's file becomes 256 glyphs; whatever is no such file is refused."""
from __future__ import annotations

import random
from pathlib import Path

import pytest

from generator.font import NotAFont, font, main

SOURCE = Path("/usr/share/grub/unicode.pf2")
LETTER_A = """
........
........
........
........
...##...
..#..#..
..#..#..
.#....#.
.#....#.
.######.
.#....#.
.#....#.
.#....#.
.#....#.
........
........
"""


def drawn(glyphs: bytes, code: int) -> str:
    rows = (format(row, "08b") for row in glyphs[code * 16:code * 16 + 16])
    return "\n".join(["", *rows, ""]).replace("0", ".").replace("1", "#")


def test_glyphs() -> None:
    glyphs = font(SOURCE.read_bytes())
    assert len(glyphs) == 256 * 16
    assert drawn(glyphs, ord("A")) == LETTER_A
    assert glyphs[0xdb * 16:0xdc * 16] == b"\xff" * 16  # the full block
    assert drawn(glyphs, ord(" ")) == drawn(glyphs, 0) == drawn(glyphs, 0x7f)
    assert len({glyphs[code * 16:code * 16 + 16] for code in range(0x20, 0x7f)}) == 0x7f - 0x20


def test_other_files(tmp_path: Path) -> None:
    for data in (b"", b"FILE", b"FILE\0\0\0\4PFF2", random.Random(1).randbytes(5000)):
        with pytest.raises(NotAFont):
            font(data)
    assert main([str(tmp_path / "absent"), str(tmp_path / "out")]) == 1
    cut = SOURCE.read_bytes()[:600000]
    (tmp_path / "cut").write_bytes(cut)
    assert main([str(tmp_path / "cut"), str(tmp_path / "out")]) == 1
