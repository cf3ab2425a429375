# SPDX-License-Identifier: BSD-2-Clause
"""Device addresses: `ioport:0x3f8`, `irq:4`, `mmio:0xfee00000`; what is in range and what collides.

`mmio:framebuffer` or `ioport:pm1a` names what only the running machine's firmware can place; see FIRMWARE.

What is on PCI is a connection to its manager, which finds it when the system runs: `pci:1af4:1044` by vendor and device
(`pci:1af4:1005/1044`: one of two), `pci:class:01.08` or `pci:class:01.08.02` by class, `pci:slot:00:1f.2` by place; of
several that fit, `#1` is the second. `dma` is memory whose pages lie in a row, for devices; it has no address.
"""
import re
from dataclasses import dataclass

PAGE = 4096
PCI = re.compile(r"pci:(?:([0-9a-f]{4}):([0-9a-f]{4})(?:/([0-9a-f]{4}))?"
                 r"|class:([0-9a-f]{2}\.[0-9a-f]{2}(?:\.[0-9a-f]{2})?)"
                 r"|slot:([0-9a-f]{2}):([01][0-9a-f])\.([0-7]))(?:#([0-9]{1,2}))?")
MANAGED = "pci"  # class of devices that are connections to the instance which provides the interface of that name
CLASSES = ("ioport", "irq", "mmio", MANAGED, "dma")
# First value past the end; the kernel has 64 interrupt lines (TSS_IRQ_MESSAGES) and maps devices below 64 TiB.
RANGES = {"ioport": 0x10000, "irq": 64, "mmio": 1 << 46}
# The order is that of enum tss_firmware in tessera/table.h. `facts` is a page made for each who asks.
FIRMWARE = {"mmio": ("facts", "framebuffer", "dsdt"), "ioport": ("pm1a", "pm1b", "smi", "reset")}
SHARED, WRITABLE = ("facts",), ("", "framebuffer")
UNIT = {"ioport": 1, "irq": 1, "mmio": PAGE, MANAGED: 1, "dma": 0}  # what one of `count` stands for


@dataclass(frozen=True)
class Device:
    """`count` I/O ports from `base`, interrupt line `base`, or `count` pages from physical address `base`.

    With `firmware`, at most so much of what the firmware calls so, wherever it lies; `base` is 0 then. On PCI, `base`
    is what tss_directory_device calls `which`, and `text` says it as the manifest does.
    """

    kind: str
    base: int
    count: int
    firmware: str = ""
    text: str = ""

    @property
    def end(self) -> int:
        return self.base + self.count * UNIT[self.kind]

    def overlaps(self, other: "Device") -> bool:
        if self.firmware or other.firmware:
            return self.firmware == other.firmware and self.firmware not in SHARED
        return self.kind == other.kind and self.base < other.end and other.base < self.end

    def __str__(self) -> str:
        if self.text:
            return self.text
        if self.firmware:
            return f"{self.kind}:{self.firmware}"
        if self.kind == "dma":
            return f"dma, {self.count} pages in a row"
        if self.kind == "irq":
            return f"irq:{self.base}"
        return f"{self.kind}:{self.base:#x}-{self.end - 1:#x}"


def _on_pci(text: str) -> Device | str:
    match = PCI.fullmatch(text)
    if not match:
        return "is not a device address"
    vendor, first, second, kind, bus, slot, function, index = match.groups()
    if vendor:
        what, value = 1, int(vendor, 16) << 32 | int(first, 16) << 16 | int(second or first, 16)
    elif kind:
        what, value = 2, kind.count(".") + 1 << 24 | int(kind.replace(".", "").ljust(6, "0"), 16)
    else:
        what, value = 3, int(bus, 16) << 8 | int(slot, 16) << 3 | int(function)
    return Device(MANAGED, what << 60 | int(index or 0) << 48 | value, 1, text=text)


def parse(text: str, kind: str, count: int) -> Device | str:
    """The device that `text` names, or what is wrong with it."""
    if kind == MANAGED and text.startswith("pci:"):
        return _on_pci(text)
    named = re.fullmatch(r"([a-z]+):([a-z][a-z0-9]*)", text)
    if named and named[1] == kind and named[2] in FIRMWARE.get(kind, ()):
        return Device(kind, 0, count, named[2])
    match = re.fullmatch(r"([a-z]+):(0x[0-9a-f]{1,16}|0|[1-9][0-9]{0,18})", text)
    if not match:
        return "is not a device address"
    if match[1] not in CLASSES:
        return f"is of the unknown class {match[1]}"
    if match[1] != kind:
        return f"is of class {match[1]}, but the component wants {kind}"
    device = Device(kind, int(match[2], 0), count)
    if kind == "mmio" and device.base % PAGE:
        return "does not lie at a page boundary"
    if device.end > RANGES[kind]:
        return f"ends past the last {kind} address {RANGES[kind] - 1:#x}"
    return device
