# SPDX-License-Identifier: BSD-2-Clause
"""Each switch of the profiles: an attack gets through a kernel without it and fails on one that has it.

The attacks on the kernel are those of tests/audit/attacks.c, struck through the probe's console. Two kernels: one with
every switch off, one with all on; how an attack fails says which switch it was. What no emulated CPU can show (what
predictors do with an indirect branch) is looked up in the code.
"""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lib import symbols
from lib.hardening import SWITCHES, image_with, kernel, machine
from lib.vm import PROMPT, VM
from scenario.conftest import Boot
from scenario.test_faults import KINDS
from scenario.test_panics import EXIT_PANIC, strike

LINK_BASE = 0xFFFFFFFF80000000
WINDOW, GIB, STEP = 0xFFFFFF8000000000, 1 << 30, 1 << 21  # kernel/arch/x86_64/place.c
OPEN, ALL = "open", "all"
# Kconfig's name: number in attacks.c, what it says if it gets through, what the defence says
ATTACKS = {
    "STACK_PROTECTOR": (2000, "the kernel runs what the attacker chose", r"written over the end of its stack frame"),
    "SMAP": (2001, "the kernel took a unit's page for its own data", r"exception 14 in the kernel: error 0x1,"),
    "SMEP": (2002, "the kernel ran a unit's page", r"exception 14 in the kernel: error 0x11,"),
    "POISON": (2003, "a freed frame still has the secret", r"the freed frame has 0xa5a5a5a5a5a5a5a5"),
    "KASLR": (2004, "the kernel runs what the attacker chose", r"exception 14 in the kernel: error 0x10,"),
    "GUARD_PAGES": (2005, "the kernel's stack went on", r"exception 14 in the kernel: error 0x2,"),
}


def built(name: str) -> Path:
    """The kernel `open` or `all`."""
    return kernel(name, *(SWITCHES if name == ALL else ()))


def started(boot: Boot, name: str, cpu: str = "max") -> VM:
    vm = boot("probe", machine(built(name), "probe", cpu))
    vm.symbols = symbols.load(built(name).with_suffix(".sym"))
    vm.expect("probe> ")
    return vm


@pytest.mark.parametrize("switch", list(ATTACKS))
def test_gets_through_without(switch: str, boot: Boot) -> None:
    number, success, _ = ATTACKS[switch]
    vm = started(boot, OPEN)
    vm.send(strike(number))
    vm.expect(rf"PANIC: the attack got through: {success}", timeout=60, panic_is_fine=True)
    assert vm.wait_exit() == EXIT_PANIC


@pytest.mark.parametrize("switch", list(ATTACKS))
def test_fails_with(switch: str, boot: Boot) -> None:
    number, _, defence = ATTACKS[switch]
    vm = started(boot, ALL)
    vm.send(strike(number))
    vm.expect(rf"PANIC: [^\n]*{defence}", timeout=60, panic_is_fine=True)
    assert vm.wait_exit() == EXIT_PANIC
    assert "got through" not in vm.console
    assert "(panic+" in vm.explained(vm.console), "offsets are named wherever the kernel runs"


def test_every_switch_has_its_attack() -> None:
    """But for the table of descriptors and for predictions, which have tests of their own below."""
    assert {*ATTACKS, "UMIP", "RETPOLINE"} == set(SWITCHES)


@pytest.mark.parametrize("name", [OPEN, ALL])
def test_the_configuration_is_shown(name: str, boot: Boot) -> None:
    """As the kernel itself tells it, record by record of system_inspect."""
    vm = boot("demo", machine(built(name), "demo"))
    vm.expect(PROMPT)
    lines = vm.command("config").split()
    value = "1" if name == ALL else "0"
    assert [line for switch in SWITCHES.values() for line in lines if line.startswith(f"{switch}=")] == [
        f"{switch}={value}" for switch in SWITCHES.values()]
    assert f"kaslr_bits={17 if name == ALL else 0}" in lines and "rdrand=1" in lines
    assert ("kernel at one of 2^17 places\n" in vm.console) == (name == ALL)


def test_what_the_cpu_lacks_is_named(boot: Boot) -> None:
    vm = boot("demo", machine(built(ALL), "demo", cpu="max,-smep,-umip,-rdrand"))
    vm.expect(PROMPT)
    lines = vm.command("config").split()
    assert {"smep=lacking", "smap=1", "umip=lacking", "kaslr=1", "rdrand=lacking"} <= set(lines)
    assert "kernel at one of 2^17 places; no RDRAND: drawn from time stamps, which is weak\n" in vm.console


def test_a_unit_reads_where_the_kernel_is_unless_umip(boot: Boot) -> None:
    """SGDT: what it says is an address inside the kernel."""
    kind = f"{list(KINDS).index('store_table'):x}"
    vm = started(boot, OPEN)
    vm.send(f"v0 fault {kind}\r")
    told = int(vm.expect(r"unit v0: fault READ at 0x([0-9a-f]+) ip")[1], 16)
    start, end = (address(built(OPEN), name) for name in ("image_start", "image_end"))
    assert start <= told < end
    vm = started(boot, ALL)
    vm.send(f"v0 fault {kind}\r")
    vm.expect(r"unit v0: fault PRIVILEGE at")


def address(elf: Path, name: str) -> int:
    """Of a symbol of the kernel, as linked."""
    rows = (line.split() for line in elf.with_suffix(".sym").read_text().splitlines())
    return next(int(row[0], 16) for row in rows if row[-1] == name)


def place(boot: Boot, cpu: str = "max") -> int:
    """The number of the place at which a kernel that has fallen ran: its panic tells both address and offset."""
    vm = started(boot, ALL, cpu)
    vm.send(strike(ATTACKS["GUARD_PAGES"][0]))
    at = vm.expect(r"at kernel\+0x([0-9a-f]+) \(0x([0-9a-f]+)\)", timeout=60, panic_is_fine=True)
    gib, inside = divmod(int(at[2], 16) - int(at[1], 16) - WINDOW, GIB)
    step, odd = divmod(inside, STEP)
    assert 0 <= gib < 512 and 0 <= step < 256 and odd == 0
    return gib << 8 | step


def test_the_kernel_is_somewhere_else_at_each_boot(boot: Boot) -> None:
    """16 boots: hardly two alike, and each of the 17 bits is seen both set and clear (one may be missed, by chance)."""
    places = [place(boot) for _ in range(16)]
    assert len(set(places)) >= 15, places
    constant = [bit for bit in range(17) if len({number >> bit & 1 for number in places}) == 1]
    assert len(constant) <= 1, places


def test_places_differ_without_rdrand_too(boot: Boot) -> None:
    assert len({place(boot, cpu="max,-rdrand,-rdseed") for _ in range(4)}) >= 3


def guard(boot: Boot) -> int:
    """The word of the kernel's stack protector, read from the machine's memory: the image is not moved in there."""
    vm = started(boot, ALL)
    where = address(built(ALL), "__stack_chk_guard") - LINK_BASE
    answer = str(vm.qmp("human-monitor-command", 10.0, **{"command-line": f"xp /1gx {where:#x}"}))
    return int(answer.split(":")[1], 16)


def test_the_guarding_word_is_another_at_each_boot(boot: Boot) -> None:
    first, second = guard(boot), guard(boot)
    assert first != second and first & 0xff == second & 0xff == 0
    assert first >> 40 and second >> 40


def test_a_components_stack_is_guarded(boot: Boot) -> None:
    """Without: the attacker's code runs, and faults where it wants to read. With: the function does not return."""
    order = f"v0 fault {list(KINDS).index('smash_stack'):x}\r"
    vm = started(boot, OPEN)
    vm.send(order)
    vm.expect(r"unit v0: fault READ at 0x5353000")
    vm = boot("probe", image_file=image_with(ALL, *SWITCHES))
    vm.expect("probe> ")
    vm.send(order)
    vm.expect(r"unit v0: fault INSTRUCTION at")
    assert "0x5353000" not in vm.console


def indirect(elf: Path) -> set[str]:
    """Functions of the kernel's text that jump or call through a register or memory."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(elf)], capture_output=True, text=True,
                          check=True).stdout
    found, function = set(), ""
    for line in text.splitlines():
        if label := re.fullmatch(r"[0-9a-f]+ <(.*)>:", line):
            function = label[1]
        elif re.search(r"\t(jmp|call)\s+\*", line):
            found.add(function)
    return found


def test_indirect_branches_are_not_predicted() -> None:
    """No emulated CPU has a predictor, so this looks at the code: one such jump is left, to the first C."""
    assert indirect(built(ALL)) == {"boot64"}
    assert {"arch_syscall_entry", "boot64", "syscall_dispatch"} <= indirect(built(OPEN))
