# SPDX-License-Identifier: BSD-2-Clause
"""verify: read the finished bundle again and compare every byte of meaning with what manifest and components say.

Imports nothing of plan or emit. A difference names the instance and the slot; any error means the image is not used.
"""
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.diagnostics import Diagnostic, Position
from generator.verify_compose import compose
from generator.verify_derive import Capability, Expected, expectation
from generator.verify_read import SOURCES, Found, Malformed, read_bundle, read_supervision

RIGHTS = ("READ", "WRITE", "EXECUTE", "GRANT", "CONTROL", "CALL", "SEND", "RECEIVE", "SIGNAL", "WAIT", "BIND",
          "INSPECT", "SCHEDULE", "DEVICE", "TRACE", "INSTALL")


@dataclass(frozen=True)
class Inputs:
    """Files as they were read: manifest, component.yaml and ELF of init and of every component in use."""

    manifest: bytes
    components: Mapping[str, bytes]
    elfs: Mapping[str, bytes]
    dump: bool = False
    fragments: Mapping[str, bytes] = field(default_factory=dict)  # by the names that `extends` calls them
    files: Mapping[str, bytes] = field(default_factory=dict)  # by their paths in the manifest
    interfaces: Mapping[str, bytes] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)  # number of each system call by its name in syscalls.def


def _names(mask: int) -> list[str]:
    return [name for bit, name in enumerate(RIGHTS) if mask >> bit & 1]


def _attributes(found: Found, index: int, homes: list[tuple[str, int]]) -> tuple[Any, ...]:
    """An object's payer and fields, with other things named as verify_derive names them."""
    kind, payer, a, b, c = found.objects[index]
    guard = next((row[1:] for row in found.guards if row[0] == index), ())
    if kind in ("REPLY", "CONNECTION"):
        return (payer, homes[a]) if kind == "REPLY" else (payer, homes[a], b, c, guard)
    if kind == "PORT":
        return (payer, a, guard[:1])
    if kind == "MEMORY":
        names = tuple(s.name for s in found.sections[b:b + (c if a == 6 else 1)]) if a in (1, 2, 6) else ()
        return (payer, SOURCES[a], *(names or ((b, c) if a >= 4 or c else (b,))))
    if kind == "UNIT":
        return (payer, found.instances[a]["name"], "sealed" if b else "not sealed")
    return (payer, *(a, b, c)[:{"SCHED": 3, "IRQ": 1, "IOPORT": 3}.get(kind, 0)])


def capabilities(found: Found) -> dict[tuple[str, int], Capability]:
    """Every capability of the bundle by instance and slot."""
    homes = [("", 0)] * len(found.objects)
    for instance, slot, target, _, _, _, original in found.grants:
        if original:
            homes[target] = (found.instances[instance]["name"], slot)
    return {(found.instances[i]["name"], slot): (found.objects[target][0], _attributes(found, target, homes), rights,
                                                 address, protection, bool(original))
            for i, slot, target, rights, address, protection, original in found.grants}


def _describe(capability: Capability | None) -> str:
    if capability is None:
        return "nothing"
    kind, attributes, rights, address, protection, original = capability
    mapped = f" at {address:#x} as {'+'.join(_names(protection)) or protection}" if address or protection else ""
    words = "+".join(_names(rights)) or "no rights"
    return f"{kind}{attributes} with {words}{mapped}{'' if original else ', derived'}"


def _monitor(found: Found, target: int) -> tuple[str, int] | None:
    """Where the connection to a monitor is held; None: there is no monitor."""
    return next(((found.instances[instance]["name"], slot) for instance, slot, held, _, _, _, original in found.grants
                 if held == target and original), None)


def _differences(found: Found, expected: Expected) -> list[str]:
    """Sentences, one a difference."""
    here = capabilities(found)
    lines = [f"{name}, slot {slot}: the bundle has {_describe(here.get((name, slot)))}, the manifest means "
             f"{_describe(expected.capabilities.get((name, slot)))}"
             for name, slot in sorted(here.keys() | expected.capabilities.keys())
             if here.get((name, slot)) != expected.capabilities.get((name, slot))]
    rows = {row["name"]: {k: v for k, v in row.items() if k != "name"} | {"monitor": _monitor(found, row["monitor"])}
            for row in found.instances}
    for name in sorted(rows.keys() | expected.instances.keys()):
        row, wanted = rows.get(name), expected.instances.get(name)
        if row is None or wanted is None:
            lines.append(f"{name}: is only in the {'manifest' if row is None else 'bundle'}")
            continue
        # init keeps what the table's header says, and has slots for all objects beside its own, in whole pages.
        slots = -(-(len(found.objects) + 3 * len(rows) + 80) // 64) * 64
        wanted = {"memory_pages": found.init_pages, "slots": slots, **wanted}
        lines += [f"{name}: {key} is {row[key]}, the manifest means {wanted[key]}" for key in sorted(row)
                  if row[key] != wanted[key]]
    if found.flags != expected.flags:
        lines.append(f"init: the table's flags are {found.flags:#x}, not {expected.flags:#x}")
    return lines + _order(found, expected) + _sections(found, expected)


def _order(found: Found, expected: Expected) -> list[str]:
    """Servers start before their clients wherever the client does not serve them in turn, directly or not."""
    order = [row["name"] for row in found.instances]

    def reaches(start: str, goal: str) -> bool:
        seen, ahead = set(), [start]
        while ahead:
            name = ahead.pop()
            if name == goal:
                return True
            if name not in seen:
                seen.add(name)
                ahead += expected.clients.get(name, frozenset())
        return False

    return [f"{client}: starts before {server}, which serves it" for server, clients in sorted(expected.clients.items())
            for client in sorted(clients) if client in order and server in order
            and order.index(client) < order.index(server) and not reaches(client, server)]


def _sections(found: Found, expected: Expected) -> list[str]:
    here = {s.name: (s.kind, s.flags, s.data, s.memory_size, s.address) for s in found.sections}
    table = here.pop("table", None)
    fine = table is not None and table[:2] == (1, 0) and table[3:] == (0, 0)
    lines = [] if fine else ["section table: is not as the format says"]
    lines += [] if found.sections[-1].name == "manifest" else ["section table: the last section is not the manifest"]
    parts = ("kind", "flags", "contents", "memory size", "address")
    for name in sorted(here.keys() | expected.sections.keys()):
        got, wanted = here.get(name), expected.sections.get(name)
        if got is None or wanted is None:
            lines.append(f"section {name}: is only {'expected' if got is None else 'in the bundle'}")
        elif got != wanted:
            changed = ", ".join(part for part, a, b in zip(parts, got, wanted) if a != b)
            lines.append(f"section {name}: another {changed} than its ELF file or the manifest gives")
    return lines


def verify(bundle: bytes, inputs: Inputs, path: str) -> tuple[Found | None, list[Diagnostic]]:
    """What the bundle called `path` says, and every difference from what `inputs` mean."""
    position = Position(path)
    try:
        found = read_bundle(bundle)
    except Malformed as error:
        return None, [Diagnostic(error.code, position, error.message)]
    order = [row["name"] for row in found.instances[1:]]
    whole = compose(inputs.manifest, inputs.fragments)
    text = inputs.manifest + b"".join(inputs.fragments[name] for name in sorted(inputs.fragments))
    expected = expectation(whole, inputs.components, inputs.elfs, inputs.interfaces, order, len(bundle), inputs.dump,
                           inputs.files, text, inputs.calls)
    return found, [Diagnostic("TSS-073", position, line) for line in _differences(found, expected)]


# plan.json

def _json_object(found: Found, index: int) -> dict[str, Any]:
    kind, payer, a, b, c = found.objects[index]
    row: dict[str, Any] = {"type": kind, "payer": payer}
    if kind == "MEMORY":
        row["source"] = SOURCES[a]
        if a == 6:
            return {**row, "sections": [s.name for s in found.sections[b:b + c]]}
        row["section" if a <= 2 else "pages"] = found.sections[b].name if a <= 2 else b
        return {**row, "physical_address": c} if a == 4 else {**row, "firmware": c} if a == 5 else {
            **row, "in_a_row": True} if c else row
    keys = {"SCHED": "cpu budget deadline", "PORT": "depth", "REPLY": "port", "CONNECTION": "port badge credit",
            "IRQ": "line", "IOPORT": "base count firmware"}
    row |= dict(zip(keys.get(kind, "").split(), (a, b, c)))
    if kind == "UNIT":
        row |= {"instance": found.instances[a]["name"], "sealed": bool(b)}
    return row


def _calls(words: list[int], calls: Mapping[str, int]) -> list[str]:
    return sorted(name for name, number in calls.items() if words[number - 0x1000 >> 6] >> (number & 63) & 1)


def _json_capabilities(found: Found, index: int) -> dict[int, dict[str, Any]]:
    sealed = any(kind == "UNIT" and a == index and b for kind, _, a, b, _ in found.objects)
    return {slot: {"slot": slot, "type": found.objects[target][0], "rights": _names(rights), "object": target,
                   "address": address, "original": bool(original), "sealed": sealed,
                   "protection": [] if found.objects[target][0] == "CONNECTION" else _names(protection),
                   "paged": protection if found.objects[target][0] == "CONNECTION" else 0}
            for instance, slot, target, rights, address, protection, original in found.grants if instance == index}


def _compare_instance(row: dict[str, Any], found: Found, index: int) -> list[str]:
    """Differences between plan.json's instance and the bundle's."""
    name = found.instances[index]["name"]
    wanted = _json_capabilities(found, index)
    planned = {c["slot"]: c for c in row.get("capabilities", [])}
    lines = [f"{name}, slot {slot}: plan.json and bundle differ" for slot in sorted(planned.keys() | wanted.keys())
             if planned.get(slot) != wanted.get(slot)]
    if {k: v for k, v in row.items() if k != "capabilities"} != found.instances[index]:
        lines.append(f"{name}: plan.json and bundle differ")
    return lines


def _connections(found: Found) -> list[tuple[str, str, int, tuple[str, ...]]]:
    """(client, server, badge, rights) of all connections but those to init's own port."""
    rows = []
    for (name, _), (kind, attributes, rights, _, _, original) in capabilities(found).items():
        if kind == "CONNECTION" and original and attributes[1][0] != "init":
            rows.append((name, attributes[1][0], attributes[2], tuple(sorted(_names(rights)))))
    return sorted(rows)


def verify_plan(text: str, found: Found, path: str, calls: Mapping[str, int]) -> list[Diagnostic]:
    """Where plan.json says something else than the bundle that was found good."""
    plan = json.loads(text)
    lines = [] if plan["root_hash"] == found.root.hex() and plan["abi_version"] == 1 else ["another root hash or ABI"]
    if plan["manifest_hash"] != found.sections[-1].hash.hex():
        lines.append("another hash of the manifest")
    if len(plan["instances"]) != len(found.instances):
        lines.append("another number of instances")
    for index, row in enumerate(plan["instances"][:len(found.instances)]):
        lines += _compare_instance(row, found, index)
    if plan["objects"] != [_json_object(found, i) for i in range(len(found.objects))]:
        lines.append("the objects differ")
    rows = sorted((c["client"], c["server"], c["badge"], tuple(sorted(c["rights"]))) for c in plan["connections"])
    if rows != _connections(found):
        lines.append("the connections differ")
    keys = ("object", "mode", "methods", "interval_us", "burst", "shares")
    modes = ("FAST", "HARDENED", "PARANOID")
    if plan["guards"] != [{**dict(zip(keys, g)), "mode": modes[g[1]], "shares": bool(g[5])} for g in found.guards]:
        lines.append("the guards differ")
    if plan["calls"] != {row["name"]: {"may": _calls(row["allowed"], calls), "asked": _calls(row["asked"], calls)}
                         for row in found.instances}:
        lines.append("the system calls differ")
    tables = [s.data for s in found.sections if s.name.endswith(".supervision")]
    if (plan["supervised"], plan["administrators"], plan["controls"], plan["images"]) != (
            read_supervision(tables[0]) if tables else ([], [], [], [])):
        lines.append("what is supervised differs")
    return [Diagnostic("TSS-074", Position(path), line) for line in lines]
