# SPDX-License-Identifier: BSD-2-Clause
"""Device addresses: numbers and what only the firmware can place."""
from __future__ import annotations

import re

import pytest

from generator.devices import FIRMWARE, Device, parse
from generator.verify_derive import FIRMWARE as VERIFIED
from lib.images import TOP


def test_names_are_those_of_the_contract() -> None:
    header = (TOP / "components/lib/include/tessera/table.h").read_text()
    numbers = {name.lower(): int(number) for name, number in re.findall(r"TSS_FIRMWARE_(\w+) = (\d+)", header)}
    del numbers["count"]
    assert numbers == VERIFIED == {name: i for i, name in enumerate([*FIRMWARE["mmio"], *FIRMWARE["ioport"]], 1)}


def test_firmware_devices() -> None:
    device = parse("mmio:framebuffer", "mmio", 16)
    assert device == Device("mmio", 0, 16, "framebuffer") and str(device) == "mmio:framebuffer"
    assert device.overlaps(device) and not device.overlaps(Device("mmio", 0, 4096))
    assert not Device("mmio", 0, 1, "facts").overlaps(Device("mmio", 0, 1, "facts"))


@pytest.mark.parametrize("text, kind", [("mmio:pm1a", "mmio"), ("ioport:dsdt", "ioport"), ("irq:smi", "irq"),
                                        ("ioport:pm1a", "mmio"), ("mmio:", "mmio"), ("mmio:frame", "mmio")])
def test_what_is_no_device(text: str, kind: str) -> None:
    assert isinstance(parse(text, kind, 1), str)
