# SPDX-License-Identifier: BSD-2-Clause
"""Devices on PCI: found, handed to the driver that the manifest names, taken back, given again."""
from __future__ import annotations

import re

import pytest

from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

BOARDS = ("pc", "q35")
CHUNK, DRAWN = 256, 8  # bytes that the driver asks for at once, and of which a restart makes use
RNG = ("-device", "virtio-rng-pci")
BYTES = re.compile(r"(?:[0-9a-f]{2} ){15}[0-9a-f]{2}\n")


def started(boot: Boot, *devices: str, board: str = "q35", cpus: int = 1, system: str = "devices") -> VM:
    vm = boot(system, Machine(board=board, cpus=cpus, extra=devices))
    vm.expect(PROMPT, timeout=120)
    return vm


def random(vm: VM) -> str:
    """Sixteen bytes, which never come twice."""
    text = vm.command("random")
    assert BYTES.fullmatch(text), text
    return text


def interrupts(vm: VM) -> int:
    """How often the driver's message has come."""
    found = re.search(r"^line +(\d+) +(\d+) rng$", vm.command("irqs"), re.M)
    assert found and int(found[1]) >= 64
    return int(found[2])


def back(vm: VM, name: str) -> None:
    """The supervisor has restarted it since `kill`."""
    vm.expect(rf"unit {name}: restarted", timeout=60)


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("board", BOARDS)
def test_random_bytes_come_by_interrupt(board: str, cpus: int, boot: Boot) -> None:
    vm = started(boot, *RNG, board=board, cpus=cpus)
    before = interrupts(vm)
    seen = {random(vm) for _ in range(40)}
    assert len(seen) == 40
    assert interrupts(vm) > before
    assert re.search(r"^00:0\d\.0 1af4:1005 class 00\.ff\.00, \d vectors, rng$", vm.command("lspci"), re.M)
    assert vm.command("audit") == "audit: all adds up\n"


def test_without_the_device(boot: Boot) -> None:
    """The driver says so and lives on; the manager lists what there is."""
    vm = started(boot)
    assert vm.command("random") == "random: there is no device\n"
    assert "[rng] virtio_rng: there is no such device" in vm.command("log")
    text = vm.command("lspci")
    assert "rng" not in text and re.search(r"^00:00\.0 8086:\w{4} class 06\.00\.00, 0 vectors, nobody's$", text, re.M)


def test_the_driver_comes_back(boot: Boot) -> None:
    vm = started(boot, *RNG)
    seen = {random(vm)}
    for _ in range(3):
        vm.command("kill rng")
        back(vm, "rng")
        seen |= {random(vm), random(vm)}
    assert len(seen) == 7 and interrupts(vm) > 0
    assert vm.command("audit") == "audit: all adds up\n"


def test_restarts_draw_from_the_device(boot: Boot) -> None:
    """Where a unit lies that moves is drawn with the device's help; without it or with it dead, restarts go on."""
    vm = started(boot, *RNG)
    before = interrupts(vm)
    for _ in range(CHUNK // DRAWN):  # the driver asks for more when it has given away a chunk
        assert "restart power: done" in vm.command("restart power")
    assert interrupts(vm) == before + 1
    vm.command("kill rng")
    back(vm, "rng")
    vm = started(boot)
    assert "restart power: done" in vm.command("restart power")


def test_the_manager_comes_back(boot: Boot) -> None:
    """What it had given out is gone; its client starts anew and finds the device as it should be."""
    vm = started(boot, *RNG)
    seen = {random(vm)}
    vm.command("kill pci")
    back(vm, "pci")
    back(vm, "rng")
    seen |= {random(vm), random(vm)}
    assert len(seen) == 3 and interrupts(vm) > 0
    assert vm.command("audit") == "audit: all adds up\n"


def test_on_another_cpu(boot: Boot) -> None:
    """The driver's messages go to the CPU that it runs on."""
    vm = started(boot, *RNG, cpus=2, system="devices_spread")
    assert len({random(vm) for _ in range(20)}) == 20
    assert interrupts(vm) > 0


def test_behind_a_bridge(boot: Boot) -> None:
    """A device that is modern only, on a bus of its own."""
    vm = started(boot, "-device", "pcie-root-port,id=behind,bus=pcie.0,chassis=1", "-device",
                 "virtio-rng-pci,bus=behind")
    random(vm)
    assert re.search(r"^01:00\.0 1af4:1044 .* rng$", vm.command("lspci"), re.M)


def test_who_asks_for_more_is_refused(boot: Boot) -> None:
    """Another's device cannot be had, nor the table of interrupts, nor more than was promised; what is gone faults."""
    vm = started(boot, *RNG, *RNG, system="devices_test")
    if not re.search(r"\d+ checks held", vm.console):
        vm.expect(r"\d+ checks held", timeout=60)
    vm.expect(r"unit thief: fault (?:READ|WRITE) at 0x6000", timeout=60)
    assert re.findall(r"\[thief\] (.*)", vm.console) == ["54 checks held, 0 failed"]
    random(vm)
    assert re.search(r"^00:0\d\.0 1af4:1005 .* thief$", vm.command("lspci"), re.M)
    assert vm.command("audit") == "audit: all adds up\n"
