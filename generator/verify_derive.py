# SPDX-License-Identifier: BSD-2-Clause
"""verify, first half: what the bundle of a system must say, derived from manifest, component.yaml and ELF files.

Written a second time on purpose: this module imports nothing of load, model, check, plan and emit and has numbers of
its own, so that a defect there does not hide itself here. Its inputs were checked before; it need not explain errors.
"""
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from generator.verify_compose import described, parameters
from generator.verify_devices import device_rows, interface_of, on_pci
from generator.verify_modes import NONE, control_rows, controls, floor, guard as guard_of

PAGE = 4096
READ, WRITE, EXECUTE, GRANT, CONTROL, CALL, SEND, RECEIVE = 1, 2, 4, 8, 16, 32, 64, 128
SIGNAL, WAIT, BIND, INSPECT, SCHEDULE, DEVICE, TRACE, INSTALL = 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
SYSTEM_RIGHTS = {"inspect": INSPECT, "schedule": SCHEDULE, "device": DEVICE, "trace": TRACE, "audit": RECEIVE}
CONNECTION_RIGHTS = {"call": CALL, "send": SEND, "grant": GRANT}
IMAGE, HEAP, DIRECTORY, PARAMETERS, WINDOWS = 0x400000, 0x1_0000_0000, 0x2_0000_0000, 0x2_8000_0000, 0x3_0000_0000
FILES = 0x8_0000_0000
MAILBOXES = 0x2_9000_0000
IMAGES = 0x2_1000_0000
PAGED = 0x4_0000_0000
STACK_TOP, IPC_PAGE = 0x3FF0_0000, 0x7FFF_F800_0000
INIT_STACK, INIT_PRIORITY = 8 * PAGE, 255
FACTORY = {"priority": 100, "slice": "10ms", "memory": "256K", "stack": "16K", "heap": 0, "slots": 256, "cpu": 0,
           "paged": 0, "importance": 255}
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "us": 1, "ms": 1000, "s": 1000000}
FIRMWARE = {"facts": 1, "framebuffer": 2, "dsdt": 3, "pm1a": 4, "pm1b": 5, "smi": 6, "reset": 7}
GUARD, OWN_HEARTBEAT, HEARTBEAT_SLOT = "servers/reincarnation", 4000000, 12
ENDS, BEATS = 0x10000, 0x20000
CONTRACT = {"policy": "never", "backoff": "100ms..2s", "max": "5 in 60s", "then": "hold", "dependants": []}
SEGMENT = {5: ("text", 4, READ | EXECUTE), 4: ("rodata", 5, READ), 6: ("data", 6, READ | WRITE)}

Capability = tuple[str, tuple[Any, ...], int, int, int, bool]  # type, attributes, rights, address, protection, original


@dataclass(frozen=True)
class Expected:
    """What must be found. Attributes of an object name other things by instance, slot or section name."""

    instances: Mapping[str, Mapping[str, Any]]
    capabilities: Mapping[tuple[str, int], Capability]
    sections: Mapping[str, tuple[int, int, bytes, int, int]]  # kind, flags, contents, memory size, address
    clients: Mapping[str, frozenset[str]]  # server -> those connected to it
    flags: int


@dataclass
class _Work:
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    capabilities: dict[tuple[str, int], Capability] = field(default_factory=dict)
    sections: dict[str, tuple[int, int, bytes, int, int]] = field(default_factory=dict)
    ports: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)  # instance, provided -> grant
    choices: dict[str, tuple[int, int]] = field(default_factory=dict)  # instance -> importance, pages paged
    ends: dict[str, int] = field(default_factory=dict)  # instance -> first slot after the planned ones

    def add(self, name: str, slot: int, kind: str, attributes: tuple[Any, ...], rights: int, address: int = 0,
            original: bool = True, paged: int = 0) -> None:
        assert (name, slot) not in self.capabilities
        mapped = paged if kind == "CONNECTION" else rights & (READ | WRITE | EXECUTE) if address else 0
        self.capabilities[name, slot] = (kind, attributes, rights, address, mapped, original)


def _number(value: Any) -> int:
    match = re.fullmatch(r"(\d+)([A-Za-z]*)", str(value))
    assert match
    return int(match[1]) * UNITS[match[2]]


def _round(size: int) -> int:
    return -(-size // PAGE) * PAGE


def _load_segments(elf: bytes) -> tuple[int, list[tuple[int, int, bytes, int]]]:
    """Entry and (flags, address, bytes, memory size) of each segment, both from the start of the image."""
    entry, table = struct.unpack_from("<QQ", elf, 24)
    size, count = struct.unpack_from("<HH", elf, 54)
    found = []
    for i in range(count):
        kind, flags, offset, address, _, stored, memory = struct.unpack_from("<IIQQQQQ", elf, table + i * size)
        if kind == 1 and memory:
            found.append((flags, address, elf[offset:offset + stored], _round(memory)))
    base = min(address for _, address, _, _ in found)
    return entry - base, [(flags, address - base, data, memory) for flags, address, data, memory in found]


def _time(row: dict[str, Any]) -> tuple[int, int, int]:
    """CPU, budget and deadline of an instance's scheduling context; its settings come with it."""
    said = row.get("budget")
    if said is None:
        return _number(row["cpu"]), 0, 0
    return (_number(row["cpu"]), _number(said["time"]) + (_number(said["period"]) << 32),
            _number(row.get("deadline", 0)))


def _image(work: _Work, name: str, elf: bytes, stack: int, time: tuple[int, int, int] = (0, 0, 0)) -> int:
    """Segments and stack of an instance; returns its entry address."""
    entry, segments = _load_segments(elf)
    for flags, address, data, memory in segments:
        kind, slot, rights = SEGMENT[flags]
        section = f"{name}.{kind}"
        work.sections[section] = (2, rights | (0x100 if name == "init" else 0), data, memory, address)
        attributes = (name, "COPIED" if kind == "data" else "MAPPED", section)
        work.add(name, slot, "MEMORY", attributes, rights, IMAGE + address)
    work.add(name, 7, "MEMORY", (name, "ZERO", stack // PAGE), READ | WRITE, STACK_TOP - stack)
    work.add(name, 2, "THREAD", (name,), 0)
    work.add(name, 3, "SCHED", (name, *time), 0)
    return IMAGE + entry


def _own_slots(work: _Work, name: str, description: dict[str, Any], given: dict[str, str],
               set_here: dict[str, Any], least: tuple[int, ...]) -> dict[str, int]:
    """Everything from slot 16 up except connections, whose slots are returned by need."""
    slot, windows, needs = 16, 0, {}
    for provided, row in (description.get("provides") or {}).items():
        port = (name, slot)
        work.ports[name, provided] = port
        work.add(name, slot, "PORT", (name, row.get("depth", 16), least),
                 RECEIVE | (CONTROL if row.get("kind") == "sessions" else 0))
        replies = row.get("replies", 0 if row.get("kind") == "mailbox" else 8)
        for i in range(replies):
            work.add(name, slot + 1 + i, "REPLY", (name, port), SEND)
        slot += 1 + replies
    for need in description.get("needs") or {}:
        needs[need] = slot
        slot += 1
    for device, row in (description.get("devices") or {}).items():
        text = given.get(device, row.get("default"))
        if row["class"] == "pci":
            needs[device] = slot
        elif row["class"] == "dma" or text not in (None, "none"):
            _device(work, name, slot, row, text or "dma:0", WINDOWS + windows * 0x1000000)
        windows += row["class"] in ("mmio", "dma")
        slot += 1
    for _ in description.get("events") or []:
        work.add(name, slot, "EVENT", (name,), SIGNAL | WAIT | BIND)
        slot += 1
    if description.get("parameters"):
        work.add(name, slot, "MEMORY", (name, "MAPPED", f"{name}.parameters"), READ, PARAMETERS)
        work.sections[f"{name}.parameters"] = (3, READ, parameters(description["parameters"], set_here), PAGE, 0)
        slot += 1
    boxes = [row for row in (description.get("provides") or {}).values() if row.get("kind") == "mailbox"]
    for i, row in enumerate(boxes):
        pages = 1 + (row.get("depth", 16) + 14) // 15
        work.add(name, slot, "MEMORY", (name, "ZERO", pages), READ | WRITE, MAILBOXES + i * 0x100000)
        slot += 1
    work.ends[name] = slot
    return needs


def _files(work: _Work, name: str, declared: list[str], given: dict[str, str], files: Mapping[str, bytes]) -> None:
    """The files that an instance has in the image, behind all its other slots."""
    for n, one in enumerate(declared):
        data = struct.pack("<Q4088x", len(files[given[one]])) + files[given[one]]
        section = f"{name}.file{n}"
        work.add(name, work.ends[name], "MEMORY", (name, "MAPPED", section), READ, FILES + n * 0x10000000)
        work.sections[section] = (3, READ, data, _round(len(data)), 0)
        work.ends[name] += 1


def _marks(elf: bytes) -> set[int]:
    """What the section .tessera.calls of an ELF file lists."""
    table, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, table + i * size) for i in range(count)]
    for name, _, _, _, offset, length in headers:
        start = headers[names][4] + name
        if elf[start:start + 15] == b".tessera.calls\0":
            return {number for number, in struct.iter_unpack("<H", elf[offset:offset + length])}
    return set()


def _words(numbers: set[int]) -> list[int]:
    whole = sum(1 << number - 0x1000 for number in numbers)
    return [whole & (1 << 64) - 1, whole >> 64]


def _denied(row: dict[str, Any]) -> set[str]:
    return set(row.get("deny") or []) | ({"self_fault_handler", "self_fault_return"} if row.get("exceptions") is False
                                         else set())


def _may(elf: bytes, more: Any, denied: set[str], calls: Mapping[str, int]) -> list[int]:
    """The mask of what an instance may call."""
    named = set(calls.values()) if more == "all" else {calls[name] for name in more or []}
    return _words((_marks(elf) | named) - {calls[name] for name in denied})


def _monitors(work: _Work, rows: dict[str, Any], descriptions: dict[str, dict[str, Any]], order: list[str],
              calls: Mapping[str, int]) -> None:
    """Who is asked about whose calls, and the connections for it."""
    for name in rows:
        work.instances[name]["asked"] = [0, 0]
    for monitor, row in rows.items():
        said = row.get("interpose") or {"who": []}
        provides = descriptions[monitor].get("provides") or {}
        port = next((p for p, d in provides.items() if d["interface"] == "monitor"), "")
        for client in [said["who"]] if isinstance(said["who"], str) else said["who"]:
            listed = [~0, ~0] if said["calls"] == "all" else _words({calls[name] for name in said["calls"]})
            mine = work.instances[client]
            mine["asked"] = [may & word for may, word in zip(mine["allowed"], listed)]
            mine["monitor"] = (client, 13)
            badge = 0x40000 + order.index(client) + 1
            work.add(client, 13, "CONNECTION", (client, work.ports[monitor, port], badge, 0, NONE), 0)


def _device(work: _Work, name: str, slot: int, row: dict[str, Any], text: str, window: int) -> None:
    kind, place = text.split(":")
    which = FIRMWARE.get(place, 0)
    base = 0 if which else int(place, 0)
    if row["class"] == "dma":
        work.add(name, slot, "MEMORY", (name, "ZERO", row["pages"], 1), READ | WRITE | GRANT, window)
    elif kind == "irq":
        work.add(name, slot, "IRQ", (name, base), CONTROL)
    elif kind == "ioport":
        work.add(name, slot, "IOPORT", (name, base, row["count"], which), READ | WRITE)
    elif which:
        work.add(name, slot, "MEMORY", (name, "FIRMWARE", row["pages"], which), READ | (WRITE if which == 2 else 0),
                 window)
    else:
        work.add(name, slot, "MEMORY", (name, "DEVICE", row["pages"], base), READ | WRITE, window)


def _links(manifest: dict[str, Any], descriptions: dict[str, dict[str, Any]]) -> list[tuple[str, str, str, str, int]]:
    """(client, need, server, provided, rights) of every connection, sorted, init's to log included."""
    instances = manifest["instances"]
    found = []
    manager = [(i, p) for i in instances for p, d in (descriptions[i].get("provides") or {}).items()
               if d["interface"] == "pci"]
    for client, row in instances.items():
        found += [(client, device, *manager[0], CALL) for device in on_pci(row, descriptions[client])]
        for name, target in (row.get("connect") or {}).items():
            asked = target if isinstance(target, dict) else {"to": target}
            if asked["to"] == "none":
                continue
            need = descriptions[client]["needs"][name]
            server, _, provided = asked["to"].partition(".")
            fitting = [p for p, d in descriptions[server]["provides"].items() if d["interface"] == need["interface"]]
            rights = set(asked.get("rights", need.get("rights", ["call", "send"])))
            found.append((client, name, server, provided or fitting[0],
                          sum(CONNECTION_RIGHTS[right] for right in rights)))
    return sorted(found)


def _log_of(manifest: dict[str, Any], descriptions: dict[str, dict[str, Any]],
            order: list[str]) -> tuple[str, str] | None:
    """The first instance of servers/log in start order, and the name of its log interface."""
    for name in order:
        if name in descriptions and manifest["instances"][name]["component"] == "servers/log":
            provides = descriptions[name].get("provides") or {}
            return next(((name, p) for p, d in provides.items() if d["interface"] == "log"), None)
    return None


def _connect(work: _Work, links: list[tuple[str, str, str, str, int]], slots: dict[str, dict[str, int]],
             descriptions: dict[str, dict[str, Any]], guards: dict[tuple[str, str], tuple[int, ...]],
             given: dict[str, Any]) -> None:
    """Connections with their badges, and the directories that list them."""
    count: dict[tuple[str, str], int] = {}
    listed: dict[str, list[tuple[int, str, str, int, int]]] = {}
    senders = [(server, provided) for _, _, server, provided, rights in links if rights & SEND]
    for client, name, server, provided, rights in links:
        badge = count[server, provided] = count.get((server, provided), 0) + 1
        importance, paged = work.choices.get(client, (255, 0))
        paged = paged if client != "init" and interface_of(descriptions[client], name) == "mem" else 0
        listed.setdefault(server, []).append((badge, client, name, importance, paged))
        depth = descriptions[server]["provides"][provided].get("depth", 16)
        credit = depth // senders.count((server, provided)) if rights & SEND else 0
        attributes = (client, work.ports[server, provided], badge, credit, guards.get((client, name), NONE))
        work.add(client, slots[client][name], "CONNECTION", attributes, rights, PAGED if paged else 0, paged=paged)
    for server, description in descriptions.items():
        if description.get("directory"):
            rows = [struct.pack("<QII16s32s", badge, importance, paged, client.encode(), name.encode())
                    for badge, client, name, importance, paged in sorted(listed.get(server, []))]
            data = b"".join(rows) + bytes(64)
            if any(row["interface"] == "pci" for row in (description.get("provides") or {}).values()):
                found = [(badge, client, name) for badge, client, name, _, _ in sorted(listed.get(server, []))]
                data += device_rows(given, descriptions, found)
            work.sections[f"{server}.directory"] = (3, READ, data, _round(len(data)), 0)
            work.add(server, 9, "MEMORY", (server, "MAPPED", f"{server}.directory"), READ, DIRECTORY)


def _contract(row: dict[str, Any], description: dict[str, Any], guarded: bool) -> dict[str, Any]:
    """What holds when the instance ends, and its heartbeat; "state" says whether its capabilities are sealed."""
    result: dict[str, Any] = dict(CONTRACT)
    for said in ([description.get("restart"), row.get("restart")] if guarded else []):
        result |= {"policy": said} if isinstance(said, str) else said or {}
    if row["component"] == GUARD:
        result = {**CONTRACT, "policy": "always"}
    default = OWN_HEARTBEAT if row["component"] == GUARD else 0
    result["heartbeat"] = _number(row["heartbeat"]) if "heartbeat" in row else default
    return {**result, "state": _state(guarded)}


def _state(guarded: bool) -> str:
    return "sealed" if guarded else "not sealed"


def _instance(work: _Work, name: str, row: dict[str, Any], description: dict[str, Any],
              defaults: dict[str, Any], elf: bytes, contract: dict[str, Any]) -> dict[str, int]:
    """One instance; returns the slots of its connections."""
    value = FACTORY | (description.get("defaults") or {}) | defaults
    value |= {key: row[key] for key in FACTORY if key in row}
    stack, heap = _number(value["stack"]), _number(value["heap"])
    work.choices[name] = (_number(value["importance"]), _number(value["paged"]) // PAGE)
    entry = _image(work, name, elf, stack, _time(row | value))
    if heap:
        work.add(name, 8, "MEMORY", (name, "ZERO", heap // PAGE), READ | WRITE, HEAP)
    if description.get("self"):
        work.add(name, 1, "UNIT", ("init", name, contract["state"]), CONTROL, original=False)
    if description.get("system"):
        work.add(name, 10, "SYSTEM", ("init",), sum(SYSTEM_RIGHTS[r] for r in description["system"]), original=False)
    work.instances[name] = {
        "component": row["component"], "memory_pages": _number(value["memory"]) // PAGE, "entry": entry,
        "image_base": IMAGE, "stack_top": STACK_TOP, "ipc_page": IPC_PAGE,
        "argument": heap | contract["heartbeat"] << 32, "slots": value["slots"],
        "priority": value["priority"], "slice_us": _number(value["slice"]), "flags": int(bool(description.get("fpu")))}
    return _own_slots(work, name, description, row.get("devices") or {}, row.get("parameters") or {}, floor(row))


def _init(work: _Work, order: list[str], elf: bytes, bundle_bytes: int, guard: str | None,
          contracts: dict[str, dict[str, Any]]) -> None:
    """Instance 0: final state of init, the faults port and what it holds of each instance."""
    entry = _image(work, "init", elf, INIT_STACK)
    work.add("init", 10, "SYSTEM", ("init",), INSPECT)
    work.add("init", 1, "UNIT", ("init", "init", _state(guard is not None)), CONTROL | GRANT)
    work.add("init", 16, "PORT", ("init", min(2 * len(order) + 8, 256), NONE), RECEIVE)
    for i, name in enumerate(order):
        rights = CONTROL if guard is None else INSTALL if name == guard else 0
        state = contracts.get(name, {"state": "?"})["state"]
        work.add("init", 18 + 2 * i, "UNIT", ("init", name, state), rights)
        if guard in (None, name):
            work.add("init", 19 + 2 * i, "CONNECTION", ("init", ("init", 16), i + 1, 0, NONE), 0)
    work.instances["init"] = {
        "component": "init", "entry": entry, "image_base": IMAGE, "stack_top": STACK_TOP, "ipc_page": IPC_PAGE,
        "argument": bundle_bytes, "priority": INIT_PRIORITY, "slice_us": 10000,
        "flags": 0}


def _asked(manifest: dict[str, Any], guard: str, links: list[tuple[str, str, str, str, int]]) -> bytes:
    """The administrators of the supervision table."""
    found = b""
    for badge, (client, name) in enumerate([(c, n) for c, n, server, _, _ in links if server == guard], 1):
        said = manifest["instances"][client]["connect"][name]
        may = said.get("may", []) if isinstance(said, dict) else []
        found += struct.pack("<QII16s", badge, ("kill" in may) | ("restart" in may) << 1 |
                             ("mode" in may) << 2, 0, client.encode())
    return found


def _guard(work: _Work, guard: str, order: list[str], contracts: dict[str, dict[str, Any]], asked: bytes,
           raised: list[tuple[str, str]], slots: dict[str, dict[str, int]]) -> None:
    """What the supervisor has of the others, and they of it; it is the first in `order`."""
    (server, port), others, rows = next(p for (n, _), p in work.ports.items() if n == guard), order[1:], b""
    end = work.ends[guard]
    for n, name in enumerate(others):
        c = contracts[name]
        first, _, last = str(c["backoff"]).partition("..")
        count, window = str(c["max"]).split(" in ")
        bits = sum(1 << others.index(d) for d in c["dependants"])
        rows += struct.pack("<16sIIIIQQQQ32s", name.encode(), end + n, ("never", "always", "on_failure").index(
            c["policy"]), ("hold", "degrade", "reboot").index(c["then"]), int(count), _number(window), _number(first),
            _number(last or first), c["heartbeat"], bits.to_bytes(32, "little"))
        work.add(guard, end + n, "UNIT", ("init", name, c["state"]), INSTALL, original=False)
        work.add("init", 19 + 2 * (n + 1), "CONNECTION", ("init", (server, port), ENDS + n, 0, NONE), 0)
        if c["heartbeat"]:
            work.add(name, HEARTBEAT_SLOT, "CONNECTION", (name, (server, port), BEATS + n, 0, NONE), SEND)
    work.add(guard, HEARTBEAT_SLOT, "CONNECTION", (guard, ("init", 16), BEATS + 1, 0, NONE), SEND)
    end += len(others)
    for n, (client, name) in enumerate(raised):
        attributes = work.capabilities[client, slots[client][name]][1]
        work.add(guard, end + n, "CONNECTION", attributes, CONTROL, original=False)
    images = _looked_at(work, guard, others, contracts, end + len(raised))
    data = struct.pack("<IIIIII", int.from_bytes(b"SVBL", "little"), len(others), len(asked) // 32, len(raised),
                       len(images) // 80, 0) + rows + asked + control_rows(raised, end) + images
    work.sections[f"{guard}.supervision"] = (3, READ, data, _round(len(data)), 0)
    work.add(guard, 9, "MEMORY", (guard, "MAPPED", f"{guard}.supervision"), READ, DIRECTORY)
    if images or work.instances[guard]["flags"] & 2:
        work.add("init", 18 + 2 * len(order), "MEMORY", ("init", "SECTIONS", *_sections_of(work, guard)), READ, IMAGES)


def _sections_of(work: _Work, name: str) -> list[str]:
    return sorted(section for section in work.sections if section.split(".")[0] == name)


def _looked_at(work: _Work, guard: str, others: list[str], contracts: dict[str, dict[str, Any]], slot: int) -> bytes:
    """What the supervisor can read of those that move and come back, and the end of its table."""
    found, data, page = [], b"", 0
    for row, name in enumerate(others):
        if not work.instances[name]["flags"] & 2 or contracts[name]["policy"] == "never":
            continue
        for section in _sections_of(work, name):
            text = work.sections[section][2]
            found.append(section)
            data += struct.pack("<IIQ32s32s", row, page, len(text), section.encode(), blake2b(
                text, digest_size=32).digest()) if text else b""
            page += _round(len(text)) // PAGE
    if found:
        work.add(guard, slot, "MEMORY", (guard, "SECTIONS", *found), READ, IMAGES)
    return data


def _scheduled(work: _Work, rows: dict[str, Any]) -> None:
    """What each scheduler has of those under it, and what it is told of them."""
    for scheduler in (name for name, row in rows.items() if row["component"] == "servers/sched"):
        data = b""
        for name in sorted(name for name, row in rows.items() if row.get("scheduler") == scheduler):
            mine, slot = work.instances[name], work.ends[scheduler]
            attributes = work.capabilities[name, 3][1]
            work.add(scheduler, slot, "SCHED", attributes, CONTROL, original=False)
            work.ends[scheduler] += 1
            data += struct.pack("<16sIIII", name.encode(), slot, mine["priority"], mine["slice_us"], attributes[1])
        work.sections[f"{scheduler}.schedule"] = (3, READ, data + bytes(32), _round(len(data) + 32), 0)
        work.add(scheduler, 9, "MEMORY", (scheduler, "MAPPED", f"{scheduler}.schedule"), READ, DIRECTORY)


def _moving(work: _Work, rows: Mapping[str, Any], links: list[tuple[str, str, str, str, int]],
            guards: Mapping[tuple[str, str], tuple[int, ...]]) -> None:
    """Both ends of a connection in mode PARANOID, and whose port demands it."""
    ends = {end for client, name, server, _, _ in links for end in (client, server)
            if (guards[client, name] or (0,))[0] == 2}
    for name in ends | {name for name, row in rows.items() if floor(row) == (2,)}:
        work.instances[name]["flags"] |= 2


def expectation(manifest: dict[str, Any], component_files: Mapping[str, bytes], elf_files: Mapping[str, bytes],
                interfaces: Mapping[str, bytes], order: list[str], bundle_bytes: int, dump: bool,
                files: Mapping[str, bytes], text: bytes, calls: Mapping[str, int]) -> Expected:
    """`order`: names of the instances in the bundle's order, which must start providers before clients.

    `text`: the manifest and what it extends, as they lie in the bundle.
    """
    rows = manifest["instances"] or {}
    descriptions = {name: dict(described(component_files[row["component"]])) for name, row in rows.items()}
    work, slots = _Work(), {"init": {"log": 17}}
    guard = next((name for name, row in rows.items() if row["component"] == GUARD), None)
    contracts = {name: _contract(row, descriptions[name], guard is not None) for name, row in rows.items()}
    _init(work, order, elf_files["init"], bundle_bytes, guard, contracts)
    for name, row in rows.items():
        slots[name] = _instance(work, name, row, descriptions[name], manifest.get("defaults") or {},
                                elf_files[row["component"]], contracts[name])
        _files(work, name, descriptions[name].get("files") or [], row.get("files") or {}, files)
        work.instances[name] |= {"monitor": None, "allowed": _may(
            elf_files[row["component"]], descriptions[name].get("calls", []), _denied(row), calls)}
    work.instances["init"] |= {"allowed": _may(elf_files["init"], [], set(), calls), "asked": [0, 0], "monitor": None}
    _monitors(work, rows, descriptions, order, calls)
    links = _links(manifest, descriptions)
    clients = {s: frozenset(c for c, _, server, _, _ in links if server == s and c != guard) for _, _, s, _, _ in links}
    guards = {(client, name): guard_of(
        manifest, client, name, server, interfaces.get(interface_of(descriptions[client], name)),
        descriptions[client].get("needs") or {}) for client, name, server, _, _ in links}
    _moving(work, rows, links, guards)
    log = _log_of(manifest, descriptions, order)
    if log is not None:
        links = sorted([*links, ("init", "log", *log, SEND)])
    _connect(work, links, slots, descriptions, guards, rows)
    _scheduled(work, rows)
    if guard is not None:
        _guard(work, guard, order, contracts, _asked(manifest, guard, links),
               controls(manifest, [(client, name) for client, name, *_ in links], guard), slots)
    work.sections["manifest"] = (3, READ, text, _round(len(text)), 0)
    return Expected(work.instances, work.capabilities, work.sections, clients, 1 if dump else 0)
