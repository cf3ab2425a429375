# SPDX-License-Identifier: BSD-2-Clause
"""Whose image and stack lie elsewhere at each start: an instance with a connection in mode PARANOID, at either end.

The kernel moves only a whole top-level page-table entry of its own, so what moves shares none with the rest.
"""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.check import System

MOVED = 1 << 30  # TSS_LAYOUT_MOVED: what is planned below it
APART = 1 << 39  # addresses of one top-level entry


def moving(system: "System") -> frozenset[str]:
    """By the manifest; a mode that is raised while the system runs moves nobody."""
    ends = {name for k in system.links if k.guard.mode == "PARANOID" for name in (k.client, k.server)}
    floors = {i.name for i in system.manifest.instances if i.mode == "PARANOID"}
    return frozenset((ends | floors) - {"init"})
