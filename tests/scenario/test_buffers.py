# SPDX-License-Identifier: BSD-2-Clause
"""Buffers that clients share: a server sums and changes them in place, and no client can do it harm."""
from __future__ import annotations

import re
from pathlib import Path

from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot
from scenario.test_mailbox import spread


def done(boot: Boot, machine: Machine = Machine(), image: Path | None = None) -> VM:
    """The system when all clients have done and said all, and everything adds up."""
    vm = boot("buffers", machine, image)
    vm.expect(PROMPT)
    for name in ("plain", "guarded", "leaver"):
        if f"unit {name}: ended with code 0" not in vm.console:
            vm.expect(rf"unit {name}: ended with code 0", timeout=120)
    assert vm.command("audit", timeout=60) == "audit: all adds up\n"
    assert "unit digest: " not in vm.console and "unit other: " not in vm.console, vm.console
    return vm


def checked(vm: VM) -> None:
    said = dict(re.findall(r"^(?:tessera> )?\[(plain|guarded)\] (.*)$", vm.console, re.M))
    assert {name: re.sub(r"^\d+", "n", line) for name, line in said.items()} == {
        name: "n checks, 0 failed" for name in ("plain", "guarded")}, vm.console


def test_well_and_badly(boot: Boot) -> None:
    """Over a FAST and a HARDENED connection: sums and inverted bytes are right, each lie is an error, nothing stays."""
    checked(done(boot))


def test_well_and_badly_across_cpus(boot: Boot, tmp_path: Path) -> None:
    checked(done(boot, Machine(cpus=3), spread(tmp_path, "buffers", digest=1, other=2)))


def test_a_client_that_ends_meanwhile(boot: Boot) -> None:
    """It comes back with other memory; the server, which was reading, has come to the end of it or been told."""
    vm = done(boot)
    assert re.findall(r"\[leaver\] (.*)\n", vm.console) in (
        [["what was read of an earlier life: gone"], ["what was read of an earlier life: all"]]), vm.console
