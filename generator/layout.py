# SPDX-License-Identifier: BSD-2-Clause
"""Whose image and stack lie elsewhere at each start, and whose image is looked at before each restart.

It moves: an instance with a connection in mode PARANOID, at either end. The kernel moves only a whole top-level
page-table entry of its own, so what moves shares none with the rest.

Who restarts what moves compares it before with what the plan says: the supervisor all of them that may be restarted,
init the supervisor, if it moves or vouches for others. For that they can read its sections in the bundle, which lie in
a row there, in the order of in_a_row().
"""
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from generator.elf import PAGE, Image, pages
from generator.supervision import Part

if TYPE_CHECKING:
    from generator.check import Resolved, System
    from generator.plan import Section

MOVED = 1 << 30  # TSS_LAYOUT_MOVED: what is planned below it
APART = 1 << 39  # addresses of one top-level entry
FEW = 1 << 16  # bytes of directory and parameters, at most


def moving(system: "System") -> frozenset[str]:
    """By the manifest; a mode that is raised while the system runs moves nobody."""
    ends = {name for k in system.links if k.guard.mode == "PARANOID" for name in (k.client, k.server)}
    floors = {i.name for i in system.manifest.instances if i.mode == "PARANOID"}
    return frozenset((ends | floors) - {"init"})


def looked_at(system: "System", reader: str) -> frozenset[str]:
    """Whose image the supervisor looks at before it restarts them, or init."""
    guard, moves = system.supervisor, moving(system)
    if guard is None:
        return frozenset()
    others = {i.name for i in system.instances if i.restart.policy != "never"} & moves - {guard.name}
    return frozenset(others if reader == guard.name else {guard.name} if reader == "init" and
                     (others or guard.name in moves) else ())


def in_a_row(sections: Sequence[str], groups: Sequence[Sequence[str]]) -> list[int]:
    """Indexes of sections, by their names, in a new order: of the instances in each group they come last, by name."""
    place = {name: n for n, name in enumerate((name for group in groups for name in group), 1)}

    def rank(index: int) -> tuple[int, str]:
        owner = place.get(sections[index].rpartition(".")[0], 0)
        return owner, sections[index] if owner else ""

    return sorted(range(len(sections)), key=rank)


def parts(group: Sequence[str], sections: "Mapping[str, Sequence[Section]]", rows: Sequence[str]) -> list[Part]:
    """What the supervision table says of their images; `rows`: names in the order of the table."""
    found, page = [], 0
    for name in group:
        for section in sorted(sections[name], key=lambda s: s.name):
            digest = blake2b(section.data, digest_size=32).digest()
            found += [Part(rows.index(name), page, section.size, section.name, digest)] if section.size else []
            page += pages(section.size)
    return found


def window(reader: "Resolved", system: "System", images: Mapping[str, Image], files: Mapping[str, bytes]) -> int:
    """Bytes of what an instance looks at, at most, of what is built; 0 if it is not the supervisor."""
    names = looked_at(system, reader.name)
    read = [i for i in system.instances if i.name in names]
    segments = [s for i in read if i.component.name in images for s in images[i.component.name].segments]
    return (sum(pages(len(s.data)) * PAGE for s in segments) + FEW * len(read) +
            sum(pages(len(files.get(one.path, b""))) * PAGE + PAGE for i in read for one in i.files))
