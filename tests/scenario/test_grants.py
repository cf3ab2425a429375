# SPDX-License-Identifier: BSD-2-Clause
"""Every capability of the shipped systems is exercised: a kernel that records uses says which ones were not.

What a component asks for and no source names does not even build (TSS-044). Here the systems run, are used as people
use them, and are asked afterwards. Memory counts as exercised by being mapped; the reply objects of a port by one of
them; capabilities without rights only keep an object alive.
"""
from __future__ import annotations

import fcntl
import json
import re
from pathlib import Path
from typing import Any

import pytest

from lib import debugger
from lib.images import TOP
from lib.screen import Screen
from lib.vm import PROMPT, VM, Machine, output_folder
from scenario.conftest import Boot
from scenario.test_build import make

COMMANDS = ("help", "ping", "log", "ps", "caps echo", "audit")
MORE = ("names", "find echo", "date", "colours off")
# What only a failing device or the end of the machine makes an instance use, and the tests that bring that about.
ELSEWHERE = {("power", "log"): "test_power.py", ("console", "log"): "test_framebuffer.py",
             ("keyboard", "log"): "test_screen.py", ("power", "IOPORT"): "test_power.py",
             ("power", "REPLY"): "test_power.py", ("shell", "power"): "test_power.py",
             ("shell2", "power"): "test_power.py", ("reincarnation", "power"): "test_supervision.py"}
BEAT_S = 11  # the longest heartbeat of these systems, and a little
USED = re.compile(r"^(\w+) (\d+) .* used=1$", re.M)


def tracked(system: str) -> Path:
    """The system with CONFIG_TRACK_GRANTS, in a folder that all tests share."""
    folder = output_folder() / "tracked"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".config").exists():
            make(folder, "dev_defconfig")
        config = (folder / ".config").read_text()
        (folder / ".config").write_text(config.replace("# CONFIG_TRACK_GRANTS is not set", "CONFIG_TRACK_GRANTS=y"))
        make(folder, "image", f"SYSTEM={system}")
    return folder / system


def expected(document: dict[str, Any]) -> dict[tuple[str, str], set[int]]:
    """(instance, what) -> slots, one of which is to be used: `what` is a connection's name, a port's replies, slot."""
    names = {(c["client"], c["server"], c["badge"]): c["name"] for c in document["connections"]}
    found: dict[tuple[str, str], set[int]] = {}
    for instance in document["instances"]:
        for c in instance["capabilities"]:
            if not c["rights"] or c["rights"] == ["GRANT"] or (c["type"] == "MEMORY" and c["address"]):
                continue
            thing = document["objects"][c["object"]]
            what = f"{c['type']} {c['slot']}"
            if (instance["name"], c["type"]) in ELSEWHERE:
                what = c["type"]
            elif c["type"] == "REPLY":
                what = f"replies of {thing['port']}"
            elif c["type"] == "CONNECTION":
                server = document["objects"][thing["port"]]["payer"]
                what = names.get((instance["name"], server, thing["badge"]), what)
            found.setdefault((instance["name"], what), set()).add(c["slot"])
    return found


def use(vm: VM, document: dict[str, Any]) -> None:
    """What people do with it, and what the supervisor is there for: everybody ends once, itself included."""
    has_screen = any(i["name"] == "console" for i in document["instances"])
    for line in COMMANDS + (MORE if has_screen else ()):
        vm.command(line)
    if has_screen:
        screen = Screen(vm)
        for line in ("ping", "log", "date", "names", "ps"):
            screen.command(line)
    for row in document["supervised"]:
        vm.send(f"kill {row['name']}\r")
        vm.expect(rf"kill {row['name']}\n")
        if row["name"] == "shell":
            vm.expect(r"unit shell: restarted\n", timeout=60)
        vm.expect(PROMPT, timeout=60)
        vm.quiet(0.5)
    vm.command("restart echo")
    with debugger.Debugger(vm) as stopped:
        debugger.crash(stopped, "servers/reincarnation", "reincarnation")
    vm.expect(r"unit reincarnation: restarted\n", timeout=60)
    vm.quiet(BEAT_S)
    vm.command("ping")


@pytest.mark.parametrize("system", ("demo", "console"))
def test_every_grant_is_exercised(system: str, boot: Boot) -> None:
    folder = tracked(system)
    document = json.loads((folder / "plan.json").read_text())
    vm: VM = boot(system, Machine(extra=debugger.GDB), image_file=folder / f"{system}.iso")
    vm.expect(PROMPT, timeout=60)
    use(vm, document)
    used = {(name, int(slot)) for name, slot in USED.findall(vm.command("caps all", timeout=60))}
    missing = {key: slots for key, slots in expected(document).items() if not any((key[0], s) in used for s in slots)}
    assert sorted(missing.keys() - ELSEWHERE.keys()) == []
    assert all((TOP / "tests/scenario" / name).exists() for name in ELSEWHERE.values())
