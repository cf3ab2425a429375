# SPDX-License-Identifier: BSD-2-Clause
"""Capability tables: as the running kernel dumps them, as plan.json has them, and what differs.

Nothing here comes from the generator: the dump is the kernel's text, the letters are those of rights.def.
"""
from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
FIRMWARE = ("", "facts", "framebuffer", "dsdt", "pm1a", "pm1b", "smi", "reset")  # enum tss_firmware
ABSENT = ("framebuffer", "pm1b", "reset")  # on q35 with SeaBIOS; its reset register is port cf9, which the plan gives
ROW = re.compile(r"^cap (\S+) slot (\d+) (\w+) rights (\S+) gen (\d+) id (\d+) "
                 r"a (\w+) b (\w+) c (\w+) prot (\S+)$", re.M)
CALLS = re.compile(r"^calls (\S+) allowed (\w+) (\w+) asked (\w+) (\w+) monitor (\d+) table (\d+)$", re.M)
UNIT = re.compile(r"^unit (\S+) id (\d+) budget (\d+) used (\d+)$", re.M)
CAPS = re.compile(r"^(\S+) (\d+) (\w+) (\S+) (\d+) \d+ (\d+)((?: \w+=\S+)*)$", re.M)
PS = re.compile(r"^ *(\d+) (\S+) +(?:building|running|ended|dead) ", re.M)
CONNECTION = re.compile(r"^connection (\d+) mode (\d) methods (\w+)$", re.M)
MODES = ("FAST", "HARDENED", "PARANOID")  # enum tss_mode
TEXT = 4  # TSS_SLOT_TEXT
MOVES, PLACE, PLACES = 2, 1 << 30, range(512, 255 * 512)  # as abi/bundle.h has them
RIGHT = re.compile(r"^RIGHT\(\d+, (\w+), '(.)'", re.M)


@dataclass(frozen=True)
class Row:
    """One full slot of one unit, as the kernel printed it; `rights` and `protection` are sorted names."""

    unit: str
    slot: int
    type: str
    rights: tuple[str, ...]
    id: int
    a: int
    b: int
    c: int
    protection: tuple[str, ...]


@dataclass(frozen=True)
class Calls:
    """System calls a unit may make, and those asked for: masks; ids of the monitor's connection and of the table."""

    unit: str
    allowed: tuple[int, int]
    asked: tuple[int, int]
    monitor: int
    table: int


@dataclass(frozen=True)
class Dump:
    """All tables of a running system; `ids` has the object id of each unit, `modes` what a connection's id stands for:
    mode and methods, if the text says so."""

    rows: tuple[Row, ...]
    ids: dict[str, int]
    modes: dict[int, tuple[int, int]] | None = None
    calls: tuple[Calls, ...] = ()  # of each unit; not in what the shell prints


def _names(letters: str) -> tuple[str, ...]:
    known = {letter: name for name, letter in RIGHT.findall((TOP / "kernel/include/abi/rights.def").read_text())}
    return tuple(sorted(known[letter] for letter in letters if letter != "-"))


def read_dump(text: str) -> Dump:
    """The dump in a console log."""
    rows = tuple(Row(m[1], int(m[2]), m[3], _names(m[4]), int(m[6]), int(m[7], 0), int(m[8], 0), int(m[9], 0),
                     _names(m[10])) for m in ROW.finditer(text))
    calls = tuple(Calls(m[1], (int(m[2], 0), int(m[3], 0)), (int(m[4], 0), int(m[5], 0)), int(m[6]), int(m[7]))
                  for m in CALLS.finditer(text))
    modes = {int(m[1]): (int(m[2]), int(m[3], 0)) for m in CONNECTION.finditer(text)}
    return Dump(rows, {m[1]: int(m[2]) for m in UNIT.finditer(text)}, modes, calls)


def call_differences(plan: dict[str, Any], dump: Dump) -> list[str]:
    """The same for system calls. Units of equal masks use one table, others do not."""
    running = {c.unit: c for c in dump.calls}
    planned = {row["name"]: row for row in plan["instances"]}
    wrong = [f"{unit}: only planned or only running" for unit in sorted(running.keys() ^ planned.keys())]
    ids = {(row.unit, row.slot): row.id for row in dump.rows}
    homes = {cap["object"]: (row["name"], cap["slot"]) for row in plan["instances"] for cap in row["capabilities"]
             if cap["original"]}
    for unit in sorted(running.keys() & planned.keys()):
        calls, row = running[unit], planned[unit]
        monitor = ids.get(homes.get(row["monitor"], ("", 0)), 0)
        facts = {"allowed": (tuple(row["allowed"]), calls.allowed), "asked": (tuple(row["asked"]), calls.asked),
                 "monitor": (monitor, calls.monitor)}
        wrong += [f"{unit}: {name} is {real}, planned {mine}" for name, (mine, real) in facts.items() if mine != real]
    others = [calls for calls in dump.calls if calls.unit != "init"]  # whose table nobody shares: it pays for it itself
    pairs = {((c.allowed, c.asked), c.table) for c in others}
    if len(pairs) != len({masks for masks, _ in pairs}) or len(pairs) != len({table for _, table in pairs}):
        wrong.append("tables are not shared as they could be")
    return wrong


def read_caps(text: str, units: str) -> Dump:
    """What the shell's `caps all` and `ps` print, as the dump would have it."""
    rows = []
    for m in CAPS.finditer(text):
        more = dict(word.split("=") for word in m[7].split())
        number = {name: int(value, 0) for name, value in more.items() if name != "prot"}
        a, b, c = {"CONNECTION": ("port", "badge", "payer"), "REPLY": ("port", "", ""), "PORT": ("unit", "depth", ""),
                   "IRQ": ("line", "", ""), "IOPORT": ("base", "count", ""), "THREAD": ("unit", "", ""),
                   "SCHED": ("priority", "slice_us", ""), "MEMORY": ("pages", "phys", "at")}.get(
                       m[3].upper(), ("", "", ""))
        rows.append(Row(m[1], int(m[2]), m[3].upper(), _names(m[4]), int(m[6]), number.get(a, 0), number.get(b, 0),
                        number.get(c, 0), _names(more.get("prot", "-"))))
    return Dump(tuple(rows), {m[2]: int(m[1]) for m in PS.finditer(units)})


def _object_differs(wanted: dict[str, Any], row: Row, dump: Dump, ids: dict[int, int]) -> list[str]:
    """What the kernel says of an object against what the plan says of it; `ids`: plan's index -> kernel's id."""
    facts: dict[str, tuple[Any, Any]] = {}
    if row.type == "CONNECTION":
        facts = {"port": (ids.get(wanted["port"]), row.a), "badge": (wanted["badge"], row.b)}
    elif row.type == "REPLY":
        facts = {"port": (ids.get(wanted["port"]), row.a)}
    elif row.type == "PORT":
        facts = {"payer": (dump.ids.get(wanted["payer"]), row.a), "depth": (wanted["depth"], row.b)}
    elif row.type == "IRQ":
        facts = {"line": (wanted["line"], row.a)}
    elif wanted.get("firmware"):
        facts = {"pages": (min(wanted["pages"], row.a), row.a)} if row.type == "MEMORY" else {
            "count": (wanted["count"], row.b), "base": (row.a or "a port", row.a)}
    elif row.type == "IOPORT":
        facts = {"base": (wanted["base"], row.a), "count": (wanted["count"], row.b)}
    elif row.type == "THREAD":
        facts = {"unit": (dump.ids.get(wanted["payer"]), row.a)}
    elif row.type == "UNIT":
        facts = {"unit": (dump.ids.get(wanted["instance"]), row.id)}
    elif row.type == "MEMORY" and "pages" in wanted:
        facts = {"pages": (wanted["pages"], row.a)}
        if wanted["source"] == "DEVICE":
            facts["address"] = (wanted["physical_address"], row.b)
    return [f"{name} is {real}, planned {planned}" for name, (planned, real) in facts.items() if planned != real]


def _mode_differs(plan: dict[str, Any], index: int, id_: int, dump: Dump) -> list[str]:
    """Mode and methods of a connection: its own, or the floor of its port if that is stricter."""
    guards = {g["object"]: g for g in plan["guards"]}
    if dump.modes is None:
        return []
    levels = [MODES.index(guards[i]["mode"]) for i in (index, plan["objects"][index]["port"]) if i in guards]
    wanted = (max(levels, default=0), guards[index]["methods"] if index in guards else 2**64 - 1)
    real = dump.modes.get(id_)
    return [] if real == wanted else [f"mode and methods are {real}, planned {wanted}"]


def moved(plan: dict[str, Any], dump: Dump) -> dict[str, int]:
    """By how much the text of each instance lies elsewhere, of those whose layout moves; 0: at no place."""
    text = {row.unit: row.c for row in dump.rows if row.type == "MEMORY" and row.slot == TEXT}
    found = {i["name"]: text.get(i["name"], 0) - i["image_base"] for i in plan["instances"] if i["flags"] & MOVES}
    return {name: by if by % PLACE == 0 and by // PLACE in PLACES else 0 for name, by in found.items()}


def _row_differs(wanted: dict[str, Any], row: Row, by: int) -> list[str]:
    facts: dict[str, tuple[Any, Any]] = {"type": (wanted["type"], row.type),
                                         "rights": (tuple(sorted(wanted["rights"])), row.rights)}
    if row.type == "MEMORY":
        address = wanted["address"] + (by if 0 < wanted["address"] < PLACE else 0)
        facts["address"] = (address, row.c)
        facts["protection"] = (tuple(sorted(wanted["protection"])), row.protection)
    return [f"{name} is {real}, planned {planned}" for name, (planned, real) in facts.items() if planned != real]


def without(plan: dict[str, Any], absent: Collection[str]) -> dict[tuple[str, int], dict[str, Any]]:
    """The planned capabilities on a machine whose firmware has none of the devices `absent`."""
    missing = {FIRMWARE.index(name) for name in absent}
    return {(instance["name"], capability["slot"]): capability
            for instance in plan["instances"] for capability in instance["capabilities"]
            if plan["objects"][capability["object"]].get("firmware") not in missing}


def differences(plan: dict[str, Any], dump: Dump, absent: Collection[str] = ABSENT) -> list[str]:
    """Each way in which the running tables are not the planned ones; none: they are equal."""
    planned = without(plan, absent)
    found = {(row.unit, row.slot): row for row in dump.rows}
    wrong = [f"{unit} slot {slot}: planned, not there" for unit, slot in sorted(planned.keys() - found.keys())]
    wrong += [f"{unit} slot {slot}: there, not planned: {found[unit, slot]}"
              for unit, slot in sorted(found.keys() - planned.keys())]
    places = moved(plan, dump)
    wrong += [f"{unit} lies where it was planned, or nowhere that it should" for unit, by in places.items() if by == 0]
    both = sorted(planned.keys() & found.keys())
    ids: dict[int, int] = {}
    for key in both:
        ids.setdefault(planned[key]["object"], found[key].id)
    if len(set(ids.values())) != len(ids):
        wrong.append("two planned objects are one")
    for key in both:
        wanted, row = planned[key], found[key]
        what = _row_differs(wanted, row, places.get(key[0], 0))
        if row.id != ids[wanted["object"]]:
            what.append("another object than in other slots of the plan")
        if not what:
            what = _object_differs(plan["objects"][wanted["object"]], row, dump, ids)
        if not what and row.type == "CONNECTION":
            what = _mode_differs(plan, wanted["object"], row.id, dump)
        wrong += [f"{key[0]} slot {key[1]}: {text}" for text in what]
    return wrong
