# SPDX-License-Identifier: BSD-2-Clause
"""A program handles its own exceptions: fixes, replays, gives up; or is denied by the manifest (apps/exceptions)."""
from __future__ import annotations

import json
import re

import pytest

from lib.images import image
from lib.vm import VM
from scenario.conftest import Boot

FIXED = ["begins", "42 by what the handler says is 21", "read 0x5eed from a page that was not there",
         "3 handled, 1 breakpoint"]
# Instance -> the fault that nobody handled, as init says it.
ENDS = {"gives_up": "READ at 0x10", "other_kind": "INSTRUCTION at ", "in_handler": "READ at 0x18",
        "denied": "SYSCALL at 0x102d"}


@pytest.fixture
def ended(boot: Boot) -> VM:
    """The system when all its four programs have ended."""
    vm = boot("exceptions")
    for _ in ENDS:
        vm.expect(r"unit \w+: ended with code", timeout=60)
    return vm


def test_what_is_fixed_goes_on_and_what_is_not_ends_the_unit(ended: VM) -> None:
    for name, fault in ENDS.items():
        said = re.findall(rf"^\[{name}\] (.*)$", ended.console, re.M)
        assert said == (["begins"] if name == "denied" else FIXED), name
        assert f"unit {name}: fault {fault}" in ended.console


def test_who_may_handle_his_own_is_in_the_plan() -> None:
    calls = json.loads((image("exceptions") / "plan.json").read_text())["calls"]
    assert {name for name, row in calls.items() if "self_fault_handler" in row["may"]} == {
        "gives_up", "other_kind", "in_handler"}
