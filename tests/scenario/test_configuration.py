# SPDX-License-Identifier: BSD-2-Clause
"""Options as their user meets them: menuconfig on a terminal, fragments, random options, why; each by `make`."""
from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from lib.images import TOP
from lib.vm import die_with_parent

TIMEOUT_S = 60


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command at the top of the tree, without what an outer make may have set."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS")) and name not in ("DISPLAY", "WAYLAND_DISPLAY", "SYSTEM")}
    return subprocess.run(command, cwd=TOP, env={**environment, **variables}, capture_output=True, text=True,
                          timeout=300)


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run("make", "--no-print-directory", "-j2", f"O={folder}", *words)


def options(folder: Path) -> set[str]:
    """The lines of the configuration."""
    return set((folder / ".config").read_text().splitlines())


class Terminal:
    """A program on a terminal of its own: what it draws is waited for, keys are typed."""

    def __init__(self, *command: str) -> None:
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "vt100", "LINES": "40", "COLUMNS": "120"}
        self.child = subprocess.Popen(command, cwd=TOP, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                      preexec_fn=die_with_parent, start_new_session=True)
        os.close(slave)
        self.drawn = b""

    def expect(self, text: str) -> None:
        """Waits until `text` has been drawn since the last match."""
        end = time.monotonic() + TIMEOUT_S
        while text.encode() not in self.drawn:
            ready = select.select([self.master], [], [], max(end - time.monotonic(), 0))[0]
            assert ready, f"{TIMEOUT_S} s without {text!r}:\n{self.drawn!r}"
            try:
                self.drawn += os.read(self.master, 65536)
            except OSError:
                raise AssertionError(f"it ended without {text!r}:\n{self.drawn!r}") from None
        self.drawn = self.drawn.split(text.encode(), 1)[1]

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def finish(self) -> int:
        """The exit status, once it ends by itself."""
        while True:
            try:
                if not os.read(self.master, 65536):
                    break
            except OSError:
                break
        os.close(self.master)
        return self.child.wait(TIMEOUT_S)


def turn_on(folder: Path, symbol: str, prompt: str) -> int:
    """Opens menuconfig, jumps to an option, sets it, leaves and saves."""
    terminal = Terminal("make", "--no-print-directory", "menuconfig", f"O={folder}", "SYSTEM=demo")
    terminal.expect("Components")
    terminal.type("/")
    terminal.expect("Jump to")
    terminal.type(symbol)
    terminal.expect(prompt)
    terminal.type("\n")
    terminal.expect(prompt)
    terminal.type("y")
    terminal.expect("*")
    terminal.type("q")
    terminal.expect("Save configuration?")
    terminal.type("y")
    return terminal.finish()


def test_menuconfig_changes_an_option_and_saves(tmp_path: Path) -> None:
    assert turn_on(tmp_path, "TRACK_GRANTS", "Record which capabilities are used") == 0
    assert "CONFIG_TRACK_GRANTS=y" in options(tmp_path)
    saved = make(tmp_path, "savedefconfig")
    assert saved.returncode == 0 and (tmp_path / "defconfig").read_text() == "CONFIG_TRACK_GRANTS=y\n"


def test_menuconfig_opens_on_a_broken_configuration(tmp_path: Path) -> None:
    """No text, no options, values out of range: the rest is kept, and the whole file beside it."""
    broken = b"CONFIG_LOG_SIZE=8192\n\xff\xfe\x00\nnonsense\nCONFIG_CALL_DEPTH=900\nCONFIG_NO_SUCH=y\nCONFIG_SMEP=x\n"
    (tmp_path / ".config").write_bytes(broken)
    assert turn_on(tmp_path, "TRACK_GRANTS", "Record which capabilities are used") == 0
    wanted = {"CONFIG_TRACK_GRANTS=y", "CONFIG_LOG_SIZE=8192", "CONFIG_CALL_DEPTH=16", "CONFIG_SMEP=y"}
    assert wanted <= options(tmp_path) and "CONFIG_NO_SUCH=y" not in options(tmp_path)
    assert (tmp_path / ".config.broken").read_bytes() == broken


def test_guiconfig_says_what_it_lacks(tmp_path: Path) -> None:
    done = make(tmp_path, "guiconfig")
    assert done.returncode != 0
    assert "guiconfig: there is no display" in done.stderr and "make menuconfig" in done.stderr
    blocked = "import sys; sys.modules['tkinter'] = None; from generator.cli import main; main(['config', 'display'])"
    assert "python3-tk" in run("/usr/bin/python3", "-c", blocked).stderr


def test_fragments_are_merged_and_differences_named(tmp_path: Path) -> None:
    first, second = tmp_path / "a.config", tmp_path / "b.config"
    first.write_text("CONFIG_PROFILE_HARDENED=y\nCONFIG_LOG_SIZE=8192\nCONFIG_CALL_DEPTH=100\nCONFIG_AUDITT=y\n")
    second.write_text("CONFIG_LOG_SIZE=4096\n# CONFIG_DRIVERS_KEYBOARD is not set\nCONFIG_KEYBOARD_LAYOUT_DE=y\nwhat\n")
    goal = str(tmp_path / "out" / "include" / "auto.conf")
    words = (f"CONFIG_FRAGMENTS={first} {second}", "SYSTEM=demo", goal)
    done = make(tmp_path / "out", *words)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("warning: ")] == [
        f"warning: {first}:4: there is no option AUDITT; did you mean \"AUDIT\"?",
        f"warning: {second}:4: 'what' is no assignment; write CONFIG_NAME=value",
        f"warning: {second}:1: CONFIG_LOG_SIZE=4096 replaces 8192 of {first}:2",
        f"warning: {first}:3: CONFIG_CALL_DEPTH=100 was asked for, but it is 16: it ranges from 2 to 64 "
        f"({defined('CALL_DEPTH')})",
        f"warning: {second}:3: CONFIG_KEYBOARD_LAYOUT_DE=y was asked for, but it is n: it depends on KEYBOARD_LAYOUT "
        f"[=n], which is not so ({defined('KEYBOARD_LAYOUT_DE')}); set CONFIG_DRIVERS_KEYBOARD=y"]
    # The profile's other defaults follow it, as they do in a defconfig.
    wanted = {"CONFIG_PROFILE_HARDENED=y", "CONFIG_LOG_SIZE=4096", "# CONFIG_AUDIT is not set"}
    assert wanted <= options(tmp_path / "out")
    assert "up to date" in make(tmp_path / "out", *words).stdout
    first.write_text("CONFIG_LOG_SIZE=16384\nCONFIG_CALL_DEPTH=8\n")
    second.write_text("")
    assert make(tmp_path / "out", *words).stderr == ""
    assert {"CONFIG_CALL_DEPTH=8", "CONFIG_LOG_SIZE=16384"} <= options(tmp_path / "out")
    missing = make(tmp_path / "out", "mergeconfig")
    assert missing.returncode != 0 and "CONFIG_FRAGMENTS" in missing.stderr


def defined(symbol: str) -> str:
    """file:line of an option."""
    for path in [*TOP.glob("kernel/Kconfig"), *TOP.glob("components/*/*/Kconfig")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line == f"config {symbol}":
                return f"{path.relative_to(TOP)}:{number}"
    raise AssertionError(symbol)


def test_random_options_are_the_same_for_a_seed_and_build(tmp_path: Path) -> None:
    texts = []
    for folder, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        done = make(tmp_path / folder, "randconfig", f"KCONFIG_SEED={seed}")
        assert done.returncode == 0 and f"KCONFIG_SEED={seed}" in done.stdout
        texts.append((tmp_path / folder / ".config").read_text())
    assert texts[0] == texts[1] != texts[2]
    built = make(tmp_path / "a", "kernel", "components")
    assert built.returncode == 0, built.stdout + built.stderr


def test_why_an_option_is_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / ".config").write_text("# CONFIG_DRIVERS_KEYBOARD is not set\n")
    done = run("generator/tessera", "why", "CONFIG_KEYBOARD_LAYOUT_DE", "--build-dir", str(tmp_path / "build"))
    assert done.returncode == 0, done.stderr
    assert "  value: n (bool)\n" in done.stdout
    assert "KEYBOARD_LAYOUT [=n]   <- this is false\n" in done.stdout
    assert "to make it true: CONFIG_DRIVERS_KEYBOARD=y\n" in done.stdout
    assert "  read by: components/drivers/keyboard/keyboard.c:" in done.stdout
    switch = run("generator/tessera", "why", "CONFIG_DRIVERS_KEYBOARD", "--build-dir", str(tmp_path / "build"))
    assert f"  from: {tmp_path}/build/.config:1 says n" in switch.stdout
    assert "would change: with y: CONFIG_KEYBOARD_LAYOUT_US n -> y" in switch.stdout
    assert "manifests/console.yaml:" in switch.stdout
    wrong = run("generator/tessera", "why", "CONFIG_DRIVERS_KEYBORD")
    assert wrong.returncode == 1 and 'did you mean "CONFIG_DRIVERS_KEYBOARD"?' in wrong.stderr


def test_guiconfig_opens_a_window_and_saves(tmp_path: Path) -> None:
    """On a configuration that is not all right: what is no option is dropped, the rest is kept and saved."""
    (tmp_path / ".config").write_text("CONFIG_LOG_SIZE=8192\nnonsense\nCONFIG_NO_SUCH=y\n")
    done = run("xvfb-run", "-a", "/usr/bin/python3", str(TOP / "tests/lib/gui.py"), str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "window: Tessera, viewable 1" in done.stdout
    assert "CONFIG_LOG_SIZE=8192" in options(tmp_path) and "CONFIG_NO_SUCH=y" not in options(tmp_path)
