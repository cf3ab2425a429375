# SPDX-License-Identifier: BSD-2-Clause
"""Each switch of the profiles: an attack gets through a kernel without it and fails on one that has it.

The attacks on the kernel are those of tests/audit/attacks.c, struck through the probe's console. Two kernels: one with
every switch off, one with all on but page-table isolation, which would stop some attacks before the switch that is
meant to; a third has that, too. How an attack fails says which switch it was. What no emulated CPU can show (what
predictors do with an indirect branch, what is read ahead of a check) is looked up in the code, and in page tables.
"""
from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lib import symbols
from lib.hardening import SWITCHES, image_with, kernel, machine
from lib.vm import PROMPT, VM, primary_clock
from scenario.conftest import Boot
from scenario.test_faults import KINDS
from scenario.test_panics import EXIT_PANIC, SPIN, strike

LINK_BASE = 0xFFFFFFFF80000000
PAGE, STACKS, DIRECT_MAP = 4096, 11 * 4096, 0xFFFF800000000000  # bytes; layout.h: a CPU's stacks and guards
WINDOW, GIB, STEP = 0xFFFFFF8000000000, 1 << 30, 1 << 21  # kernel/arch/x86_64/place.c
OPEN, ALL, ISOLATED = "open", "all", "isolated"
ON: dict[str, tuple[str, ...]] = {OPEN: (), ALL: tuple(set(SWITCHES) - {"PTI"}), ISOLATED: tuple(SWITCHES)}
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
    """The kernel of that name."""
    return kernel(name, *ON[name])


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
    """But for those with tests of their own below."""
    assert {*ATTACKS, "UMIP", "RETPOLINE", "PTI"} == set(SWITCHES)


@pytest.mark.parametrize("name", [OPEN, ISOLATED])
def test_the_configuration_is_shown(name: str, boot: Boot) -> None:
    """As the kernel itself tells it, record by record of system_inspect."""
    vm = boot("demo", machine(built(name), "demo"))
    vm.expect(PROMPT)
    lines = vm.command("config").split()
    value = "0" if name == OPEN else "1"
    assert [line for switch in SWITCHES.values() for line in lines if line.startswith(f"{switch}=")] == [
        f"{switch}={value}" for switch in SWITCHES.values()]
    assert f"kaslr_bits={0 if name == OPEN else 17}" in lines and "rdrand=1" in lines


def test_what_the_cpu_lacks_is_named(boot: Boot) -> None:
    vm = boot("demo", machine(built(ALL), "demo", cpu="max,-smep,-umip,-rdrand"))
    vm.expect(PROMPT)
    lines = vm.command("config").split()
    assert {"smep=lacking", "smap=1", "umip=lacking", "kaslr=1", "rdrand=lacking"} <= set(lines)


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
    vm = boot("probe", image_file=image_with(ALL, "probe", *ON[ALL]))
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
        elif "(bad)" in line:
            function = ""  # constants
        elif function and re.search(r"\t(jmp|call)\s+\*", line):
            found.add(function)
    return found


def test_indirect_branches_are_not_predicted() -> None:
    """No emulated CPU has a predictor, so this looks at the code: one such jump is left, to the first C."""
    assert indirect(built(ALL)) == {"boot64"}
    assert {"arch_syscall_entry", "boot64", "syscall_dispatch"} <= indirect(built(OPEN))


def mapped(vm: VM, at: int) -> bool:
    """In the page tables that the CPU is using now, as QEMU's monitor walks them."""
    answer = str(vm.qmp("human-monitor-command", 10.0, **{"command-line": f"gva2gpa {at:#x}"}))
    return "gpa:" in answer


def in_a_unit(vm: VM) -> None:
    """Stops the machine while the unit v3 computes."""
    vm.send(f"v3 fault {SPIN:x}\r")
    vm.quiet(0.5)
    vm.qmp("stop")
    registers = str(vm.qmp("human-monitor-command", 10.0, **{"command-line": "info registers"}))
    assert re.search(r"CS =0023 .*\n", registers), "it is in user mode"


@pytest.mark.parametrize("name", [ALL, ISOLATED])
def test_no_page_of_the_kernel_is_there_while_a_unit_runs(name: str, boot: Boot) -> None:
    """What a CPU cannot reach it cannot read ahead either: of the whole image only the way in, and of RAM nothing.

    Without: all of it is there, protected by a bit that some CPUs look at too late.
    """
    vm = started(boot, name)
    in_a_unit(vm)
    read = str(vm.qmp("human-monitor-command", 10.0, **{"command-line": "info registers"}))
    entry = int(re.search(r"^IDT= +([0-9a-f]+)", read, re.M)[1], 16)  # type: ignore[index]
    slide = entry - address(built(name), "idt")
    first, last, *shared = (address(built(name), symbol) + slide for symbol in (
        "image_start", "image_end", "image_entry_start", "image_entry_end", "image_shared_start", "image_shared_end"))
    stacks = address(built(name), "cpu_stacks") + slide
    present = {at for at in range(first, last, PAGE) if mapped(vm, at)}
    way_in = {*range(shared[0], shared[1], PAGE), *range(shared[2], shared[3], PAGE)}
    kernel_stacks = {stacks + cpu * STACKS + PAGE * n for cpu in range(8) for n in range(1, 5)}
    exceptions = {stacks + cpu * STACKS + PAGE * (6 + 2 * n) for cpu in range(8) for n in range(3)}
    assert way_in | exceptions <= present
    assert (present == way_in | exceptions) == (name == ISOLATED)
    assert bool(present & kernel_stacks) == (name == ALL)
    assert mapped(vm, DIRECT_MAP + (1 << 21)) == (name == ALL)


def test_an_isolated_kernel_passes_its_own_tests(boot: Boot) -> None:
    """All that ktest tries, kernel and components with every switch on; and once more on several CPUs."""
    iso = image_with(ISOLATED, "ktest", *ON[ISOLATED])
    vm = boot("ktest", primary_clock(), iso)
    vm.expect(r"\ndone \d+ passed, 0 failed\n", timeout=240)
    vm = boot("demo", replace(machine(built(ISOLATED), "demo"), cpus=4))
    vm.expect(PROMPT)
    assert "ping: 4 replies\n" in vm.command("ping")
