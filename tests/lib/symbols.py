# SPDX-License-Identifier: BSD-2-Clause
"""Names for addresses: turns `kernel+0x1234` in a console log into `kernel+0x1234 (port_call+0x20)`."""
from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from pathlib import Path

KERNEL_BASE = 0xFFFFFFFF80000000
ADDRESS = re.compile(r"\bkernel\+0x([0-9a-f]+)\b(?! \([a-z])")


@dataclass(frozen=True)
class Symbols:
    """Sorted addresses with the names that start there, as `nm -n` lists them."""

    addresses: tuple[int, ...]
    names: tuple[str, ...]

    def name(self, address: int) -> str:
        """`function+0xoffset` for an address, or "?" below the first symbol."""
        index = bisect.bisect_right(self.addresses, address) - 1
        return f"{self.names[index]}+{address - self.addresses[index]:#x}" if index >= 0 else "?"

    def explain(self, text: str) -> str:
        """Adds the name behind each `kernel+0x...`."""
        return ADDRESS.sub(lambda m: f"{m[0]} ({self.name(KERNEL_BASE + int(m[1], 16))})", text)


def load(path: Path) -> Symbols:
    """Reads a .sym file: lines of `address type name`."""
    rows = [line.split() for line in path.read_text().splitlines()]
    code = [(int(row[0], 16), row[2]) for row in rows if len(row) == 3]
    return Symbols(tuple(address for address, _ in code), tuple(name for _, name in code))
