# SPDX-License-Identifier: BSD-2-Clause
"""Whose connections are PARANOID starts again only from the image that the plan has: one byte of it is changed in the
machine's memory while the system runs, by the debugger, and then the unit ends.
"""
from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from lib import debugger
from lib.debugger import GDB, Debugger
from lib.images import TOP, variant
from lib.tables import PLACE, PLACES, read_caps
from lib.vm import PROMPT, VM, Machine, output_folder, primary_clock
from scenario.conftest import Boot
from scenario.test_modes import addresses

PAGE = 4096
SUPERVISOR, COMPONENT = "reincarnation", "servers/reincarnation"
WAIT_S = 60.0
LONG = 4 << 20  # bytes that take longer to be hashed than two heartbeats of 10 ms
VAULT = "restart: always, connect: {log: {to: log, mode: HARDENED}}}\n"
MORE = """\
  safe:
    component: servers/name
    mode: PARANOID
    restart: {policy: always, then: degrade, dependants: [buddy, heir]}
  buddy:   {component: apps/echo, restart: always}
  heir:    {component: apps/echo, mode: PARANOID, restart: always}
  last:    {component: apps/echo, mode: PARANOID, restart: {policy: always, then: reboot}}
  power:   {component: drivers/power}
"""
GUARD = "priority: 240, connect: {log: log}}"


class Images:
    """The running system, and where in its memory the sections lie that are looked at before a restart."""

    def __init__(self, boot: Boot, folder: Path) -> None:
        self.plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
        self.vm: VM = boot("modes", replace(Machine(), extra=(*Machine().extra, *GDB)), folder / "modes.iso")
        self.vm.expect(PROMPT)
        self.vm.expect(r"unit rogue: ended more than 1 times", timeout=WAIT_S)
        self.vm.quiet(0.5)
        held = read_caps(self.vm.command("caps all"), self.vm.command("ps"))
        sources = {(c["slot"], i["name"]): self.plan["objects"][c["object"]] for i in self.plan["instances"]
                   for c in i["capabilities"] if c["type"] == "MEMORY"}
        self.base = next(row.b for row in held.rows if row.unit == SUPERVISOR and
                         sources.get((row.slot, row.unit), {}).get("source") == "SECTIONS")
        self.own = {row.slot: row.b for row in held.rows if row.unit == SUPERVISOR and row.type == "MEMORY"}
        self.parts = {part["section"]: part for part in self.plan["images"]}

    def where(self, section: str) -> int:
        return int(self.base + self.parts[section]["page"] * PAGE)

    def flip(self, stopped: Debugger, section: str, at: int) -> None:
        """One bit of a section that has been what it should be; `at` may be behind its end, or count from there."""
        part = self.parts[section]
        whole = stopped.physical(self.where(section), part["size"])
        assert blake2b(whole, digest_size=32).hexdigest() == part["hash"]
        address = self.where(section) + (at if at >= 0 else part["size"] + at)
        stopped.poke(address, bytes([stopped.physical(address, 1)[0] ^ 0x10]))

    def damage(self, section: str, at: int) -> None:
        with Debugger(self.vm) as stopped:
            self.flip(stopped, section, at)

    def state(self, name: str) -> tuple[str, int]:
        """What the kernel says of the unit, and how often it was restarted."""
        found = re.search(rf"^ *\d+ {name} +(\w+) +\d+ +\d+ +\d+ +\d+ +(\d+) ", self.vm.command("ps"), re.M)
        assert found
        return found[1], int(found[2])

    def kill(self, name: str) -> None:
        assert "done" in self.vm.command(f"kill {name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The system modes, with more that are PARANOID and end otherwise."""
    return changed(tmp_path_factory.mktemp("image"), "images", (VAULT, VAULT + MORE),
                   (GUARD, GUARD.replace("log: log", "log: log, power: power")))


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = (TOP / "manifests" / "modes.yaml").read_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "modes.yaml").write_text(text)
    return variant(str(folder / "modes.yaml"), name)


def test_it_comes_back_until_its_text_is_another(boot: Boot, folder: Path) -> None:
    """`hold`: it alone stays dead. Who is not PARANOID is restarted as ever, from whatever there is."""
    images = Images(boot, folder)
    for lives in (1, 2):
        images.kill("vault")
        images.vm.expect(r"unit vault: restarted\n", WAIT_S)
        assert images.state("vault") == ("running", lives)
    images.damage("vault.text", -1)
    images.kill("vault")
    images.vm.expect(r"unit vault: not restarted: vault\.text does not match its hash\n", WAIT_S)
    assert images.state("vault") == ("dead", 2)
    for name in ("guarded", "safe"):
        images.kill(name)
        images.vm.expect(rf"unit {name}: restarted\n", WAIT_S)
        assert images.state(name) == ("running", 1)


def test_initialised_data_and_dependants_count_too(boot: Boot, folder: Path) -> None:
    """A dependant that is damaged itself, and what a restart would fill .data with; `degrade` takes the dependants."""
    images = Images(boot, folder)
    images.kill("safe")
    images.vm.expect(r"unit safe: restarted\n", WAIT_S)
    images.vm.expect(r"unit heir: restarted\n", WAIT_S)
    assert (images.state("safe"), images.state("buddy")) == (("running", 1), ("running", 1))
    images.damage("heir.text", 1)
    images.kill("safe")
    images.vm.expect(r"unit heir: not restarted: heir\.text does not match its hash\n", WAIT_S)
    assert [images.state(name) for name in ("safe", "buddy", "heir")] == [("running", 2), ("running", 2), ("dead", 1)]
    images.damage("safe.data", 3)
    images.kill("safe")
    images.vm.expect(r"unit safe: not restarted: safe\.data does not match its hash\n", WAIT_S)
    images.vm.expect(r"unit buddy: stays dead with safe\n", WAIT_S)
    images.vm.expect(r"degraded: the system goes on without safe\n", WAIT_S)
    assert (images.state("safe"), images.state("buddy")) == (("dead", 2), ("dead", 2))
    assert images.state("vault") == ("running", 0)


def test_what_follows_a_section_is_zero_or_the_machine_is_reset(boot: Boot, folder: Path) -> None:
    """The rest of the last page of text can be run as well. `reboot`: from the medium the image comes anew."""
    images = Images(boot, folder)
    assert images.parts["last.text"]["size"] % PAGE
    images.damage("last.text", images.parts["last.text"]["size"] + 5)
    images.vm.send("kill last\r")
    images.vm.expect(r"unit last: not restarted: last\.text does not match its hash\n", WAIT_S)
    assert images.vm.wait_exit(WAIT_S) == 0  # -no-reboot: a reset ends QEMU


def test_a_damaged_one_that_runs_is_not_restarted_on_request(boot: Boot, folder: Path) -> None:
    images = Images(boot, folder)
    images.damage("vault.rodata", 0)
    said = images.vm.command("restart vault")
    assert "unit vault: not restarted: vault.rodata does not match its hash\n" in said
    assert "restart vault: it did not work\n" in said
    assert images.state("vault") == ("dead", 0)


def test_a_bundle_cannot_bring_its_own_hash(boot: Boot, folder: Path) -> None:
    """The section is changed, and in the supervisor's table, which is mapped from the bundle, its hash to fit."""
    images = Images(boot, folder)
    part = images.parts["vault.text"]
    with Debugger(images.vm) as stopped:
        images.flip(stopped, "vault.text", 0)
        at = images.own[9] + stopped.physical(images.own[9], 2 * PAGE).index(b"vault.text\0") + 32
        assert stopped.physical(at, 32).hex() == part["hash"]
        text = stopped.physical(images.where("vault.text"), part["size"])
        stopped.poke(at, blake2b(text, digest_size=32).digest())
    images.kill("vault")
    images.vm.expect(r"unit vault: not restarted: the supervisor's table does not match its hash\n", WAIT_S)
    assert images.state("vault")[0] == "dead"


@pytest.mark.parametrize("section", ["text", "supervision"])
def test_init_looks_at_who_looks_at_others(section: str, boot: Boot, folder: Path) -> None:
    """The next supervisor does what the last one did, if it is the same; else there is none."""
    images = Images(boot, folder)
    with Debugger(images.vm) as stopped:
        debugger.crash(stopped, COMPONENT, SUPERVISOR)
    images.vm.expect(rf"\[init\] unit {SUPERVISOR}: restarted\n", WAIT_S)
    assert "PEER_RESTARTED" in images.vm.command("kill vault")
    images.kill("vault")
    images.vm.expect(r"unit vault: restarted\n", WAIT_S)
    with Debugger(images.vm) as stopped:
        debugger.crash(stopped, COMPONENT, SUPERVISOR)
        at = images.own[{"text": 4, "supervision": 9}[section]]
        stopped.poke(at + 70, bytes([stopped.physical(at + 70, 1)[0] ^ 1]))
    images.vm.expect(rf"\[init\] unit {SUPERVISOR}: not restarted: {SUPERVISOR}\.{section} does not match its hash\n",
                     WAIT_S)
    images.vm.expect(rf"\[init\] unit {SUPERVISOR}: stays dead; nothing is supervised any more\n", WAIT_S)
    assert images.state(SUPERVISOR) == ("dead", 1)


def test_nobody_is_silent_while_an_image_is_looked_at(boot: Boot, tmp_path: Path) -> None:
    """It takes longer than two heartbeats of another, whose beats wait in the supervisor's queue: it did not hang."""
    padding = output_folder() / "variants" / "padding"
    padding.parent.mkdir(exist_ok=True)
    padding.write_bytes(bytes(range(256)) * (LONG // 256))
    folder = changed(tmp_path, "long", (VAULT, VAULT + (
        "  beats: {component: servers/name, heartbeat: 10ms, restart: always}\n"
        "  long: {component: apps/linux_hello, mode: PARANOID, files: {program: build/variants/padding}, memory: 2M,\n"
        "         restart: {policy: always, max: 2 in 60s}, connect: {log: {to: log, mode: HARDENED}}}\n")))
    vm = boot("modes", primary_clock(), folder / "modes.iso")
    vm.expect(r"unit long: ended more than 2 times", timeout=240)
    assert vm.console.count("unit long: restarted\n") == 2
    assert not re.search(r"unit \w+: hangs", vm.console)


ALONE = """\
tessera: 1
system: modes
config: dev_defconfig
instances:
  reincarnation:
    component: servers/reincarnation
    priority: 240
    mode: PARANOID
    connect: {log: {to: log, mode: FAST}}
  serial: {component: drivers/serial, priority: 220, restart: always}
  log:    {component: servers/log, priority: 150, restart: always, connect: {terminal: serial}}
  audit:  {component: servers/audit, restart: always, connect: {out: log}}
  shell:
    component: apps/shell
    restart: never
    connect: {terminal: serial, log: log, supervision: {to: reincarnation, may: [restart]}}
"""


def test_a_supervisor_that_is_paranoid_comes_back_elsewhere(boot: Boot, tmp_path: Path) -> None:
    """It looks at nobody, since nobody else moves and is restarted; init looks at it."""
    (tmp_path / "modes.yaml").write_text(ALONE)
    folder = variant(str(tmp_path / "modes.yaml"), "supervisor")
    plan = json.loads((folder / "plan.json").read_text())
    assert plan["images"] == [] and [o["payer"] for o in plan["objects"] if o.get("source") == "SECTIONS"] == ["init"]
    vm = boot("modes", replace(Machine(), extra=(*Machine().extra, *GDB)), folder / "modes.iso")
    vm.expect(PROMPT)
    vm.quiet(0.5)
    seen = [addresses(vm, SUPERVISOR)[4]]
    for _ in range(2):
        with Debugger(vm) as stopped:
            stopped.stop(debugger.symbol(COMPONENT, "tss_heartbeat") - debugger.IMAGE + seen[-1], SUPERVISOR)
            stopped.set(debugger.RIP, 0)
        vm.expect(rf"\[init\] unit {SUPERVISOR}: restarted\n", WAIT_S)
        seen.append(addresses(vm, SUPERVISOR)[4])
    assert len(set(seen)) == 3 and all(at // PLACE in PLACES for at in seen)
    assert "PEER_RESTARTED" in vm.command("restart serial")
    assert "restart serial: done" in vm.command("restart serial")
