# SPDX-License-Identifier: BSD-2-Clause
"""Hostile units beside a running demo: the kernel stands, everything adds up, the others go on as before.

`make soak` sets TESSERA_SOAK and has 50 times as many calls made.
"""
from __future__ import annotations

import os
import re

import pytest

from lib.fuzz import Fuzz, with_com2
from lib.images import TOP
from lib.vm import PRIMARY_CPU, PROMPT, VM, Machine, primary_clock
from scenario.conftest import Boot

CALLS = 50_000 * (50 if "TESSERA_SOAK" in os.environ else 1)  # a machine; there are four
SILENCE_S = 60.0
MISSED_MAX = 3  # calls that did not succeed in a run; more: the children do nothing of interest
OTHERS = ("init", "power", "serial", "log", "echo", "ping", "shell")
ALWAYS_REFUSED = {"system_inspect", "system_trace", "sched_create", "memory_device", "irq_create", "ioport_create",
                  "memory_template", "sched_place", "sched_configure", "system_audit", "memory_address",
                  "irq_message",  # no authority
                  "self_exit", "self_sleep", "self_fault_return"}  # never OK


def slower_clock(shift: int, seed: int) -> Machine:
    """Each instruction takes 2^shift nanoseconds; interrupts fall elsewhere."""
    return Machine(cpu=PRIMARY_CPU, extra=("-icount", f"shift={shift},sleep=off", "-seed", str(seed), "-rtc",
                                           "base=2024-01-01T00:00:00,clock=vm"))


MACHINES = {"host": (Machine(), 0x1000), "counted": (primary_clock(), 0x200000), "slow": (slower_clock(3, 7), 0x300000),
            "slower": (slower_clock(6, 11), 0x400000)}


def holdings(vm: VM) -> dict[str, tuple[str, str]]:
    """Pages and slots in use of each unit that is not the hostile one."""
    rows = re.findall(r"^ *\d+ (\S+) +\w+ +\d+ +(\d+) +\d+ +(\d+) +\d+ \S+$", vm.command("ps"), re.M)
    return {name: (pages, slots) for name, pages, slots in rows if name in OTHERS}


def calls_of_the_abi() -> list[str]:
    """Names of the rows of syscalls.def, in order."""
    return ["_".join(names) for names in re.findall(r"^SYSCALL\(0x\w+, (\w+), \w+, (\w+),",
                                                    (TOP / "kernel/include/abi/syscalls.def").read_text(), re.M)]


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_comes_of_it(name: str, boot: Boot) -> None:
    machine, seed = MACHINES[name]
    vm = boot("fuzz", with_com2(machine))
    vm.expect(PROMPT)
    before = holdings(vm)
    assert set(before) == set(OTHERS)
    outcome = Fuzz(vm).run(seed, CALLS, SILENCE_S)
    assert outcome.calls >= CALLS, outcome.text[-2000:]
    assert "audit" not in outcome.text and "no child" not in outcome.text
    assert vm.command("audit") == "audit: all adds up\n"
    assert vm.command("ping") == "ping: 4 replies\n"
    assert "[echo]" in vm.command("log") or "[fuzz]" in vm.command("log")
    assert holdings(vm) == before
    missed = {row for bit, row in enumerate(calls_of_the_abi()) if not outcome.good >> bit & 1} - ALWAYS_REFUSED
    assert len(missed) <= MISSED_MAX, f"these calls never succeeded: {missed}"


def test_the_same_order_does_the_same(boot: Boot) -> None:
    texts = []
    for _ in range(2):
        vm = boot("fuzz", with_com2(primary_clock()))
        vm.expect(PROMPT)
        texts.append(Fuzz(vm).run(0x77, 3000, SILENCE_S).text)
    assert texts[0] == texts[1]
    assert re.search(r"^child 77 from 0\nended", texts[0], re.M)


def test_each_call_can_be_traced(boot: Boot) -> None:
    vm = boot("fuzz", with_com2(primary_clock()))
    vm.expect(PROMPT)
    text = Fuzz(vm).run(0x88, 60, SILENCE_S, trace=20).text
    assert re.search(r"^call 14: 10[0-4][0-9a-f]\([0-9a-f]+, ", text, re.M), text
    assert not re.search(r"^call 13:", text, re.M)
