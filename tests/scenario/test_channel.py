# SPDX-License-Identifier: BSD-2-Clause
"""A channel and a ring in shared memory between two units, on one CPU and on two."""
from __future__ import annotations

from pathlib import Path

import pytest

from lib.vm import Machine
from scenario.conftest import Boot
from scenario.test_mailbox import settled, spread

SENT = 1000


def listened(boot: Boot, machine: Machine, image: Path | None = None) -> None:
    vm = boot("queues", machine, image)
    vm.expect(rf"\[peer\] ring: {SENT} messages, 0 wrong\n", timeout=60)
    vm.expect(rf"\[peer\] channel: {SENT} records, 0 wrong\n", timeout=60)


def test_between_two_units(boot: Boot) -> None:
    listened(boot, Machine())


@pytest.mark.parametrize("cpu", [1, 2])
def test_across_cpus(boot: Boot, tmp_path: Path, cpu: int) -> None:
    listened(boot, Machine(cpus=3), spread(tmp_path, three=cpu))


def test_the_maker_of_the_channel_comes_back(boot: Boot) -> None:
    """What it made is gone with it; whoever asks the new one gets a new ring and a new channel."""
    vm = boot("queues")
    settled(vm)
    vm.command("kill peer")
    vm.expect(r"\[peer\] ready")
    vm.command("restart three")
    vm.expect(r"\[three\] no meeting")  # told once that it is another
    vm.command("restart three")
    vm.expect(rf"\[peer\] ring: {SENT} messages, 0 wrong\n", timeout=60)
    vm.expect(rf"\[peer\] channel: {SENT} records, 0 wrong\n", timeout=60)
