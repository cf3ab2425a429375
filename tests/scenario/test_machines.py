# SPDX-License-Identifier: BSD-2-Clause
"""One image, many machines: boards, clocks, memory and its holes, and the ISO's bytes on disks and USB sticks.

`make test` boots one machine of each kind; those marked `machines` are for `make test-machines`.
"""
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lib.bochs import Bochs
from lib.images import iso
from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

MEBIBYTE = 1 << 20


def cases(rows: dict[str, tuple[object, ...]]) -> list[object]:
    """Rows for parametrize, named; one whose name begins with a star is for the wide matrix only."""
    return [pytest.param(*row, id=name.lstrip("*"), marks=[pytest.mark.machines] if name.startswith("*") else [])
            for name, row in rows.items()]


def answers(vm: VM) -> int:
    """The system is up, its clock and timer work; how much RAM it found, in MiB."""
    vm.expect(PROMPT, timeout=120)
    assert "ping: 4 replies" in vm.command("ping")
    first, second = (float(re.findall(r"up (\d+\.\d+) s", vm.command("uptime"))[0]) for _ in range(2))
    assert 0 < first <= second < 600
    found = re.search(r"(\d+) MiB of RAM in (\d+) regions", vm.console)
    assert found
    return int(found[1])


# Without HPET the PIT calibrates; without the CPU's deadline timer the local APIC counts down.
CLOCKS: dict[str, tuple[object, ...]] = {
    "pit": (Machine(board="q35,hpet=off"),),
    "*pit, counting": (Machine(board="q35,hpet=off", cpu="max,-tsc-deadline"),),
    "pc, pit, counting": (Machine(board="pc,hpet=off", cpu="max,-tsc-deadline"),),
    "*pc, hpet": (Machine(board="pc,hpet=on"),),
    "*hpet, counting": (Machine(cpu="max,-tsc-deadline"),),
    "*uefi, pit": (Machine(board="q35,hpet=off", firmware="uefi"),),
    "*no tables": (Machine(board="pc,acpi=off"),),
    "*old cpu": (Machine(board="pc,hpet=off", cpu="qemu64"),),
}


@pytest.mark.parametrize("machine", cases(CLOCKS))
def test_clocks(machine: Machine, boot: Boot) -> None:
    vm = boot("demo", machine)
    answers(vm)
    config = vm.command("config")
    assert ("hpet=lacking" in config) == ("hpet=off" in machine.board or "acpi=off" in machine.board)
    if "-tsc-deadline" in machine.cpu:
        assert "tsc_deadline=lacking" in config


# The hole below 4 GiB begins where the board says; `pc` lets it be moved, which leaves RAM on both sides.
MEMORIES: dict[str, tuple[object, ...]] = {
    "24M": (24, Machine(memory="24M")),
    "pc, 1G of 6G below": (6144, Machine(board="pc,max-ram-below-4g=1G", memory="6G")),
    "*3G": (3072, Machine(memory="3G")),
    "*5G": (5120, Machine(memory="5G")),
    "*9G, uefi": (9216, Machine(memory="9G", firmware="uefi")),
    "*pc, 2G of 5G below": (5120, Machine(board="pc,max-ram-below-4g=2G", memory="5G")),
    "*q35, 1G of 3G below": (3072, Machine(board="q35,max-ram-below-4g=1G", memory="3G")),
    "*uefi, 1G of 3G below": (3072, Machine(board="q35,max-ram-below-4g=1G", memory="3G", firmware="uefi")),
}


@pytest.mark.parametrize("size, machine", cases(MEMORIES))
def test_memory(size: int, machine: Machine, boot: Boot) -> None:
    """All of it is found, above 4 GiB too, and what lies around the holes is counted once."""
    vm = boot("demo", machine)
    found = answers(vm)
    assert size - 64 <= found <= size
    regions = re.search(r"RAM in (\d+) regions", vm.console)
    split = size > 2560 or "max-ram" in machine.board
    assert regions and int(regions[1]) >= 2 + split
    total = re.search(r"total (\d+) KiB", vm.command("mem"))
    assert total and abs(int(total[1]) // 1024 - found) <= 1


STICKS: dict[str, tuple[object, ...]] = {
    "usb, bios": ("usb-storage,drive=stick", Machine(extra=("-device", "qemu-xhci"))),
    "usb, uefi": ("usb-storage,drive=stick", Machine(firmware="uefi", extra=("-device", "qemu-xhci"))),
    "*ehci, bios": ("usb-storage,drive=stick", Machine(board="pc", extra=("-device", "usb-ehci"))),
    "*ehci, uefi": ("usb-storage,drive=stick", Machine(firmware="uefi", extra=("-device", "usb-ehci"))),
    "ide, bios": ("ide-hd,drive=stick", Machine(board="pc")),
    "*ide, uefi": ("ide-hd,drive=stick", Machine(board="pc", firmware="uefi")),
    "*ahci, bios": ("ide-hd,drive=stick", Machine()),
    "*virtio, bios": ("virtio-blk-pci,drive=stick", Machine()),
    "*virtio, uefi": ("virtio-blk-pci,drive=stick", Machine(firmware="uefi")),
}


@pytest.mark.parametrize("device, machine", cases(STICKS))
def test_written_to_a_stick(device: str, machine: Machine, boot: Boot, tmp_path: Path) -> None:
    """The ISO's bytes on a larger disk, as `dd` leaves them, and no CD drive in sight."""
    disk = tmp_path / "disk.raw"
    with disk.open("wb") as file:
        file.write(iso("demo").read_bytes())
        file.truncate(64 * MEBIBYTE)
    drive = ("-drive", f"if=none,id=stick,format=raw,file={disk}", "-device", f"{device},bootindex=1")
    answers(boot("demo", replace(machine, cd=False, extra=(*machine.extra, *drive))))


def test_bochs() -> None:
    """Another emulator, with its own BIOS, chipset and tables: up, answering, and off by what its tables say."""
    with Bochs(iso("demo")) as bochs:
        bochs.expect(PROMPT)
        bochs.send("ping\r")
        bochs.expect("ping: 4 replies")
        bochs.send("config\r")
        bochs.expect("pcid=1")  # which no machine of QEMU's has
        bochs.send("poweroff\r")
        assert "soft power off" in bochs.wait_exit()


@pytest.mark.machines
def test_bochs_from_a_disk() -> None:
    with Bochs(iso("demo"), disk=True) as bochs:
        bochs.expect(PROMPT)
