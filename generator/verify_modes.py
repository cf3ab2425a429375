# SPDX-License-Identifier: BSD-2-Clause
"""verify: what connections declare and the floors of ports, worked out again; see verify_derive.py."""
import re
import struct
from collections.abc import Mapping
from typing import Any

from generator.verify_compose import UNITS, described

MODES = ("FAST", "HARDENED", "PARANOID")
ANY = 2**64 - 1
NONE: tuple[int, ...] = ()  # there is no row


def floor(row: Mapping[str, Any]) -> tuple[int, ...]:
    """Of the ports of an instance: the mode."""
    return (MODES.index(row["mode"]),) if "mode" in row else NONE


def guard(manifest: Mapping[str, Any], client: str, name: str, server: str, interface: bytes | None,
          needs: Mapping[str, Any]) -> tuple[int, ...]:
    """Of a connection: mode, methods, interval_us, burst, shares."""
    rows = manifest["instances"]
    said = (rows[client].get("connect") or {}).get(name, {"memory": True})  # a device on PCI has memory to share
    said = said if isinstance(said, dict) else {}
    own = said.get("mode") or rows[client].get("mode") or (manifest.get("defaults") or {}).get("mode") or "FAST"
    mode = max(MODES.index(own), MODES.index(rows[server].get("mode", "FAST")))
    methods = ANY
    if interface is not None:
        numbers = {method: row["number"] for method, row in (described(interface).get("methods") or {}).items()}
        called = needs.get(name, {}).get("methods", numbers)
        methods = sum(1 << numbers[method] for method in said.get("methods", called))
    interval = burst = 0
    if "rate" in said:
        match = re.fullmatch(r"(\d+) in (\d+)([a-z]+)", said["rate"])
        assert match
        interval = max(int(match[2]) * UNITS[match[3]] // int(match[1]), 1)
        burst = said.get("burst", int(match[1]))
    found = (mode, methods, interval, burst, int(said.get("memory", False)))
    return NONE if found == (0, ANY, 0, 0, 0) else found


def controls(manifest: Mapping[str, Any], connections: list[tuple[str, str]], guard_name: str) -> list[tuple[str, str]]:
    """The connections, as (client, name), whose mode the supervisor may raise: all, if anybody may ask for it."""
    for row in manifest["instances"].values():
        for said in (row.get("connect") or {}).values():
            if isinstance(said, dict) and said["to"].partition(".")[0] == guard_name and "mode" in said.get("may", []):
                return [(client, name) for client, name in connections if client != "init"]
    return []


def control_rows(found: list[tuple[str, str]], first: int) -> bytes:
    """The end of the supervision table."""
    return b"".join(struct.pack("<IIQ16s32s", first + n, 0, 0, client.encode(), name.encode())
                    for n, (client, name) in enumerate(found))
