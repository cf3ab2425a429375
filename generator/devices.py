# SPDX-License-Identifier: BSD-2-Clause
"""Device addresses: `ioport:0x3f8`, `irq:4`, `mmio:0xfee00000`; what is in range and what collides.

`mmio:framebuffer` or `ioport:pm1a` names what only the running machine's firmware can place; see FIRMWARE.
"""
import re
from dataclasses import dataclass

PAGE = 4096
# First value past the end; the kernel has 64 interrupt lines (IRQ_LINES) and maps devices below 64 TiB.
RANGES = {"ioport": 0x10000, "irq": 64, "mmio": 1 << 46}
# The order is that of enum tss_firmware in tessera/table.h. `facts` is a page made for each who asks.
FIRMWARE = {"mmio": ("facts", "framebuffer", "dsdt"), "ioport": ("pm1a", "pm1b", "smi", "reset")}
SHARED, WRITABLE = ("facts",), ("", "framebuffer")
UNIT = {"ioport": 1, "irq": 1, "mmio": PAGE}  # what one of `count` stands for


@dataclass(frozen=True)
class Device:
    """`count` I/O ports from `base`, interrupt line `base`, or `count` pages from physical address `base`.

    With `firmware`, at most so much of what the firmware calls so, wherever it lies; `base` is 0 then.
    """

    kind: str
    base: int
    count: int
    firmware: str = ""

    @property
    def end(self) -> int:
        return self.base + self.count * UNIT[self.kind]

    def overlaps(self, other: "Device") -> bool:
        if self.firmware or other.firmware:
            return self.firmware == other.firmware and self.firmware not in SHARED
        return self.kind == other.kind and self.base < other.end and other.base < self.end

    def __str__(self) -> str:
        if self.firmware:
            return f"{self.kind}:{self.firmware}"
        if self.kind == "irq":
            return f"irq:{self.base}"
        return f"{self.kind}:{self.base:#x}-{self.end - 1:#x}"


def parse(text: str, kind: str, count: int) -> Device | str:
    """The device that `text` names, or what is wrong with it."""
    named = re.fullmatch(r"([a-z]+):([a-z][a-z0-9]*)", text)
    if named and named[1] == kind and named[2] in FIRMWARE.get(kind, ()):
        return Device(kind, 0, count, named[2])
    match = re.fullmatch(r"([a-z]+):(0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,18})", text)
    if not match:
        return "is not a device address"
    if match[1] not in RANGES:
        return f"is of the unknown class {match[1]}"
    if match[1] != kind:
        return f"is of class {match[1]}, but the component wants {kind}"
    device = Device(kind, int(match[2], 0), count)
    if kind == "mmio" and device.base % PAGE:
        return "does not lie at a page boundary"
    if device.end > RANGES[kind]:
        return f"ends past the last {kind} address {RANGES[kind] - 1:#x}"
    return device
