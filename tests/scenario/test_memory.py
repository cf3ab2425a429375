# SPDX-License-Identifier: BSD-2-Clause
"""Memory on demand: servers/mem supplies pages that the kernel asks for in its clients' names."""
from __future__ import annotations

import re

import pytest

from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

CHECKS = r"\[{}\] (\d+) checks held, (\d+) failed"


def said(vm: VM, who: str) -> list[str]:
    return re.findall(rf"^(?:tessera> )?\[{who}\] (.*)$", vm.console, re.M)


@pytest.fixture
def memory(boot: Boot) -> VM:
    vm = boot("memory")
    vm.expect(PROMPT)
    return vm


def ended(vm: VM, *names: str) -> None:
    """All these instances have ended, and nobody says anything more."""
    for name in names:
        if f"unit {name}: ended" not in vm.console:
            vm.expect(rf"unit {name}: ended", timeout=60)
    vm.quiet(0.5)


def audit(vm: VM) -> None:
    assert vm.command("audit", timeout=60) == "audit: all adds up\n"


def test_a_page_from_the_first_touch_to_the_last(memory: VM) -> None:
    """kern_vm_fault: each touch that needs a page is one fault, one question and one page; nothing else is any."""
    assert memory.expect(CHECKS.format("flow"), timeout=60)[2] == "0"
    assert said(memory, "flow")[:-1] == [
        "first touch: 8 faults, 8 asked for, 8 zeroed, 0 copied",
        "second touch: 0 faults, 0 asked for, 0 zeroed, 0 copied",
        "clone: 0 faults, 0 asked for, 0 zeroed, 0 copied",
        "both read: 16 faults, 16 asked for, 0 zeroed, 0 copied",
        "copy written: 8 faults, 8 asked for, 0 zeroed, 8 copied",
        "original written: 8 faults, 8 asked for, 0 zeroed, 0 copied"]
    ended(memory, "flow", "abuse")
    audit(memory)


def test_requests_that_are_refused(memory: VM) -> None:
    """Nothing of another's or beyond the own region; a page that may only be read is a fault when it is written."""
    ended(memory, "flow", "abuse")
    assert said(memory, "abuse") == ["writing what may be read only"]
    fault = re.search(r"unit abuse: fault WRITE at (0x[0-9a-f]+)", memory.console)
    assert fault and int(fault[1], 16) == 0x4_0000_0000
    audit(memory)


def test_out_of_memory_ten_times(boot: Boot) -> None:
    """The least important goes first, then who took it all, ten times; nobody else loses anything but caches."""
    vm = boot("pressure", Machine(memory="24M"))
    vm.expect(PROMPT)
    for name in ("keeper", "cacher"):
        if not re.search(CHECKS.format(name), vm.console):
            vm.expect(CHECKS.format(name), timeout=240)
    ended(vm, "keeper", "cacher")
    reasons = [line for line in said(vm, "mem") if line.startswith("out of memory")]
    assert reasons == ["out of memory: small, importance 5, is ended"] + \
        ["out of memory: hog, importance 10, is ended"] * 10
    assert said(vm, "keeper")[0] == "ended 11, low often, out yes, in yes"
    assert [re.fullmatch(r"(\d+) checks held, 0 failed", said(vm, name)[-1]) is not None
            for name in ("keeper", "cacher")] == [True, True]
    assert said(vm, "hog") == [] and "unit hog: ended more than 9 times" in vm.console
    audit(vm)
