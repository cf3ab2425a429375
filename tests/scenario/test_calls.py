# SPDX-License-Identifier: BSD-2-Clause
"""Each system call as it should be used, made by the probe v0 with raw numbers and handles."""
from __future__ import annotations

import pytest

from lib.vm import VM
from scenario.orders import order
from scenario.test_arguments import CALLS, code

UNIT, SYSTEM = 1, 10
READ, WRITE, SIGNAL = 1, 2, 0x100
NUMBERS = {call.name: call for call in CALLS}
FREE_ADDRESS = 0x5000_0000


class Probe:
    """v0 with names for its calls: probe.value("event_create", UNIT), probe.error("event_wait", event, 0)."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm

    def value(self, name: str, *arguments: int) -> int:
        """Makes the call, which must succeed; its value."""
        words = " ".join(f"{word:x}" for word in (NUMBERS[name].number, *arguments))
        sign, status, value = order(self.vm, f"v0 call {words}")
        assert (sign, status) == ("=", 0), f"{name}{arguments}: {sign} {status:#x}"
        return value

    def error(self, name: str, *arguments: int) -> str:
        """Makes the call; the name of what it returns."""
        return code(self.vm, "v0", NUMBERS[name], *arguments)


@pytest.fixture
def v0(probe: VM) -> Probe:
    return Probe(probe)


def tag(kind: int, length: int = 0) -> int:
    """A message's tag, as message.h has it."""
    return kind | length << 32


def test_self(v0: Probe) -> None:
    assert v0.value("self_version") == 1
    first = v0.value("self_clock")
    v0.value("self_yield")
    assert v0.error("self_sleep", 20_000) == "TIMEOUT"
    assert v0.value("self_clock") >= first + 20_000


def test_events(v0: Probe) -> None:
    event = v0.value("event_create", UNIT)
    v0.value("event_signal", event, 0b101)
    v0.value("event_signal", event, 0b010)
    assert v0.value("event_wait", event, 0) == 0b111
    assert v0.error("event_wait", event, 0) == "TIMEOUT"
    assert v0.error("event_wait", event, 1_000) == "TIMEOUT"


def test_a_bound_event_ends_a_receive(v0: Probe) -> None:
    event, port = v0.value("event_create", UNIT), v0.value("port_create", UNIT, 4)
    v0.value("event_bind", event, port)
    assert v0.error("port_receive", port, 1_000) == "TIMEOUT"
    v0.value("event_signal", event, 1)
    v0.value("port_receive", port, 0)
    assert v0.error("port_receive", port, 0) == "TIMEOUT"


def test_capabilities(v0: Probe) -> None:
    event = v0.value("event_create", UNIT)
    signaller = v0.value("capability_derive", event, SIGNAL)
    assert v0.value("capability_inspect", signaller) >> 8 & 0xFFFF == SIGNAL
    v0.value("event_signal", signaller, 1)
    assert v0.error("event_wait", signaller, 0) == "RIGHTS"
    assert v0.error("capability_derive", signaller, SIGNAL) == "RIGHTS"
    assert v0.error("capability_derive", event, 1 << 5) in ("ARGUMENT", "RIGHTS")
    v0.value("capability_revoke", event)
    assert v0.error("capability_inspect", signaller) == "CAPABILITY"
    assert v0.value("event_wait", event, 0) == 1
    v0.value("capability_delete", event)
    assert v0.error("capability_inspect", event) == "CAPABILITY"


def test_asynchronous_messages(v0: Probe) -> None:
    port = v0.value("port_create", UNIT, 2)
    connection = v0.value("connection_create", port, UNIT, 7)
    for _ in range(2):
        v0.value("connection_send", connection, tag(5))
    assert v0.error("connection_send", connection, tag(5)) == "FULL"
    for _ in range(2):
        v0.value("port_receive", port, 0)
    assert v0.error("port_receive", port, 0) == "TIMEOUT"


def test_calls_and_replies(v0: Probe) -> None:
    port = v0.value("port_create", UNIT, 2)
    connection = v0.value("connection_create", port, UNIT, 7)
    reply = v0.value("reply_create", port, UNIT)
    assert v0.error("connection_call", connection, tag(5), 1_000) == "TIMEOUT"
    assert v0.error("port_reply_receive", port, 1_000) == "TIMEOUT"
    assert v0.error("reply_send", reply, tag(0)) != "OK"
    v0.value("connection_send", connection, tag(5))
    v0.value("port_reply_receive", port, 0)
    assert v0.error("connection_call", connection, tag(0xFFFF0001), 0) == "ARGUMENT"
    assert v0.error("connection_call", connection, tag(5, 257), 0) == "ARGUMENT"


def test_memory(v0: Probe) -> None:
    memory = v0.value("memory_create", UNIT, 2)
    part = v0.value("memory_slice", memory, 1, 1)
    v0.value("unit_map", UNIT, memory, FREE_ADDRESS, READ | WRITE)
    assert v0.error("unit_map", UNIT, part, FREE_ADDRESS, READ) == "OCCUPIED"
    v0.value("unit_unmap", UNIT, memory)
    v0.value("unit_map", UNIT, part, FREE_ADDRESS, READ)
    assert v0.error("memory_slice", memory, 1, 2) == "ARGUMENT"
    assert v0.error("memory_create", UNIT, 4096) == "MEMORY"


def test_a_unit_of_its_own(v0: Probe) -> None:
    """A child is built, supervised, started at an address with nothing mapped: its parent hears of the fault."""
    port = v0.value("port_create", UNIT, 4)
    supervisor = v0.value("connection_create", port, UNIT, 1)
    child = v0.value("unit_create", UNIT, 24, 32, 0x646C696863, 0)
    event = v0.value("event_create", UNIT)
    v0.value("unit_install", child, 20, event, SIGNAL, 0)
    assert v0.error("unit_install", child, 20, event, SIGNAL, 0) == "OCCUPIED"
    v0.value("unit_supervise", child, supervisor)
    v0.value("unit_restrict", child, (1 << 64) - 1, (1 << 64) - 1)
    thread = v0.value("thread_create", child, 0x10000, 0x20000, 0x30000, 0)
    sched = v0.value("sched_create", SYSTEM, child, 200, 1_000)
    v0.value("sched_configure", SYSTEM, sched, 200 | 1_000 << 32, 500 | 5_000 << 32, 4_000)
    assert v0.error("sched_configure", SYSTEM, sched, 200 | 1_000 << 32, 5_001 | 5_000 << 32, 0) == "ARGUMENT"
    v0.value("sched_watch", sched, event, 1)
    v0.value("thread_start", thread, sched)
    v0.value("port_receive", port, 100_000)
    assert order(v0.vm, "v1 call 1000") == ("=", 0, 1)


def test_kill(v0: Probe) -> None:
    child = v0.value("unit_create", UNIT, 24, 32, 0x646C696863, 0)
    v0.value("unit_kill", child)
    assert v0.error("thread_create", child, 0x10000, 0x20000, 0x30000, 0) != "OK"


def test_restrict_makes_a_call_a_fault(v0: Probe) -> None:
    v0.value("unit_restrict", UNIT, ~(1 << 1) & (1 << 64) - 1, (1 << 64) - 1)
    assert order(v0.vm, "v0 call 1001")[0] == "!"
    assert order(v0.vm, "v1 call 1000") == ("=", 0, 1)


def test_devices(v0: Probe) -> None:
    event = v0.value("event_create", UNIT)
    line = v0.value("irq_create", SYSTEM, 7)
    v0.value("irq_bind", line, event, 1)
    v0.value("irq_ack", line)
    ports = v0.value("ioport_create", SYSTEM, 0x80, 1)
    v0.value("ioport_write", ports, 0, 1, 0)
    v0.value("ioport_read", ports, 0, 1)
    assert v0.error("ioport_read", ports, 0, 2) == "ARGUMENT"
    assert v0.error("ioport_read", ports, 1, 1) == "ARGUMENT"
    v0.value("memory_device", SYSTEM, 0xB8000, 1)
    assert v0.error("memory_device", SYSTEM, 0x100000, 1) == "ARGUMENT", "RAM is no device"


def test_inspection(v0: Probe) -> None:
    assert v0.value("system_inspect", SYSTEM, 1, 0, 0) == 1
    assert v0.error("system_inspect", SYSTEM, 99, 0, 0) == "ARGUMENT"
    assert v0.error("system_inspect", SYSTEM, 1, 1 << 40, 0) == "ARGUMENT"


def test_mailboxes(v0: Probe) -> None:
    port = v0.value("port_create", UNIT, 2)
    connection = v0.value("connection_create", port, UNIT, 7)
    memory = v0.value("memory_create", UNIT, 2)
    v0.value("port_mailbox", port, memory)
    assert v0.error("port_mailbox", port, memory) == "BUSY"
    v0.value("connection_send", connection)
    v0.value("connection_send", connection)
    assert v0.error("connection_send", connection) == "FULL", "nobody has taken one out"


def test_tracing(v0: Probe) -> None:
    memory = v0.value("memory_create", UNIT, 4)
    v0.value("system_trace", SYSTEM, memory, 0xff)
    assert v0.error("system_trace", SYSTEM, memory, 1 << 40) == "ARGUMENT"
    v0.value("capability_delete", memory)
    v0.value("system_trace", SYSTEM, v0.value("memory_create", UNIT, 4), 0)


def test_fault_handlers_and_registers(v0: Probe) -> None:
    """Each is accepted where it should be; what follows from it is in components/apps/ktest."""
    port = v0.value("port_create", UNIT, 1)
    connection = v0.value("connection_create", port, UNIT, 7)
    v0.value("unit_fault_port", UNIT, connection)
    assert v0.error("unit_fault_port", UNIT, port) == "TYPE"
    v0.value("self_fault_handler", 0x400000, 0x500000)
    v0.value("self_fault_handler", 0, 0)
    assert v0.error("self_fault_return", 0) == "GONE"
    v0.value("self_redirect", 0x400000, 0x500000)
    assert v0.error("self_redirect", 1, 0x500000) == "ARGUMENT"
    v0.value("unit_vectors", UNIT)
    v0.value("self_fs_base", 0x400000)
    assert v0.error("self_fs_base", 1 << 63) == "ARGUMENT"
