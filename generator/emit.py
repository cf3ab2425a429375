# SPDX-License-Identifier: BSD-2-Clause
"""emit: Plan -> the bytes of bundle.bin (layout: abi/bundle.h, tessera/table.h) and the text of plan.json."""
import json
import struct
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from generator.calls import names_in
from generator.elf import PAGE, pages
from generator.modes import MODES
from generator.plan import Grant, Object, Plan, Section
from generator.supervision import Row as Supervised

MAGIC = b"TESSERA\x01"
_HEADER = struct.Struct("<8sIIQQ32s")
_SECTION = struct.Struct("<IIQQQQ32s32s")
_TABLE = struct.Struct("<IIIIQII")
_INSTANCE = struct.Struct("<16s32sQQQQQQIIII2Q2QII")
_OBJECT = struct.Struct("<IIQQQ")
_GRANT = struct.Struct("<IIIIQII")
_GUARD = struct.Struct("<IIQIIII")


def _hash(data: bytes) -> bytes:
    """kernel/include/abi/hash.h."""
    return blake2b(data, digest_size=32).digest()


def table(plan: Plan) -> bytes:
    """The init table."""
    abi = plan.abi
    parts = [_TABLE.pack(abi["TSS_TABLE_MAGIC"], len(plan.rows), len(plan.objects), len(plan.grants), plan.init_pages,
                         plan.flags, len(plan.guards))]
    parts += [_INSTANCE.pack(r.name.encode(), r.component.encode(), r.memory_pages, r.entry, r.image_base, r.stack_top,
                             r.ipc_page, r.argument, r.slots, r.priority, r.slice_us, r.flags, *r.allowed,
                             *r.asked, r.monitor, 0) for r in plan.rows]
    parts += [_OBJECT.pack(abi[f"TSS_TYPE_{o.type}"], o.payer, o.a, o.b, o.c) for o in plan.objects]
    parts += [_GRANT.pack(g.instance, g.slot, g.object, g.rights, g.address, g.protection, int(g.original))
              for g in plan.grants]
    parts += [_GUARD.pack(g.object, g.mode, g.methods, g.interval_us, g.burst, int(g.shares), 0) for g in plan.guards]
    return b"".join(parts)


def bundle(plan: Plan) -> tuple[bytes, bytes]:
    """The whole file and its root hash."""
    contents = [table(plan) if s.kind == "TABLE" else s.data for s in plan.sections]
    offset = pages(_HEADER.size + _SECTION.size * len(contents)) * PAGE
    rows, body = [], []
    for section, data in zip(plan.sections, contents):
        rows.append(_section(plan, section, offset, data))
        padded = data.ljust(pages(len(data)) * PAGE, b"\0")
        body.append(padded)
        offset += len(padded)
    sections = b"".join(rows)
    fields = (MAGIC, plan.abi["TSS_ABI_VERSION"], len(rows), offset, 0)
    root = _hash(_HEADER.pack(*fields, bytes(32)) + sections)
    head = _HEADER.pack(*fields, root) + sections
    return head.ljust(pages(len(head)) * PAGE, b"\0") + b"".join(body), root


def _section(plan: Plan, section: Section, offset: int, data: bytes) -> bytes:
    return _SECTION.pack(plan.abi[f"TSS_SECTION_{section.kind}"], section.flags, offset, len(data), section.memory_size,
                         section.address, section.name.encode(), _hash(data))


def _memory(plan: Plan, target: Object) -> dict[str, Any]:
    """Where memory comes from, with the fields that this has."""
    sources = ("MAPPED", "COPIED", "ZERO", "DEVICE", "FIRMWARE", "SECTIONS")
    source = {plan.abi[f"TSS_MEMORY_{n}"]: n for n in sources}[target.a]
    if source == "SECTIONS":
        return {"source": source, "sections": [s.name for s in plan.sections[target.b:target.b + target.c]]}
    if source in ("MAPPED", "COPIED"):
        return {"source": source, "section": plan.sections[target.b].name}
    more: dict[str, dict[str, Any]] = {
        "DEVICE": {"physical_address": target.c}, "FIRMWARE": {"firmware": target.c},
        "ZERO": {"in_a_row": True} if target.c else {}}
    return {"source": source, "pages": target.b, **more[source]}


def _object(plan: Plan, target: Object) -> dict[str, Any]:
    """An object with its fields named as table.h explains them."""
    names = [row.name for row in plan.rows]
    fields: dict[str, Callable[[], dict[str, Any]]] = {
        "SCHED": lambda: {"cpu": target.a, "budget": target.b, "deadline": target.c},
        "PORT": lambda: {"depth": target.a}, "REPLY": lambda: {"port": target.a},
        "CONNECTION": lambda: {"port": target.a, "badge": target.b, "credit": target.c},
        "IRQ": lambda: {"line": target.a},
        "IOPORT": lambda: {"base": target.a, "count": target.b, "firmware": target.c},
        "UNIT": lambda: {"instance": names[target.a], "sealed": bool(target.b)},
        "MEMORY": lambda: _memory(plan, target)}
    own = fields[target.type]() if target.type in fields else {}
    return {"type": target.type, "payer": names[target.payer], **own}


def _capability(plan: Plan, grant: Grant) -> dict[str, Any]:
    connection = plan.objects[grant.object].type == "CONNECTION"
    return {"slot": grant.slot, "type": plan.objects[grant.object].type,
            "protection": [] if connection else plan.abi.right_names(grant.protection),
            "paged": grant.protection if connection else 0, "rights": plan.abi.right_names(grant.rights),
            "object": grant.object, "address": grant.address, "original": grant.original,
            "sealed": _sealed(plan, grant.instance)}


def _sealed(plan: Plan, instance: int) -> bool:
    """Does a restart of that instance give back what it holds?"""
    return any(o.type == "UNIT" and o.a == instance and o.b for o in plan.objects)


def _supervised(row: Supervised) -> dict[str, Any]:
    restart = row.restart
    assert restart.backoff and restart.limit and restart.dependants is not None
    return {"name": row.name, "policy": restart.policy, "backoff_us": list(restart.backoff), "max": restart.limit[0],
            "window_us": restart.limit[1], "then": restart.then, "heartbeat_us": row.heartbeat,
            "dependants": sorted(d.name for d in restart.dependants)}


def plan_json(plan: Plan, root: bytes) -> str:
    """plan.json: the plan for people and tests, stable and sorted."""
    rows = []
    for index, row in enumerate(plan.rows):
        rows.append({**vars(row), "capabilities": [_capability(plan, g) for g in plan.grants if g.instance == index]})
    connections = [{"client": c.client, "name": c.name, "server": c.server, "interface": c.interface,
                    "badge": c.badge, "rights": list(c.rights), "mode": c.guard.mode, "methods": list(c.guard.names)}
                   for c in plan.connections]
    guards = [{**vars(g), "mode": MODES[g.mode]} for g in plan.guards]
    document = {"system": plan.system, "abi_version": plan.abi["TSS_ABI_VERSION"], "root_hash": root.hex(),
                "manifest_hash": _hash(plan.sections[-1].data).hex(), "instances": rows,
                "objects": [_object(plan, o) for o in plan.objects], "connections": connections,
                "guards": guards, "controls": [vars(c) for c in plan.controls],
                "images": [{**vars(p), "hash": p.hash.hex()} for p in plan.parts],
                "calls": {row.name: {"may": names_in(plan.abi, row.allowed), "asked": names_in(plan.abi, row.asked)}
                          for row in plan.rows},
                "supervised": [_supervised(row) for row in plan.supervised],
                "administrators": [{"client": a.client, "badge": a.badge, "may": sorted(a.may)} for a in plan.admins]}
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
