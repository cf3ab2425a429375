# SPDX-License-Identifier: BSD-2-Clause
"""The console's font: a GRUB font file (PF2) -> 256 glyphs of 8 by 16 pixels, in the order of code page 437.

    python3 -m generator.font /usr/share/grub/unicode.pf2 build/gen/font.bin

The file is Debian's (package grub-common), made of GNU Unifont; nothing of it is kept in the repository. A glyph is 16
bytes, one a row, the leftmost pixel in the highest bit. PF2: sections of a name, a length and contents, big endian;
CHIX lists code point, flags and place of each glyph, which is width, height, offsets, advance, then its rows in one
string of bits (GRUB manual, "Font format").
"""
import struct
import sys
from pathlib import Path

from generator.files import write_if_changed

WIDTH, HEIGHT, GLYPHS = 8, 16, 256
SECTION_SIGN = 0x15  # of the glyphs that stand for control characters, the only one the console shows
_ENTRY = struct.Struct(">IBI")
_GLYPH = struct.Struct(">HHhhh")


class NotAFont(Exception):
    """The file cannot be used; the text says why."""


def sections(data: bytes) -> dict[bytes, bytes]:
    """The contents of each section but DATA, which reaches to the end and is addressed from the file's beginning."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at + 8 <= len(data):
        name, size = struct.unpack_from(">4sI", data, at)
        if name == b"DATA":
            break
        found[name] = data[at + 8:at + 8 + size]
        at += 8 + size
    if found.get(b"FILE") != b"PFF2" or not {b"CHIX", b"ASCE", b"DESC"} <= found.keys():
        raise NotAFont("is not a font in GRUB's format")
    return found


def places(found: dict[bytes, bytes]) -> dict[int, int]:
    """Code point -> where its glyph lies in the file."""
    index = found[b"CHIX"]
    return {code: place for code, _, place in _ENTRY.iter_unpack(index[:len(index) // _ENTRY.size * _ENTRY.size])}


def glyph(data: bytes, place: int, ascent: int) -> bytes:
    """The glyph at `place`, drawn into a cell; what is twice as wide as a cell is drawn at half its width."""
    width, height, left, bottom, advance = _GLYPH.unpack_from(data, place)
    bits = data[place + _GLYPH.size:place + _GLYPH.size + (width * height + 7) // 8]
    scale = 2 if advance > WIDTH else 1
    cell = [0] * HEIGHT
    for number in range(width * height):
        y, x = ascent - bottom - height + number // width, (left + number % width) // scale
        if bits[number // 8] >> (7 - number % 8) & 1 and 0 <= x < WIDTH and 0 <= y < HEIGHT:
            cell[y] |= 0x80 >> x
    return bytes(cell)


def characters() -> list[str]:
    """What each glyph shows; a blank where the console shows nothing."""
    special = {SECTION_SIGN: "\u00a7", **{code: " " for code in (*range(0x20), 0x7f) if code != SECTION_SIGN}}
    return [special.get(code, bytes([code]).decode("cp437")) for code in range(GLYPHS)]


def font(data: bytes) -> bytes:
    """All glyphs; raises NotAFont."""
    found = sections(data)
    ascent, descent = (int.from_bytes(found[name], "big") for name in (b"ASCE", b"DESC"))
    where = places(found)
    missing = [text for text in characters() if ord(text) not in where]
    if missing or ascent + descent > HEIGHT:
        raise NotAFont(f"lacks {' '.join(missing) or 'glyphs of this height'}")
    return b"".join(glyph(data, where[ord(text)], ascent) for text in characters())


def main(arguments: list[str]) -> int:
    source, target = (Path(argument) for argument in arguments)
    try:
        write_if_changed(target, font(source.read_bytes()))
    except (OSError, NotAFont, struct.error) as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
