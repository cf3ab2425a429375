# SPDX-License-Identifier: BSD-2-Clause
"""Every instance of the shipped systems is killed, crashed, hung and crash-looped in turn, and comes back as declared.

The cases are made from the plans. Faults come from outside (lib/debugger.py); `kill` and `restart` are the shell's.
"""
from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lib import debugger
from lib.debugger import GDB, Debugger
from lib.images import image
from lib.tables import differences, read_caps
from lib.vm import PROMPT, VM, primary_clock
from scenario.conftest import Boot

SYSTEMS = ("demo", "console")
UNIT = re.compile(r"^ *\d+ (\w+) +(\w+) +\d+ +(\d+) +\d+ +(\d+) +(\d+) (\S+)$", re.M)
FAULTS: dict[str, Callable[[Debugger, str, str], None]] = {"crash": debugger.crash, "hang": debugger.hang}
CRASHES = 3
RESTARTS = 1000
WAIT_S = 90.0


def plan(system: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((image(system) / "plan.json").read_text())
    return document


def component(document: dict[str, Any], name: str) -> str:
    return str(next(i["component"] for i in document["instances"] if i["name"] == name))


def beating(document: dict[str, Any]) -> list[str]:
    """Those with a heartbeat, the supervisor among them."""
    return [i["name"] for i in document["instances"][1:] if i["argument"] >> 32]


def supervisor(document: dict[str, Any]) -> str:
    return str(document["instances"][1]["name"])


class Units:
    """The shell's table of units."""

    def __init__(self, vm: VM) -> None:
        self.text = vm.command("ps", timeout=WAIT_S)
        self.rows = {m[1]: m for m in UNIT.finditer(self.text)}

    def state(self, name: str) -> str:
        return self.rows[name][2]

    def restarts(self, name: str) -> int:
        return int(self.rows[name][5])

    def holdings(self) -> dict[str, tuple[str, str]]:
        """Pages and slots of each."""
        return {name: (m[3], m[4]) for name, m in self.rows.items()}


def start(boot: Boot, system: str) -> VM:
    machine = primary_clock()
    vm = boot(system, replace(machine, extra=(*machine.extra, *GDB)))
    vm.expect(PROMPT, timeout=180)
    vm.quiet(0.5)
    return vm


def settled(vm: VM, name: str, restarts: int) -> Units:
    """Waits until the instance runs and was restarted so often; a shell that is restarted itself prompts again."""
    for _ in range(40):
        units = Units(vm)
        if units.state(name) == "running" and units.restarts(name) >= restarts:
            break
        vm.quiet(0.2)
    assert (units.state(name), units.restarts(name)) == ("running", restarts)
    return units


def is_as_planned(vm: VM, document: dict[str, Any]) -> None:
    """The shell answers, others too, and the running tables are still those of the plan.

    What clients entrust to a name server while it runs is in no plan.
    """
    assert vm.command("ping", timeout=WAIT_S) == "ping: 4 replies\n"
    dump = read_caps(vm.command("caps all", timeout=WAIT_S), vm.command("ps", timeout=WAIT_S))
    assert len(dump.rows) > 50
    servers = {i["name"]: {c["slot"] for c in i["capabilities"]} for i in document["instances"]
               if i["component"] == "servers/name"}
    planned = tuple(row for row in dump.rows if row.unit not in servers or row.slot in servers[row.unit])
    assert differences(document, replace(dump, rows=planned)) == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_killed(system: str, boot: Boot) -> None:
    document, vm = plan(system), start(boot, system)
    for row in document["supervised"]:
        name = row["name"]
        assert row["policy"] != "never", "this test has nothing to say about it"
        before = Units(vm).restarts(name)
        vm.send(f"kill {name}\r")
        vm.expect(rf"kill {name}\n", timeout=WAIT_S)
        if name == "shell":
            vm.expect(r"unit shell: restarted\n", timeout=WAIT_S)
        vm.expect(PROMPT, timeout=WAIT_S)
        vm.quiet(0.3)
        settled(vm, name, before + 1)
    is_as_planned(vm, document)


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("system", SYSTEMS)
def test_crashed_and_hung(system: str, fault: str, boot: Boot) -> None:
    document, vm = plan(system), start(boot, system)
    assert len(beating(document)) >= 5
    for name in beating(document):
        before = Units(vm).restarts(name)  # more than 0 for those that depend on others
        with Debugger(vm) as stopped:
            FAULTS[fault](stopped, component(document, name), name)
        vm.quiet(0.3)
        settled(vm, name, before + 1)
    is_as_planned(vm, document)


@pytest.mark.parametrize("system", SYSTEMS)
def test_crash_looped(system: str, boot: Boot) -> None:
    """It crashes, and crashes again at its first instruction each time it comes back, but not too often."""
    document, vm = plan(system), start(boot, system)
    for name in beating(document):
        before = Units(vm).restarts(name)
        with Debugger(vm) as stopped:
            debugger.crash(stopped, component(document, name), name)
            for _ in range(CRASHES - 1):
                debugger.crash(stopped, component(document, name), name, "_start")
        vm.quiet(0.3)
        settled(vm, name, before + CRASHES)
    is_as_planned(vm, document)


def test_the_supervisor_gives_up_and_is_given_up(boot: Boot) -> None:
    """Six ends in a row are too many: init says so, and what runs goes on unsupervised."""
    document, vm = plan("demo"), start(boot, "demo")
    name = supervisor(document)
    with Debugger(vm) as stopped:
        debugger.crash(stopped, component(document, name), name)
        for _ in range(5):
            debugger.crash(stopped, component(document, name), name, "_start")
    vm.expect(rf"unit {name}: stays dead; nothing is supervised any more\n", timeout=WAIT_S)
    assert vm.command("ping", timeout=WAIT_S) == "ping: 4 replies\n"
    assert vm.command("kill echo", timeout=WAIT_S) == "kill echo: PEER_DEAD\n"
    assert Units(vm).state(name) == "dead"


def test_ends_while_nobody_supervises_are_found_later(boot: Boot) -> None:
    """The instance ends while the supervisor is down; the next one learns it from the kernel, not from a message."""
    document, vm = plan("demo"), start(boot, "demo")
    name = supervisor(document)
    with Debugger(vm) as stopped:
        debugger.hang(stopped, component(document, name), name)
        debugger.crash(stopped, component(document, "echo"), "echo")
    vm.expect(rf"\[init\] unit {name}: restarted\n", timeout=WAIT_S)
    vm.expect(r"unit echo: restarted\n", timeout=WAIT_S)
    settled(vm, "echo", 1)


def test_a_reset_is_asked_of_power(boot: Boot) -> None:
    """`then: reboot` of the demo's serial: once too often and the machine starts again."""
    document, vm = plan("demo"), start(boot, "demo")
    limit = next(row for row in document["supervised"] if row["name"] == "serial")
    assert limit["then"] == "reboot"
    with Debugger(vm) as stopped:
        debugger.crash(stopped, component(document, "serial"), "serial")
        for _ in range(limit["max"]):
            debugger.crash(stopped, component(document, "serial"), "serial", "_start")
    assert vm.wait_exit(WAIT_S) == 0  # -no-reboot: a reset ends QEMU


def test_a_thousand_restarts_leave_nothing_behind(boot: Boot) -> None:
    document, vm = plan("demo"), start(boot, "demo")
    assert document["supervised"]
    vm.command("restart echo")
    vm.command("ping")
    before, memory = Units(vm), vm.command("mem")
    for _ in range(RESTARTS):
        vm.send("restart echo\r")
        vm.expect(r"restart echo: done\n", timeout=WAIT_S)  # lines of the log come in between what is typed
    vm.quiet(0.3)
    vm.command("ping")
    after = Units(vm)
    assert after.restarts("echo") == before.restarts("echo") + RESTARTS
    assert after.holdings() == before.holdings()
    assert vm.command("mem") == memory
    is_as_planned(vm, document)
