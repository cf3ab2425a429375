# SPDX-License-Identifier: BSD-2-Clause
"""From power-on to the prompt: firmware, boards, CPUs, memory sizes; twice the same."""
from __future__ import annotations

import re

import pytest

from lib.vm import PROMPT, Machine, primary_clock
from scenario.conftest import Boot

MACHINES = {
    "bios": Machine(),
    "uefi": Machine(firmware="uefi"),
    "i440fx": Machine(board="pc"),
    "qemu64": Machine(cpu="qemu64"),
    "32M": Machine(memory="32M"),
    "1G": Machine(memory="1G"),
    "4G": Machine(memory="4G"),
    "uefi-4G": Machine(firmware="uefi", memory="4G"),
}


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_prompt_answers(name: str, boot: Boot) -> None:
    vm = boot("demo", MACHINES[name])
    vm.expect(PROMPT, timeout=60)
    assert "help" in vm.command("help")


def test_hello(boot: Boot) -> None:
    vm = boot("hello")
    vm.expect("hello, world")


def test_two_boots_print_the_same(boot: Boot) -> None:
    texts = []
    for _ in range(2):
        vm = boot("demo", primary_clock())
        vm.expect(PROMPT, timeout=90)
        texts.append(vm.console)
    assert texts[0] == texts[1]
    assert re.search(PROMPT, texts[0])
