# SPDX-License-Identifier: BSD-2-Clause
"""What strikes the kernel itself: NMI and machine check wherever the CPU is, and its own stack running over.

Each ends in a panic that names it, on a stack of its own, with a back trace that leads out of where the CPU was.
"""
from __future__ import annotations

import json
import re

import pytest

from lib.images import image
from lib.vm import VM

SPIN = 24  # components/apps/probe/raw.c
INSPECT, AUDIT = 0x1028, 11
OVERFLOW, SPIN_IN_KERNEL = 1000, 1001
EXIT_PANIC = 3  # isa-debug-exit: 1 << 1 | 1


def panic(vm: VM, pattern: str) -> str:
    """The panic to its last line, kernel addresses named; the machine stops by itself."""
    vm.expect(pattern, timeout=60, panic_is_fine=True)
    assert vm.wait_exit() == EXIT_PANIC
    assert vm.console.count("PANIC") == 1
    return vm.explained(vm.console[vm.console.index("PANIC"):])


def system_slot() -> int:
    """Where the probe's console has its SYSTEM capability."""
    plan = json.loads((image("probe") / "plan.json").read_text())
    unit = next(i for i in plan["instances"] if i["name"] == "console")
    return int(next(c["slot"] for c in unit["capabilities"] if c["type"] == "SYSTEM"))


def inject(vm: VM, what: str) -> None:
    """An NMI, or an uncorrected error in bank 4."""
    if what == "nmi":
        vm.qmp_last("inject-nmi")
    else:
        vm.qmp_last("human-monitor-command", **{"command-line": "mce 0 4 0xbd00000000000000 0x4 0 0"})


NAMES = {"nmi": "non-maskable interrupt", "mce": "machine check"}


@pytest.mark.parametrize("what", list(NAMES))
def test_while_a_unit_runs(what: str, probe: VM) -> None:
    probe.send(f"v3 fault {SPIN:x}\r")
    probe.quiet(0.5)
    inject(probe, what)
    text = panic(probe, rf"PANIC[^\n]*{NAMES[what]} in unit v3, ip 0x[0-9a-f]+\n")
    assert "trap_user" in text


@pytest.mark.parametrize("what", list(NAMES))
def test_while_idle(what: str, probe: VM) -> None:
    probe.quiet(0.5)
    inject(probe, what)
    text = panic(probe, rf"PANIC[^\n]*\({NAMES[what]}\) in the kernel[^\n]*\n")
    # Behind the hlt, where what follows begins.
    assert re.search(r" at kernel\+0x[0-9a-f]+ \(arch_between_slices\+0x0\)", text), text


def strike(number: int) -> str:
    """What the probe's console is told to have the kernel do that; tests/audit/defects.c has the numbers."""
    return f"self call {INSPECT:x} {system_slot():x} {AUDIT:x} 0 {number:x}\r"


def test_nmi_while_the_kernel_works(probe: VM) -> None:
    probe.send(strike(SPIN_IN_KERNEL))
    probe.quiet(0.5)
    inject(probe, "nmi")
    text = panic(probe, r"PANIC[^\n]*\(non-maskable interrupt\) in the kernel[^\n]*\n")
    called = ("audit_walk", "sys_system_inspect", "arch_syscall_general")
    assert [name for name in called if name + "+" not in text] == []


def test_stack_overflow(probe: VM) -> None:
    probe.send(strike(OVERFLOW))
    text = panic(probe, r"PANIC[^\n]*\(double fault\) in the kernel[^\n]*guard page of the kernel stack[^\n]*\n")
    assert text.count("overflow+") > 10
