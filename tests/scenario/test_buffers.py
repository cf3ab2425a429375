# SPDX-License-Identifier: BSD-2-Clause
"""Buffers that clients share: a server sums and changes them in place, and no client can do it harm."""
from __future__ import annotations

import re

import pytest

from lib.vm import PROMPT, VM
from scenario.conftest import Boot


@pytest.fixture
def buffers(boot: Boot) -> VM:
    """The system when both clients have done and said all."""
    vm = boot("buffers")
    vm.expect(PROMPT)
    for name in ("plain", "guarded", "leaver"):
        if f"unit {name}: ended with code 0" not in vm.console:
            vm.expect(rf"unit {name}: ended with code 0", timeout=120)
    return vm


def test_well_and_badly(buffers: VM) -> None:
    """Over a FAST and a HARDENED connection: sums and inverted bytes are right, each lie is an error, nothing stays."""
    said = dict(re.findall(r"^(?:tessera> )?\[(plain|guarded)\] (.*)$", buffers.console, re.M))
    assert {name: re.sub(r"^\d+", "n", line) for name, line in said.items()} == {
        name: "n checks, 0 failed" for name in ("plain", "guarded")}, buffers.console
    assert "unit digest" not in buffers.console
    assert buffers.command("audit", timeout=60) == "audit: all adds up\n"


def test_a_client_that_ends_meanwhile(buffers: VM) -> None:
    """It comes back with other memory; the server, which was reading, has come to the end of it or been told."""
    assert re.findall(r"\[leaver\] (.*)\n", buffers.console) in (
        [["what was read of an earlier life: gone"], ["what was read of an earlier life: all"]]), buffers.console
    assert "unit other: " not in buffers.console
    assert buffers.command("audit", timeout=60) == "audit: all adds up\n"
