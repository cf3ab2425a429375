# SPDX-License-Identifier: BSD-2-Clause
"""Supervision: which instance supervises, what must be true for it, and the table that tells it everything.

The table's layout is that of components/lib/include/tessera/supervision.h. Row n is instance n + 2 of the init table:
the supervisor is instance 1 and has no row.
"""
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.component import Component
from generator.diagnostics import did_you_mean, short
from generator.model import Instance, Manifest
from generator.restart import ALWAYS, FACTORY, POLICIES, THEN, Restart

if TYPE_CHECKING:
    from generator.check import Resolved

SUPERVISOR = "servers/reincarnation"
OWN_HEARTBEAT = 4_000_000  # of the supervisor towards init, microseconds
HEARTBEAT_SLOT = 12  # TSS_SLOT_HEARTBEAT
BADGE_SUPERVISE, BADGE_HEARTBEAT = 0x10000, 0x20000
MAY_BITS = {"kill": 1, "restart": 2, "mode": 4}
MAGIC = 0x4c425653  # "SVBL"
_HEADER = struct.Struct("<IIIIII")
_ROW = struct.Struct("<16sIIIIQQQQ32s")
_ADMIN = struct.Struct("<QII16s")
_CONTROL = struct.Struct("<IIQ16s32s")
_PART = struct.Struct("<IIQ32s32s")
Error = Callable[..., None]


@dataclass(frozen=True)
class Row:
    """One supervised instance."""

    name: str
    unit_slot: int
    restart: Restart
    heartbeat: int


@dataclass(frozen=True)
class Admin:
    """A client that may look, and what else it may."""

    client: str
    badge: int
    may: tuple[str, ...]


@dataclass(frozen=True)
class Control:
    """A connection whose mode the supervisor can raise, and its slot there."""

    client: str
    name: str
    slot: int


@dataclass(frozen=True)
class Part:
    """A section of an image that the supervisor looks at before it restarts whose it is; `page` of what it reads."""

    row: int
    page: int
    size: int
    section: str
    hash: bytes


def supervisors(manifest: Manifest) -> list[Instance]:
    return [i for i in manifest.instances if i.component == SUPERVISOR]


def contract(instance: Instance, component: Component, supervised: bool) -> Restart:
    """What holds for an instance: the manifest, then component.yaml; without a supervisor nothing is restarted."""
    if component.name == SUPERVISOR:
        return ALWAYS
    return instance.restart.over(component.restart.over(FACTORY)) if supervised else FACTORY


def heartbeat(instance: Instance, component: Component) -> int:
    return instance.heartbeat or (OWN_HEARTBEAT if component.name == SUPERVISOR else 0)


def _check_wishes(instance: Instance, component: Component, error: Error) -> None:
    """What stands at the instance itself."""
    if component.name == SUPERVISOR and instance.restart != Restart():
        error("TSS-049", instance.place("restart"), f"{short(instance.name)} is guarded by init, in a fixed way",
              "remove `restart`; see components/init/README.md for what init does")
    if instance.heartbeat and not component.heartbeat:
        error("TSS-045", instance.place("heartbeat"), f"{component.name} sends no heartbeats",
              "remove it, or have the component send them and say `heartbeat: true` in its component.yaml")


def _check_dependants(instance: Instance, manifest: Manifest, error: Error) -> None:
    names = {i.name for i in manifest.instances} - {instance.name}
    guards = {i.name for i in supervisors(manifest)}
    for dependant in instance.restart.dependants or ():
        if dependant.name not in names:
            what = "depends on itself" if dependant.name == instance.name else "is no instance"
            error("TSS-023", dependant.position, f"dependant {short(dependant.name)} {what}",
                  did_you_mean(dependant.name, names - guards))
        elif dependant.name in guards:
            error("TSS-049", dependant.position, f"{short(dependant.name)} is restarted by init alone",
                  "remove it from the list")


def _unsupervised(instance: Instance, error: Error) -> None:
    """Without a supervisor only `never` is true."""
    wishes = [name for name in ("restart", "heartbeat") if instance.place(name) != instance.position]
    for name in wishes:
        if name == "heartbeat" or instance.restart not in (Restart(), Restart(policy="never")):  # the first: refused
            error("TSS-041", instance.place(name), f"{short(name)} has no effect: nothing in this system restarts "
                  "instances", f"add an instance of {SUPERVISOR}, or remove it")


def check_supervision(manifest: Manifest, components: Mapping[str, Component], resolved: Iterable["Resolved"],
                      error: Error) -> None:
    """All that must be true of restarts, heartbeats and the supervisor itself."""
    found = supervisors(manifest)
    for other in found[1:]:
        error("TSS-052", other.component_position, f"{short(other.name)} would supervise what {short(found[0].name)} "
              "supervises", f"a system has one instance of {SUPERVISOR}")
    for instance in manifest.instances:
        component = components.get(instance.component or "")
        for connect in instance.connects:
            if connect.may_position is not None and connect.to not in [i.name for i in found]:
                error("TSS-048", connect.may_position, f"{short(connect.to)} is not asked to kill or restart",
                      f"`may` is for connections to an instance of {SUPERVISOR}")
        if not found:
            _unsupervised(instance, error)
        elif component is not None:
            _check_wishes(instance, component, error)
            _check_dependants(instance, manifest, error)
    if found:
        _check_supervisor(found[0], list(resolved), error)


def _check_supervisor(supervisor: Instance, resolved: list["Resolved"], error: Error) -> None:
    mine = next((r for r in resolved if r.name == supervisor.name), None)
    if mine is None:
        return
    power = any(c.name == "power" for c in supervisor.connects)
    for other in resolved:
        if other.name == mine.name:
            continue
        if other.priority >= mine.priority and other.cpu == mine.cpu:
            error("TSS-047", other.place("priority"), f"{short(other.name)} has priority {other.priority}, "
                  f"{short(mine.name)} only {mine.priority}: it could not end what runs wild",
                  "give the supervisor a higher priority than all others have")
        if other.restart.policy != "never" and other.restart.then == "reboot" and not power:
            error("TSS-046", other.place("restart"), f"{short(other.name)} says `then: reboot`, but "
                  f"{short(mine.name)} cannot reset the machine",
                  f"write `connect: {{power: ...}}` at {mine.name}")


def table(rows: list[Row], admins: list[Admin], controls: list[Control], parts: list[Part]) -> bytes:
    """The supervision table."""
    index = {row.name: n for n, row in enumerate(rows)}
    packed = [_HEADER.pack(MAGIC, len(rows), len(admins), len(controls), len(parts), 0)]
    for row in rows:
        r = row.restart
        assert r.policy and r.backoff and r.limit and r.then and r.dependants is not None
        bits = sum(1 << index[d.name] for d in r.dependants)
        packed.append(_ROW.pack(row.name.encode(), row.unit_slot, POLICIES.index(r.policy), THEN.index(r.then),
                                r.limit[0], r.limit[1], *r.backoff, row.heartbeat, bits.to_bytes(32, "little")))
    packed += [_ADMIN.pack(a.badge, sum(MAY_BITS[m] for m in a.may), 0, a.client.encode()) for a in admins]
    packed += [_CONTROL.pack(c.slot, 0, 0, c.client.encode(), c.name.encode()) for c in controls]
    packed += [_PART.pack(p.row, p.page, p.size, p.section.encode(), p.hash) for p in parts]
    return b"".join(packed)
