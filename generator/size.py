# SPDX-License-Identifier: BSD-2-Clause
"""size: a system's memory by component and kind, in bytes, and how two systems differ in it.

`text` and `rodata` lie in the bundle and are mapped from there; all else is of the instance's budget, whose rest is
`spare`. Rows `kernel`, `bundle` and `image` are files, of what is built.
"""
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from generator import budget
from generator.check import System
from generator.elf import PAGE, Image

MAPPED = ("text", "rodata")
KINDS = (*MAPPED, *budget.KINDS, "spare")
FILES = ("kernel", "bundle", "image")


def facts(system: System, images: Mapping[str, Image], attached: Mapping[str, bytes],
          files: Mapping[str, int]) -> dict[str, Any]:
    """What `tessera size --json` prints. Components that are not built have no image."""
    rows = []
    for instance in system.instances:
        image = images.get(instance.component.name)
        found = budget.by_kind(instance, system, images, attached)
        kinds = {kind: pages * PAGE for kind, pages in found.items()}
        mapped = {s.kind: s.memory_size for s in image.segments if s.kind in MAPPED} if image else {}
        kinds["spare"] = instance.memory - sum(kinds.values())
        rows.append({"name": instance.name, "component": instance.component.name, "built": image is not None,
                     "budget": instance.memory, **{kind: (mapped | kinds).get(kind, 0) for kind in KINDS}})
    return {"system": system.name, "machine": system.memory, "files": dict(files), "instances": rows}


def by_component(found: Mapping[str, Any]) -> dict[str, Counter[str]]:
    """Component -> bytes by kind, and `instances`, how many there are; text and constants count once for each."""
    sums: dict[str, Counter[str]] = {}
    for row in found["instances"]:
        of = sums.setdefault(row["component"], Counter())
        of.update({kind: row[kind] for kind in (*KINDS, "budget")})
        of["instances"] += 1
    return dict(sorted(sums.items()))


def _table(rows: Iterable[list[str]]) -> str:
    """Columns of equal width; the first one to the left."""
    cells = list(rows)
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
             for row in cells]
    return "".join(line.rstrip() + "\n" for line in lines)


def _number(value: int) -> str:
    return f"{value:,}" if value else "-"


def text(found: Mapping[str, Any], instances: bool) -> str:
    """Two tables: memory, by component or by instance, and files."""
    rows = ([(row["name"], row) for row in found["instances"]] if instances else
            [(name if of["instances"] == 1 else f"{name} ({of['instances']})", of)
             for name, of in by_component(found).items()])
    total: Counter[str] = Counter()
    for _, row in rows:
        total.update({kind: row[kind] for kind in (*KINDS, "budget")})
    columns = (*KINDS, "budget")
    memory = _table([["", *columns], *([name, *(_number(row[kind]) for kind in columns)]
                                       for name, row in (*rows, ("all", total)))])
    absent = sorted({row["component"] for row in found["instances"] if not row["built"]})
    note = f"not built, so without image: {', '.join(absent)}\n" if absent else ""
    files = _table([["file", "bytes"], *([name, _number(found["files"].get(name, 0))] for name in FILES)])
    return f"{memory}{note}\n{files}"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """(what, bytes in old, bytes in new) of all that differs: files, then components by kind."""
    found = [(f"file {name}", old["files"].get(name, 0), new["files"].get(name, 0)) for name in FILES]
    before, now = by_component(old), by_component(new)
    nothing: Counter[str] = Counter()
    for name in sorted(before.keys() | now.keys()):
        was, is_now = before.get(name, nothing), now.get(name, nothing)
        found += [(f"{name} {kind}", was[kind], is_now[kind]) for kind in ("instances", "budget", *KINDS)]
    was_all, all_now = (sum(of["budget"] for of in sums.values()) for sums in (before, now))
    found += [("all budgets", was_all, all_now), ("machine", old["machine"], new["machine"])]
    return [row for row in found if row[1] != row[2]]


def compared(rows: list[tuple[str, int, int]]) -> str:
    """For people."""
    if not rows:
        return "no difference in size\n"
    lines = [[what, _number(old), _number(new), f"{new - old:+,}"] for what, old, new in rows]
    return _table([["", "old", "new", "more"], *lines])
