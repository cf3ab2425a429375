# SPDX-License-Identifier: BSD-2-Clause
"""The second shell on pixels: under UEFI, and under a BIOS whose boot loader was asked for a graphics mode.

The screen is dumped and each of its cells compared with the glyphs of the font; the pictures stay in build/consoles/.
"""
from __future__ import annotations

from pathlib import Path

import pytest

from lib.images import TOP, variant
from lib.screen import COLUMNS, ROWS, PixelScreen
from lib.vm import PROMPT, VM, Machine, output_folder
from scenario.conftest import Boot

KEY_CLOCK = ("-icount", "shift=2,sleep=on")  # as in test_screen.py
GREEN, NORMAL, BRIGHT_YELLOW_ON_BLUE = 0x02, 0x07, 0x1E


def graphics_image(tmp_path: Path, video: str) -> Path:
    """The system `console` whose boot loader sets up that screen under a BIOS too."""
    text = (TOP / "manifests" / "console.yaml").read_text()
    assert "machine: {memory: 128M}" in text
    (tmp_path / "console.yaml").write_text(text.replace("{memory: 128M}", f"{{memory: 128M, video: \"{video}\"}}"))
    return variant(str(tmp_path / "console.yaml"), f"video-{video}") / "console.iso"


def on_pixels(vm: VM) -> PixelScreen:
    vm.expect(PROMPT, timeout=120)
    screen = PixelScreen(vm, output_folder() / "gen" / "font.bin")
    screen.expect(r"^tessera>$", timeout=60)
    return screen


def check(screen: PixelScreen) -> None:
    """What is typed is answered there, in its colours; a full screen scrolls; nothing is left behind."""
    screen.type("print \\e[32mgreen\\e[1;33;44mboth\\e[m\\e[12;40Hhere\n")
    picture = screen.expect(r"^greenboth")
    row = next(number for number, text in enumerate(picture.rows) if text.startswith("greenboth"))
    assert list(picture.attributes[row][:9]) == [GREEN] * 5 + [BRIGHT_YELLOW_ON_BLUE] * 4
    assert picture.rows[11] == " " * 39 + "here" and picture.attributes[11][39] == NORMAL
    screen.type("print " + "\\n".join("abcdefghijklmnopqrstuvwxyz") + "\n")
    rows = screen.expect(r"^z\ntessera>$").rows
    assert "".join(rows[:ROWS - 1]) == "cdefghijklmnopqrstuvwxyz" and rows[ROWS - 1] == "tessera>"
    typed = "abcxyz ABCXYZ 1234567890 -=[];'`,./ ~!@#$%^&*()_+{}|:<>?"
    assert screen.command("print " + typed) == typed


def test_uefi(boot: Boot) -> None:
    screen = on_pixels(boot("console", Machine(firmware="uefi", extra=KEY_CLOCK)))
    check(screen)
    screen.keep(output_folder() / "consoles" / "framebuffer_uefi.screen.txt")
    assert "\ufffd" not in screen.text() and len(screen.picture().attributes[0]) == COLUMNS


@pytest.mark.parametrize("video", ["1024x768"])
def test_bios_in_a_graphics_mode(video: str, boot: Boot, tmp_path: Path) -> None:
    vm = boot("console", Machine(extra=KEY_CLOCK), graphics_image(tmp_path, video))
    screen = on_pixels(vm)
    check(screen)
    screen.keep(output_folder() / "consoles" / f"framebuffer_bios_{video}.screen.txt")
    pixels = screen.pixels()
    assert f"{pixels.width}x{pixels.height}" == video
