# SPDX-License-Identifier: BSD-2-Clause
"""Memory on demand: servers/mem supplies pages that the kernel asks for in its clients' names."""
from __future__ import annotations

import re

import pytest

from lib.vm import PROMPT, VM
from scenario.conftest import Boot

CHECKS = r"\[{}\] (\d+) checks held, (\d+) failed"


def said(vm: VM, who: str) -> list[str]:
    return re.findall(rf"^(?:tessera> )?\[{who}\] (.*)$", vm.console, re.M)


@pytest.fixture
def memory(boot: Boot) -> VM:
    vm = boot("memory")
    vm.expect(PROMPT)
    return vm


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
    audit(memory)


def test_requests_that_are_refused(memory: VM) -> None:
    """Nothing of another's or beyond the own region; a page that may only be read is a fault when it is written."""
    memory.expect(r"unit abuse: ended with code \d+", timeout=60)
    assert said(memory, "abuse") == ["writing what may be read only"]
    fault = re.search(r"unit abuse: fault WRITE at (0x[0-9a-f]+)", memory.console)
    assert fault and int(fault[1], 16) == 0x4_0000_0000
    audit(memory)
