# SPDX-License-Identifier: BSD-2-Clause
"""verify, second half: a reader of finished bundles. It believes nothing and shares no code with emit.

Found(...) holds what the file says, with indexes replaced by names, so that it can be compared with what verify_derive
expects. Whatever is malformed becomes an error with code TSS-070 (layout), TSS-071 (hash) or TSS-072 (reference).
"""
import hashlib
import struct
from dataclasses import dataclass
from typing import Any

PAGE = 4096
ABI_VERSION = 1
TYPES = {1: "UNIT", 2: "THREAD", 3: "SCHED", 4: "PORT", 5: "CONNECTION", 6: "REPLY", 7: "EVENT", 8: "MEMORY", 9: "IRQ",
         10: "IOPORT", 11: "SYSTEM"}
SOURCES = {1: "MAPPED", 2: "COPIED", 3: "ZERO", 4: "DEVICE", 5: "FIRMWARE", 6: "SECTIONS"}
# How many of a, b, c an object of each type uses; the others are 0.
USED = {"SCHED": 3, "PORT": 1, "REPLY": 1, "CONNECTION": 3, "MEMORY": 3, "IRQ": 1, "IOPORT": 3, "UNIT": 2}
ROW = ("name", "component", "memory_pages", "entry", "image_base", "stack_top", "ipc_page", "argument", "slots",
       "priority", "slice_us", "flags", "allowed", "asked", "monitor")
NO_OBJECT = 0xFFFFFFFF


class Malformed(Exception):
    """(code, message): reading cannot go on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Section:
    kind: int
    flags: int
    offset: int
    size: int
    memory_size: int
    address: int
    name: str
    hash: bytes
    data: bytes


@dataclass(frozen=True)
class Found:
    root: bytes
    sections: tuple[Section, ...]
    instances: tuple[dict[str, Any], ...]
    objects: tuple[tuple[str, str, int, int, int], ...]  # type, payer, a, b, c
    grants: tuple[tuple[int, int, int, int, int, int, int], ...]
    guards: tuple[tuple[int, ...], ...]  # object, mode, methods, interval_us, burst, shares
    flags: int
    init_pages: int


def need(condition: bool, code: str, message: str) -> None:
    if not condition:
        raise Malformed(code, message)


def _name(raw: bytes, what: str) -> str:
    text = raw.rstrip(b"\0")
    need(b"\0" not in text and bool(text) and all(32 < c < 127 for c in text), "TSS-070",
         f"{what} has a name that is not NUL-padded text")
    return text.decode("ascii")


def _sections(data: bytes, count: int) -> tuple[Section, ...]:
    found: list[Section] = []
    end = 64 + 104 * count
    need(1 <= count <= 1024 and end <= len(data), "TSS-070", f"{count} sections do not fit the file")
    for i in range(count):
        kind, flags, offset, size, memory, address, name, digest = struct.unpack_from("<IIQQQQ32s32s", data,
                                                                                      64 + 104 * i)
        label = _name(name, f"section {i}")
        start = -(-end // PAGE) * PAGE
        need(offset == start and offset + size <= len(data), "TSS-070", f'section "{label}" does not lie where the '
             "one before it ends")
        need(not any(data[end:start]), "TSS-070", f'bytes before section "{label}" are not zero')
        need(flags & 6 != 6, "TSS-070", f'section "{label}" is writable and executable')
        need(label not in [s.name for s in found], "TSS-070", f'two sections are called "{label}"')
        end = offset + size
        found.append(Section(kind, flags, offset, size, memory, address, label, digest, data[offset:end]))
    need(len(data) == -(-end // PAGE) * PAGE and not any(data[end:]), "TSS-070",
         "the file does not end with the last section's page")
    return tuple(found)


def _hashes(data: bytes, sections: tuple[Section, ...]) -> None:
    table = data[64:64 + 104 * len(sections)]
    root = hashlib.blake2b(data[:32] + bytes(32) + table, digest_size=32).digest()
    need(root == data[32:64], "TSS-071", "the root hash is not that of header and section table")
    for section in sections:
        need(hashlib.blake2b(section.data, digest_size=32).digest() == section.hash, "TSS-071",
             f'section "{section.name}" does not have the hash that the section table gives')


def _table(data: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, ...]], list[tuple[int, ...]], int, int,
                                 list[tuple[int, ...]]]:
    """Instances, objects, grants, flags, init_pages and guards as they stand in the table."""
    need(len(data) >= 32, "TSS-070", "the init table is shorter than its header")
    magic, instances, objects, grants, init_pages, flags, guards = struct.unpack_from("<IIIIQII", data)
    need(magic == int.from_bytes(b"STBL", "little"), "TSS-070", "the init table has another header")
    need(len(data) == 32 + 152 * instances + 32 * (objects + grants + guards) and instances > 0, "TSS-070",
         "the init table's counts do not fit its size")
    rows = []
    for i in range(instances):
        *values, first, second, third, fourth, monitor, zero = struct.unpack_from("<16s32sQQQQQQIIII4QII", data,
                                                                                  32 + 152 * i)
        row = dict(zip(ROW, (*values, [first, second], [third, fourth], monitor)))
        need(zero == 0, "TSS-070", f"instance {i} uses a field it does not have")
        row["name"], row["component"] = _name(values[0], f"instance {i}"), _name(values[1], f"instance {i}")
        need(row["flags"] < 4, "TSS-070", f'instance "{row["name"]}" has unknown flags {row["flags"]:#x}')
        rows.append(row)
    at = 32 + 152 * instances
    object_rows = [struct.unpack_from("<IIQQQ", data, at + 32 * i) for i in range(objects)]
    at += 32 * objects
    grant_rows = [struct.unpack_from("<IIIIQII", data, at + 32 * i) for i in range(grants)]
    at += 32 * grants
    guard_rows = [struct.unpack_from("<IIQIIII", data, at + 32 * i) for i in range(guards)]
    return rows, object_rows, grant_rows, flags, init_pages, guard_rows


def _guards(rows: list[tuple[int, ...]], kinds: list[int]) -> tuple[tuple[int, ...], ...]:
    """The rows with their references checked."""
    before = -1
    for i, (target, mode, *declared, shares, zero) in enumerate(rows):
        need(before < target < len(kinds) and kinds[target] in (4, 5), "TSS-072",
             f"guard {i} names object {target}, which is no port or connection, or out of order")
        need(mode <= 2 and shares <= 1 and zero == 0, "TSS-072", f"guard {i} is none")
        need(kinds[target] == 5 or not any((*declared, shares)), "TSS-072", f"guard {i} declares what a port cannot")
        before = target
    return tuple(row[:6] for row in rows)


def _object(index: int, raw: tuple[int, ...], rows: list[dict[str, Any]], kinds: list[int],
            sections: int) -> tuple[str, str, int, int, int]:
    """One object with its references checked."""
    kind, payer, a, b, c = raw
    need(kind in TYPES, "TSS-072", f"object {index} has the unknown type {kind}")
    need(payer < len(rows), "TSS-072", f"object {index} is paid by instance {payer}, which does not exist")
    name = TYPES[kind]
    need(not any((a, b, c)[USED.get(name, 0):]), "TSS-072", f"object {index} ({name}) uses a field it does not have")
    if name in ("REPLY", "CONNECTION"):
        need(a < index and kinds[a] == 4, "TSS-072", f"object {index} ({name}) names object {a}, which is no port "
             "before it")
    if name == "UNIT":
        need(a < len(rows), "TSS-072", f"object {index} (UNIT) names instance {a}, which does not exist")
        need(b in (0, 1), "TSS-072", f"object {index} (UNIT) is neither sealed nor not")
    if name == "MEMORY":
        need(a in SOURCES, "TSS-072", f"object {index} (MEMORY) has the unknown source {a}")
        need(a > 2 or b < sections, "TSS-072", f"object {index} (MEMORY) names section {b}, which does not exist")
        need(a != 6 or 0 < c <= sections - b, "TSS-072", f"object {index} (MEMORY) names {c} sections from {b}")
        need(a >= 4 or c == 0 or (a, c) == (3, 1), "TSS-072", f"object {index} (MEMORY) uses a field it does not have")
    if name == "IOPORT" or (name == "MEMORY" and a == 5):
        fitting = (0, 4, 5, 6, 7) if name == "IOPORT" else (1, 2, 3)
        need(c in fitting, "TSS-072", f"object {index} ({name}) names {c} of the firmware, which it cannot")
    return name, rows[payer]["name"], a, b, c


def _check_grants(grants: list[tuple[int, ...]], rows: list[dict[str, Any]], objects: int) -> None:
    originals = [0] * objects
    before = (-1, -1)
    for i, (instance, slot, target, _, _, _, original) in enumerate(grants):
        need(instance < len(rows) and 0 < slot < rows[instance]["slots"], "TSS-072",
             f"grant {i} lies in instance {instance}, slot {slot}, which does not exist")
        need(target < objects, "TSS-072", f"grant {i} names object {target}, which does not exist")
        need(original in (0, 1), "TSS-072", f"grant {i} is neither original nor derived")
        need((instance, slot) > before, "TSS-072", f"grant {i} is out of order or repeats a slot")
        before = (instance, slot)
        originals[target] += original
    for index, count in enumerate(originals):
        need(count == 1, "TSS-072", f"object {index} has {count} original capabilities instead of one")


def read_supervision(data: bytes) -> tuple[list[dict[str, Any]], ...]:
    """Rows, administrators, controls and parts of images of a supervision table, as plan.json has them."""
    magic, count, admins, controls, parts, zero = struct.unpack_from("<IIIIII", data)
    asked_at = 24 + 96 * count
    controls_at = asked_at + 32 * admins
    parts_at = controls_at + 64 * controls
    need(magic == int.from_bytes(b"SVBL", "little") and zero == 0 and len(data) == parts_at + 80 * parts,
         "TSS-070", "the supervision table is malformed")
    raw = [struct.unpack_from("<16sIIIIQQQQ32s", data, 24 + 96 * i) for i in range(count)]
    names = [row[0].rstrip(b"\0").decode() for row in raw]
    rows = [{"name": names[i], "policy": ("never", "always", "on_failure")[row[2]], "backoff_us": [row[6], row[7]],
             "max": row[4], "window_us": row[5], "then": ("hold", "degrade", "reboot")[row[3]],
             "heartbeat_us": row[8],
             "dependants": sorted(n for b, n in enumerate(names) if int.from_bytes(row[9], "little") >> b & 1)}
            for i, row in enumerate(raw)]
    asked = [struct.unpack_from("<QII16s", data, asked_at + 32 * i) for i in range(admins)]
    return rows, [{"client": name.rstrip(b"\0").decode(), "badge": badge,
                   "may": sorted(w for bit, w in enumerate(("kill", "restart", "mode")) if may >> bit & 1)}
                  for badge, may, _, name in asked], [
        {"client": client.rstrip(b"\0").decode(), "name": name.rstrip(b"\0").decode(), "slot": slot}
        for slot, _, _, client, name in struct.iter_unpack("<IIQ16s32s", data[controls_at:parts_at])], [
        {"row": row, "page": page, "size": size, "section": name.rstrip(b"\0").decode(), "hash": digest.hex()}
        for row, page, size, name, digest in struct.iter_unpack("<IIQ32s32s", data[parts_at:])]


def read_bundle(data: bytes) -> Found:
    """What the bundle says; raises Malformed at the first thing that is wrong."""
    need(len(data) >= 64, "TSS-070", "the file is shorter than its header")
    magic, version, count, size, reserved, root = struct.unpack_from("<8sIIQQ32s", data)
    need(magic == b"TESSERA\x01", "TSS-070", "the file does not start with the bundle's magic")
    need(version == ABI_VERSION, "TSS-070", f"the bundle is for ABI version {version}, not {ABI_VERSION}")
    need(size == len(data) and reserved == 0, "TSS-070", "the header's size is not that of the file")
    sections = _sections(data, count)
    _hashes(data, sections)
    tables = [s for s in sections if s.kind == 1]
    need(len(tables) == 1 and tables[0].name == "table", "TSS-070", "there is not exactly one init table")
    rows, raw, grants, flags, init_pages, guards = _table(tables[0].data)
    names = [row["name"] for row in rows]
    need(names[0] == "init" and len(set(names)) == len(names), "TSS-070", "instance names repeat, or init is not first")
    kinds = [row[0] for row in raw]
    for row in rows:
        need(row["monitor"] == NO_OBJECT or (row["monitor"] < len(kinds) and kinds[row["monitor"]] == 5), "TSS-072",
             f'instance "{row["name"]}" has the monitor {row["monitor"]}, which is no connection')
    objects = tuple(_object(i, row, rows, kinds, len(sections)) for i, row in enumerate(raw))
    _check_grants(grants, rows, len(objects))
    return Found(root, sections, tuple(rows), objects, tuple(grants),  # type: ignore[arg-type]
                 _guards(guards, kinds), flags, init_pages)
