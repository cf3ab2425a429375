# SPDX-License-Identifier: BSD-2-Clause
"""Every system call with wrong types, missing rights and arguments out of range: an error, never more than that.

The table of the calls is read from syscalls.def; what each unit holds from plan.json. The probe v0 makes the calls.
"""
from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from lib.images import TOP, image
from lib.vm import VM
from scenario.orders import order

ROW = re.compile(r"^SYSCALL\((\w+), (\w+), (\w+), (\w+), (\w+), (\d), (\w+),", re.M)
CODES = {name: int(code) for code, name in
         re.findall(r"^ERROR\((\d+), (\w+)", (TOP / "kernel/include/abi/errors.def").read_text(), re.M)}
NAMES: dict[int, str] = {number: name for name, number in CODES.items()}
HUGE = (1, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 47, 1 << 63, (1 << 64) - 1)
# Not thrown at the probe itself: what blocks, what ends or cripples the caller, what prints. They have their own tests.
LEFT_OUT = {"self_sleep", "port_receive", "port_reply_receive", "connection_call", "event_wait", "self_exit",
            "unit_kill", "unit_restrict", "unit_interpose"}


@dataclass(frozen=True)
class Call:
    """One row of syscalls.def."""

    number: int
    name: str
    type: str
    verb: str
    right: str
    argc: int

    def __str__(self) -> str:
        return self.name


CALLS = [Call(int(n, 0), f"{o}_{v}", t, v, r, int(c)) for n, o, t, v, r, c, _ in
         ROW.findall((TOP / "kernel/include/abi/syscalls.def").read_text())]
WITH_CAPABILITY = [call for call in CALLS if call.type != "NONE"]


def held(name: str) -> list[dict[str, Any]]:
    """The capabilities of an instance of the probe system."""
    plan = json.loads((image("probe") / "plan.json").read_text())
    capabilities: list[dict[str, Any]] = next(i for i in plan["instances"] if i["name"] == name)["capabilities"]
    return capabilities


def code(vm: VM, who: str, call: Call, *arguments: int) -> str:
    """Name of the error code that a call by that probe ends with."""
    words = " ".join(f"{word:x}" for word in (call.number, *arguments))
    sign, status, _ = order(vm, f"{who} call {words}")
    assert sign == "=", f"{call.name}{arguments}: the probe did not survive"
    return NAMES[status & 0xFF]


def test_the_table_is_read() -> None:
    assert [call.number for call in CALLS] == list(range(0x1000, 0x1000 + len(CALLS))), "abi.h counts on it"
    assert {call.name for call in CALLS} >= {"self_version", "system_inspect"}


@pytest.mark.parametrize("call", WITH_CAPABILITY, ids=str)
def test_no_capability(call: Call, probe: VM) -> None:
    """Empty slots, slots outside the space, stale generations: CAPABILITY, whatever the other arguments are."""
    slots = {capability["slot"] for capability in held("v0")}
    empty = next(slot for slot in range(16, 256) if slot not in slots)
    for handle in (0, empty, 255, 256, 4096, 0xFFFF, 2 | 1 << 16, 0xFFFFFFFF):
        assert code(probe, "v0", call, handle, 0, 0, 0, 0) == "CAPABILITY", hex(handle)


@pytest.mark.parametrize("call", [c for c in WITH_CAPABILITY if c.name != "capability_delete"], ids=str)
def test_wrong_type_or_missing_right(call: Call, probe: VM) -> None:
    """Each capability v0 has, used with a call it is not for."""
    for capability in held("v0"):
        if capability["type"] == "REPLY":  # its handle changes with each caller
            continue
        right_type = call.type in ("ANY", capability["type"])
        if right_type and (call.right == "NONE" or call.right in capability["rights"]):
            continue
        expected = "RIGHTS" if right_type else "TYPE"
        assert code(probe, "v0", call, capability["slot"], 0, 0, 0, 0) == expected, capability


@pytest.mark.parametrize("call", [c for c in CALLS if c.name not in LEFT_OUT], ids=str)
def test_arguments_out_of_range(call: Call, probe: VM) -> None:
    """Huge numbers in every place: an answer, and the machine goes on."""
    # Answering its own caller with garbage, or dropping what it runs on, is the probe's right: not tried here.
    own = [capability["slot"] for capability in held("v0") if call.type in ("ANY", capability["type"])
           and capability["type"] != "REPLY" and call.name != "capability_delete"]
    for first in (own[:1] if call.type != "NONE" else [0]):
        for value in HUGE:
            code(probe, "v0", call, *([first] if call.type != "NONE" else [value]), value, value, value, value)
    assert order(probe, "v1 call 1000") == ("=", 0, 1)


def test_each_absent_connection_is_denied(probe: VM) -> None:
    """v0 is connected to nobody: no handle in its space can be called or sent through."""
    assert not [c for c in held("v0") if c["type"] == "CONNECTION"]
    for call in [c for c in CALLS if c.name in ("connection_call", "connection_send")]:
        denied = {code(probe, "v0", call, slot, 0, 0) for slot in range(64)}
        assert denied <= {"CAPABILITY", "TYPE"}


def test_delete(probe: VM) -> None:
    """Deleting a handle empties the slot; the handle is stale then."""
    delete = next(call for call in CALLS if call.name == "capability_delete")
    inspect = next(call for call in CALLS if call.name == "capability_inspect")
    slot = next(c["slot"] for c in held("v0") if c["type"] == "EVENT")
    assert code(probe, "v0", inspect, slot) == "OK"
    assert code(probe, "v0", delete, slot) == "OK"
    assert code(probe, "v0", inspect, slot) == "CAPABILITY"
    assert code(probe, "v0", delete, slot) == "CAPABILITY"


def test_exit_ends_the_unit_alone(probe: VM) -> None:
    assert order(probe, "v2 call 1004 7")[0] == "!"
    assert order(probe, "v3 call 1000") == ("=", 0, 1)
