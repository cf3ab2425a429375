# SPDX-License-Identifier: BSD-2-Clause
"""A unit that does what is forbidden ends, alone, and its supervisor hears why. Uses the system probe."""
from __future__ import annotations

import re

import pytest

from lib.vm import VM
from scenario.conftest import Boot
from scenario.orders import order

PEER_DEAD = 15
# A CPU says STACK to bad_stack, TCG says PRIVILEGE.
# kind as in components/apps/probe/raw.c -> name of the fault in faults.def
KINDS = {
    "read_null": "READ", "write_null": "WRITE", "write_text": "WRITE", "write_rodata": "WRITE",
    "execute_data": "EXECUTE", "execute_stack": "EXECUTE", "read_kernel": "READ",
    "undefined_instruction": "INSTRUCTION", "privileged_instruction": "PRIVILEGE", "interrupts_off": "PRIVILEGE",
    "port_access": "PRIVILEGE", "software_interrupt": "PRIVILEGE", "divide_by_zero": "ARITHMETIC",
    "breakpoint": "DEBUG", "vector_instruction": "VECTOR", "bad_stack": "(STACK|PRIVILEGE)", "stack_overflow": "WRITE",
    "jump_nowhere": "PRIVILEGE", "bad_number": "SYSCALL", "number_past_the_table": "SYSCALL",
    "huge_number": "SYSCALL", "float_instruction": "VECTOR", "store_table": "PRIVILEGE", "smash_stack": "READ",
}


@pytest.mark.parametrize("name", list(KINDS))
def test_ends_only_its_unit(name: str, probe: VM) -> None:
    sign, status, _ = order(probe, f"v0 fault {list(KINDS).index(name):x}")
    assert (sign, status & 0xff) == ("!", PEER_DEAD)
    assert re.search(rf"\bv0\b.*\b{KINDS[name]}\b", probe.console + probe.quiet(0.3)), probe.console
    for other in ("self", "v1", "v7"):
        assert order(probe, f"{other} call 1000") == ("=", 0, 1)


def test_all_of_them_one_after_the_other(probe: VM) -> None:
    for victim in range(8):
        assert order(probe, f"v{victim} fault {victim:x}")[0] == "!"
    assert order(probe, "self call 1000") == ("=", 0, 1)


def test_the_console_itself_may_fall(boot: Boot) -> None:
    vm = boot("probe")
    vm.expect("probe> ")
    vm.send("self fault 0\r")
    vm.expect(r"\bconsole\b.*\bREAD\b")
    vm.quiet(0.5)
