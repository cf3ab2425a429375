# SPDX-License-Identifier: BSD-2-Clause
"""The second shell: typed into with keys, read from the VGA's text memory, while the serial one works beside it."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.images import variant
from lib.screen import COLUMNS, ROWS, Screen
from lib.vm import PROMPT, VM, Machine, output_folder
from scenario.conftest import Boot

# Keys come by the machine's clock; it counts instructions while the CPU works, so that a slow host cannot make them
# come faster than the guest can take them: QEMU's keyboard forgets what does not fit into its 16 bytes.
KEY_CLOCK = ("-icount", "shift=2,sleep=on")
RED, GREEN, NORMAL, BRIGHT_YELLOW_ON_BLUE = 0x04, 0x02, 0x07, 0x1E


@pytest.fixture
def machine(boot: Boot) -> VM:
    """The system `console` with its serial shell at the prompt."""
    vm = boot("console", Machine(extra=KEY_CLOCK))
    vm.expect(PROMPT)
    return vm


@pytest.fixture
def screen(machine: VM, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """The shell on the screen at its prompt; what it showed last is kept in build/consoles/."""
    found = Screen(machine)
    found.expect(r"^tessera>$")
    yield found
    found.keep(output_folder() / "consoles" / f"{re.sub(r'[^a-z0-9]+', '_', request.node.name)}.screen.txt")


def test_a_command_typed_on_the_keyboard(screen: Screen) -> None:
    assert "this list" in screen.command("help")
    text = screen.command("ps")
    for name in ("init", "serial", "console", "keyboard", "shell", "shell2"):
        assert re.search(rf"^ *\d+ {name}\b", text, re.M), name


def test_both_shells_at_once(machine: VM, screen: Screen) -> None:
    """What is typed here is seen here only, and both answer while the other is in use."""
    screen.type("from the screen")
    assert "from the screen" not in machine.command("from the line").split("command: ")[0]
    machine.send("half a li")
    screen.expect(r"^tessera> from the screen$")
    screen.type("\n")
    screen.expect(r"^unknown command: from ")
    assert "half" not in screen.text()
    machine.send("ne\r")
    machine.expect(r"unknown command: half ")
    assert "screen" not in machine.console


def test_every_character_with_and_without_shift(screen: Screen) -> None:
    typed = "abcxyz ABCXYZ 1234567890 -=[];'`,./ ~!@#$%^&*()_+{}|:<>?"
    assert screen.command("print " + typed) == typed


def test_backspace_and_cursor_keys(screen: Screen) -> None:
    screen.type("prunt x")
    for key in ("left",) * 4 + ("backspace", "i", "home", "f1", "delete", "p", "end", "z", "left", "delete", "y"):
        screen.press(key)
    screen.press("ctrl", "left")
    screen.type("\n")
    assert screen.expect(r"^xy$").rows[0] == "tessera> print xy"


def test_backspaces_over_the_end_of_a_row(screen: Screen) -> None:
    screen.type("print " + "a" * 100 + "\b" * 95 + "b\n")
    assert screen.expect(r"^aaaaab$").rows[1] == "aaaaab"


def test_ctrl_c_gives_a_line_up(screen: Screen) -> None:
    screen.type("print never")
    screen.press("ctrl", "c")
    screen.expect(r"^tessera> print never\^C\ntessera>$")
    screen.press("ctrl_r", "u")
    assert screen.command("print yes") == "yes"


def test_caps_lock_turns_letters_only(screen: Screen) -> None:
    screen.type("print ")
    screen.press("caps_lock")
    screen.type("aB1")
    screen.press("caps_lock")
    screen.type("aB1\n")
    screen.expect(r"^Ab1aB1$")


def test_german_layout_by_its_key(screen: Screen) -> None:
    screen.press("ctrl", "alt", "f2")
    screen.type("yz\n")  # the us layout's y and z
    screen.expect(r"^unknown command: zy ")
    screen.press("ctrl", "alt", "f1")
    screen.type("yz\n")
    screen.expect(r"^unknown command: yz ")


def test_scrolling(screen: Screen) -> None:
    screen.type("print " + "\\n".join("abcdefghijklmnopqrstuvwxyz") + "\n")
    rows = screen.expect(r"^z\ntessera>$").rows
    assert rows[ROWS - 1] == "tessera>"
    assert "".join(rows[:ROWS - 1]) == "cdefghijklmnopqrstuvwxyz"


def test_colours_and_cursor_movement(screen: Screen) -> None:
    screen.type("print \\e[31mred\\e[32mgreen\\e[1;33;44mboth\\e[m\\e[12;40Hhere\n")
    picture = screen.expect(r"^redgreenboth")
    row = picture.rows.index(next(r for r in picture.rows if r.startswith("redgreenboth")))
    wanted = [RED] * 3 + [GREEN] * 5 + [BRIGHT_YELLOW_ON_BLUE] * 4 + [NORMAL] * (COLUMNS - 12)
    assert list(picture.attributes[row]) == wanted
    assert picture.rows[11] == " " * 39 + "here" and picture.rows[12] == "tessera>"


def test_prompt_and_errors_are_coloured(machine: VM, screen: Screen) -> None:
    """On the screen, until one says no; the serial line, of which nobody knows, has none until one says yes."""
    screen.type("nonsense\n")
    rows = screen.expect(r"^unknown command: nonsense .*\ntessera>$")
    assert rows.attributes[0][:9] == (GREEN,) * 8 + (NORMAL,) and rows.attributes[1][:25] == (RED,) * 25
    screen.type("colours off\nnonsense\n")
    rows = screen.expect(r"off\ntessera> nonsense\nunknown .*\ntessera>$")
    assert set(rows.attributes[4][:25]) == set(rows.attributes[5][:8]) == {NORMAL}
    assert "\x1b" not in machine.command("nonsense")
    machine.send("colours on\rnonsense\r")
    machine.expect("\x1b\\[31munknown command: nonsense .*\x1b\\[m\n\x1b\\[32mtessera>\x1b\\[m ")


def test_a_long_output_ends_whole(screen: Screen) -> None:
    screen.type("caps all\n")
    screen.expect(r"^shell2? .*\n(.*\n)*tessera>\Z", timeout=60)


def test_a_burst_of_keys_is_not_lost(screen: Screen) -> None:
    text = "the quick brown fox jumps over the lazy dog 0123456789"
    for _ in range(5):
        assert screen.command("print " + text) == text


def test_the_line_is_the_keyboards(machine: VM, screen: Screen) -> None:
    def count() -> int:
        match = re.search(r"line +1 +(\d+) keyboard", machine.command("irqs"))
        return int(match[1]) if match else 0
    before = count()
    screen.type("x")
    screen.expect(r"tessera> x$")
    assert before < count() <= before + 6  # pressed, let go, and the lights at most


NOT_A_KEYBOARD = """
tessera: 1
system: console
instances:
  console: {component: drivers/console}
  keyboard: {component: drivers/keyboard, connect: {typing: console}}
  probe: {component: apps/probe, connect: {terminal: console}}
"""
TERMINAL, TYPED, SIZE = 0x13, 3, 2  # the probe's slot; the method; bytes in the text


def test_only_keyboards_may_type(boot: Boot, tmp_path: Path) -> None:
    """A client that sends what a keyboard sends is not heard: its text is not in front of what is typed next."""
    (tmp_path / "console.yaml").write_text(NOT_A_KEYBOARD)
    vm = boot("console", Machine(extra=KEY_CLOCK), variant(str(tmp_path / "console.yaml"), "typing") / "console.iso")
    screen = Screen(vm)
    screen.expect(r"^probe>$")
    screen.type(f"self call 1019 {TERMINAL:x} {TYPED | 16 << 32:x} ffffffff {SIZE:x} 7878\n")
    screen.expect(r"^= 0 \w+\nprobe>$")
    screen.type("self call 1000\n")
    assert screen.expect(r"^= 0 1\nprobe>$").rows[2] == "probe> self call 1000"


def test_without_a_graphics_card_the_rest_runs(boot: Boot) -> None:
    vm = boot("console", Machine(extra=("-vga", "none")))
    vm.expect(r"\[console\] no framebuffer and no VGA text screen here\n")
    vm.expect(r"unit shell2: ended with code 1\n")
    assert "this list" in vm.command("help")


def test_without_a_keyboard_controller_the_rest_runs(boot: Boot) -> None:
    vm = boot("console", Machine(board="q35,i8042=off"))
    vm.expect(r"\[keyboard\] no PS/2 keyboard here\n")
    assert "this list" in vm.command("help")
    Screen(vm).expect(r"^tessera>$")
