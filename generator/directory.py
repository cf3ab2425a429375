# SPDX-License-Identifier: BSD-2-Clause
"""directory: what a server is told of its connections: who is behind each badge, and whose device it is."""
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from generator.check import PAGER, Resolved
from generator.elf import pages
from generator.modes import Guard as Wanted

DIRECTORY_ENTRY, DIRECTORY_DEVICE = 64, 32
MOST_IMPORTANT = 255  # init


@dataclass(frozen=True)
class Connection:
    """For plan.json: a connection with its badge and rights by name."""

    client: str
    name: str
    server: str
    interface: str
    badge: int
    rights: tuple[str, ...]
    provided: str
    guard: Wanted = Wanted()


def paged_pages(connection: Connection, client: Resolved | None) -> int:
    """Pages of the region whose pages come through this connection."""
    return pages(client.paged) if client is not None and connection.interface == PAGER else 0


def directory(found: list[Connection], clients: Mapping[str, Resolved]) -> bytes:
    """The clients of one server in the order of badges, ended by an entry of zeros."""
    entries = [struct.pack("<QII", c.badge, clients[c.client].importance if c.client in clients else MOST_IMPORTANT,
                           paged_pages(c, clients.get(c.client))) + c.client.encode().ljust(16, b"\0") +
               c.name.encode().ljust(32, b"\0") for c in sorted(found, key=lambda c: (c.badge, c.client, c.name))]
    return b"".join(entries) + bytes(DIRECTORY_ENTRY)


def managed(found: list[Connection], clients: Mapping[str, Resolved]) -> bytes:
    """What follows in the directory of the manager of PCI: which device each of its connections is."""
    rows = []
    for c in sorted(found, key=lambda c: c.badge):
        client = clients.get(c.client)
        device = next((d.device for d in client.devices if d.slot == c.name), None) if client is not None else None
        if client is not None and device is not None:
            slot = next(d for d in client.component.devices if d.name == c.name)
            rows.append(struct.pack("<QQIIQ", c.badge, device.base, slot.dma, slot.vectors, 0))
    return b"".join(rows) + bytes(DIRECTORY_DEVICE)
