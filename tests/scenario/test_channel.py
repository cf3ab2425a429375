# SPDX-License-Identifier: BSD-2-Clause
"""Channels: all that chan.h says, shares and ends; and one beside a ring in shared memory between two units."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib.vm import PROMPT, VM, Machine
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


def ready(boot: Boot, image: Path | None = None, machine: Machine = Machine()) -> VM:
    """The system channels when all its clients have done or said what they do at first."""
    vm = boot("channels", machine, image)
    says = [rf"\[{name}\] holds 4 channels, {waits} wait\n" for name, waits in (("greedy", 5), ("quiet", 0))]
    says += [rf"\[{name}\] waits\n" for name in ("first", "other")]
    for pattern in (PROMPT, *says, r"\[one\] tested, \d+ failed\n"):
        if not re.search(pattern, vm.console):
            vm.expect(pattern, timeout=120)
    return vm


def test_all_that_chan_h_says(boot: Boot) -> None:
    """Beside two clients that have used their shares up."""
    vm = ready(boot)
    assert "[one] tested, 0 failed" in vm.console, vm.console


def test_all_that_chan_h_says_across_cpus(boot: Boot, tmp_path: Path) -> None:
    vm = ready(boot, spread(tmp_path, "channels", channel=1), Machine(cpus=2))
    assert "[one] tested, 0 failed" in vm.console, vm.console


def test_a_holder_comes_back(boot: Boot) -> None:
    """Who waits at its channel hears that it has ended, and its share is whole when it is back."""
    vm = ready(boot)
    vm.command("kill greedy")
    vm.expect(r"\[first\] waited: PEER_DEAD\n")
    vm.expect(r"\[first\] waits\n")
    assert "[greedy] not so" not in vm.console, vm.console


def test_a_holder_ends_for_good(boot: Boot) -> None:
    """It was not waiting, and nobody asks the server anything: who waits at its channel hears so all the same."""
    vm = ready(boot)
    vm.command("kill quiet")
    vm.expect(r"\[other\] waited: PEER_DEAD\n")


def test_the_server_comes_back(boot: Boot) -> None:
    """Who waited is told, what was handed out is no more, and there are new channels."""
    vm = ready(boot)
    vm.command("kill channel")
    vm.expect(r"\[one\] who waited: PEER_RESTARTED\n")
    vm.expect(r"\[one\] its channel: CAPABILITY\n")
    vm.expect(r"\[one\] another: good\n")
    assert "adds up" in vm.command("audit")
