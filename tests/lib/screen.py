# SPDX-License-Identifier: BSD-2-Clause
"""Screen and keyboard of a machine, through QEMU's monitor: keys are pressed, VGA text memory or pixels are read.

    screen = Screen(vm)
    screen.expect(r"tessera> $")
    screen.type("help\\n")
    assert "this list" in screen.text()
"""
from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.vm import VM, Late

ROWS, COLUMNS = 25, 80
TEXT_MEMORY = 0xB8000
HOLD_MS = 5
BURST = 40  # keys that QEMU certainly keeps in its queue; more are lost without a word
POLL_S = 0.1
PLAIN = {" ": "spc", "\n": "ret", "\t": "tab", "\b": "backspace", "\x1b": "esc", "-": "minus", "=": "equal",
         "[": "bracket_left", "]": "bracket_right", ";": "semicolon", "'": "apostrophe", "`": "grave_accent",
         "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
GLYPH_HEIGHT = 16
PALETTE = (0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA,
           0x555555, 0x5555FF, 0x55FF55, 0x55FFFF, 0xFF5555, 0xFF55FF, 0xFFFF55, 0xFFFFFF)
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


def keys_for(character: str) -> tuple[str, ...]:
    """QEMU's names of the keys that type a character on the us layout."""
    if character in SHIFTED:
        return ("shift", *keys_for(SHIFTED[character]))
    if character.isupper():
        return ("shift", character.lower())
    return (PLAIN.get(character, character),)


@dataclass(frozen=True)
class Picture:
    """What the screen shows: rows of text without blanks at the end, and each cell's VGA attribute."""

    rows: tuple[str, ...]
    attributes: tuple[tuple[int, ...], ...]

    @property
    def text(self) -> str:
        """All rows down to the last one with text."""
        return "\n".join(self.rows).rstrip("\n")


class Screen:
    """The keyboard and the VGA text screen of a running machine."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm

    def press(self, *keys: str) -> None:
        """Presses keys (QEMU's names) together and lets them go."""
        self.vm.qmp("send-key", keys=[{"type": "qcode", "data": key} for key in keys], **{"hold-time": HOLD_MS})

    def type(self, text: str) -> None:
        """Types text on the us layout."""
        for number, character in enumerate(text, 1):
            self.press(*keys_for(character))
            if number % BURST == 0:
                self.vm.quiet(BURST * 3 * HOLD_MS / 1000)

    def picture(self) -> Picture:
        """The screen as it is now."""
        order: dict[str, Any] = {"command-line": f"xp /{ROWS * COLUMNS}hx {TEXT_MEMORY:#x}"}
        answer: str = self.vm.qmp("human-monitor-command", **order)
        words = re.findall(r"\b0x([0-9a-f]{4})\b", answer)
        assert len(words) == ROWS * COLUMNS, answer[:200]
        cells = bytes.fromhex("".join(word[2:] for word in words)).decode("cp437")
        attributes = [int(word[:2], 16) for word in words]
        starts = range(0, ROWS * COLUMNS, COLUMNS)
        return Picture(tuple(cells[at:at + COLUMNS].rstrip(" \0") for at in starts),
                       tuple(tuple(attributes[at:at + COLUMNS]) for at in starts))

    def text(self) -> str:
        return self.picture().text

    def expect(self, pattern: str, timeout: float = 30.0) -> Picture:
        """Waits until the text on the screen matches; `$` is the end of a row."""
        end = time.monotonic() + timeout
        while True:
            picture = self.picture()
            if re.search(pattern, picture.text, re.M):
                return picture
            if time.monotonic() >= end:
                raise self.vm.failure(f"{timeout} s without {pattern!r} on the screen:\n{picture.text}", Late)
            self.vm.quiet(POLL_S)

    def command(self, line: str, timeout: float = 30.0) -> str:
        """Clears the screen, types a line to the shell, waits for the next prompt; what stands in between."""
        self.type("print \\e[2J\\e[H\n")
        self.expect(r"\A\n?tessera>$", timeout)
        self.type(line + "\n")
        picture = self.expect(rf"tessera> {re.escape(line)}\n(.*\n)*tessera>\Z", timeout)
        return picture.text.partition(line + "\n")[2].rpartition("\n")[0]

    def keep(self, path: Path) -> None:
        """Writes the screen's text, and its image beside it (.png)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text() + "\n", encoding="utf-8")
        self.vm.qmp("screendump", filename=str(path.with_suffix(".png")), format="png")


@dataclass(frozen=True)
class Pixels:
    """A screen dump: rows of pixels, each 0xrrggbb."""

    width: int
    height: int
    rgb: bytes

    def at(self, x: int, y: int) -> int:
        place = 3 * (y * self.width + x)
        return int.from_bytes(self.rgb[place:place + 3], "big")


def read_ppm(data: bytes) -> Pixels:
    """A binary PPM file as QEMU writes it."""
    kind, width, height, most = data.split(maxsplit=4)[:4]
    assert (kind, most) == (b"P6", b"255"), data[:40]
    return Pixels(int(width), int(height), data[-3 * int(width) * int(height):])


def glyphs(font: bytes) -> dict[bytes, str]:
    """The 16 rows of a glyph -> its character; of those that look the same the lowest, a blank before all."""
    found = {bytes(GLYPH_HEIGHT): " "}
    for code in range(0x20, 256):
        found.setdefault(font[code * GLYPH_HEIGHT:(code + 1) * GLYPH_HEIGHT], bytes([code]).decode("cp437"))
    return found


def read_cell(pixels: Pixels, left: int, top: int, scale: int, known: dict[bytes, str]) -> tuple[str, int]:
    """Character and VGA attribute of a cell; U+FFFD if it is no glyph. The cursor is two rows at the bottom."""
    lines = [[pixels.at(left + x * scale, top + y * scale) for x in range(8)] for y in range(GLYPH_HEIGHT)]
    back = lines[0][0]
    fronts = {colour for line in lines for colour in line} - {back}
    if len(fronts) > 1:
        return "\ufffd", 0
    rows = bytes(sum((colour != back) << (7 - x) for x, colour in enumerate(line)) for line in lines)
    attribute = PALETTE.index(back) << 4 | (PALETTE.index(fronts.pop()) if fronts else 0)
    if rows not in known and rows[-2:] == b"\xff\xff":
        without = {row[:-2]: text for row, text in reversed(known.items())}
        return without.get(rows[:-2], "\ufffd"), attribute
    return known.get(rows, "\ufffd"), attribute


class PixelScreen(Screen):
    """The same for a machine whose console is on a framebuffer: each cell is compared with the font's glyphs."""

    def __init__(self, vm: VM, font: Path) -> None:
        super().__init__(vm)
        self.known = glyphs(font.read_bytes())

    def pixels(self) -> Pixels:
        """The screen as it is now."""
        assert self.vm.scratch is not None, "the machine is not running"
        path = Path(self.vm.scratch.name) / "screen.ppm"
        self.vm.qmp("screendump", filename=str(path))
        return read_ppm(path.read_bytes())

    def picture(self) -> Picture:
        pixels = self.pixels()
        scale = min(pixels.width // (8 * COLUMNS), pixels.height // (GLYPH_HEIGHT * ROWS))
        if scale == 0:
            return Picture(("",) * ROWS, ((0,) * COLUMNS,) * ROWS)
        left, top = (pixels.width - 8 * COLUMNS * scale) // 2, (pixels.height - GLYPH_HEIGHT * ROWS * scale) // 2
        cells = [[read_cell(pixels, left + 8 * scale * column, top + GLYPH_HEIGHT * scale * row, scale, self.known)
                  for column in range(COLUMNS)] for row in range(ROWS)]
        return Picture(tuple("".join(text for text, _ in row).rstrip() for row in cells),
                       tuple(tuple(attribute for _, attribute in row) for row in cells))
