# SPDX-License-Identifier: BSD-2-Clause
"""verify: devices on PCI, which are connections to their manager, worked out again; see verify_derive.py."""
import re
import struct
from collections.abc import Mapping
from typing import Any

from generator.verify_compose import UNITS

PAGE = 4096


def _chosen(row: Mapping[str, Any], name: str, described: Mapping[str, Any]) -> str:
    return str((row.get("devices") or {}).get(name, described.get("default", "none")))


def on_pci(row: Mapping[str, Any], description: Mapping[str, Any]) -> list[str]:
    """Names of the devices of an instance that are on PCI and not left out."""
    return [name for name, described in (description.get("devices") or {}).items()
            if described["class"] == "pci" and _chosen(row, name, described) != "none"]


def interface_of(description: Mapping[str, Any], name: str) -> str:
    """Of what a connection of the component is for."""
    needs = description.get("needs") or {}
    return str(needs[name]["interface"]) if name in needs else "pci"


def which(text: str) -> int:
    """What a device's address is in the manager's table."""
    body, _, index = text[len("pci:"):].partition("#")
    words = re.split("[:./]", body)
    if words[0] == "class":
        found = 2 << 60 | len(words) - 1 << 24 | sum(int(word, 16) << 16 - 8 * i for i, word in enumerate(words[1:]))
    elif words[0] == "slot":
        found = 3 << 60 | int(words[1], 16) << 8 | int(words[2], 16) << 3 | int(words[3])
    else:
        found = 1 << 60 | int(words[0], 16) << 32 | int(words[1], 16) << 16 | int(words[-1], 16)
    return found | int(index or "0") << 48


def _pages(size: Any) -> int:
    match = re.fullmatch(r"(\d+)([KMG]?)", str(size))
    assert match
    return -(-int(match[1]) * UNITS[match[2]] // PAGE)


def device_rows(rows: Mapping[str, Any], descriptions: Mapping[str, Mapping[str, Any]],
                connections: list[tuple[int, str, str]]) -> bytes:
    """The manager's table; `connections` to it are (badge, client, name), sorted."""
    data = b""
    for badge, client, name in connections:
        described = (descriptions[client].get("devices") or {}).get(name) if client in descriptions else None
        if described is not None:
            data += struct.pack("<QQIIQ", badge, which(_chosen(rows[client], name, described)),
                                _pages(described.get("dma", 0)), described.get("vectors", 0), 0)
    return data + bytes(32)
