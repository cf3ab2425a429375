# SPDX-License-Identifier: BSD-2-Clause
"""What instances may do, and why: rows to compare systems by, and the capabilities of the plan with their reasons."""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generator.abi import Abi
from generator.calls import MONITOR_SLOT, names_in
from generator.check import Resolved, System
from generator.diagnostics import Position
from generator.elf import PAGE, Image, Segment, pages
from generator.layout import looked_at
from generator.plan import Plan, plan
from generator.reach import masters
from generator.share import scheduled

PLACEHOLDER = Image((Segment("text", 0, b"\xcc", PAGE), Segment("rodata", PAGE, b"\0", PAGE),
                     Segment("data", 2 * PAGE, b"\0", PAGE)), 0)  # stands for a component that is not built
FIXED = {"THREAD": "its thread", "SCHED": "its time", "TEXT": "its program, to run", "RODATA": "its constants",
         "DATA": "its variables", "STACK": "its stack", "HEAP": "its heap"}


@dataclass(frozen=True, order=True)
class Right:
    """One thing that an instance may do; two systems are compared by these."""

    instance: str
    text: str
    position: Position


@dataclass(frozen=True)
class Capability:
    """A capability of the plan: what it is for, and where that is written."""

    slot: int
    type: str
    rights: tuple[str, ...]
    what: str
    why: str
    position: Position
    address: int
    pages: int


def _of_instance(instance: Resolved, system: System) -> Iterator[Right]:
    component, name, place = instance.component, instance.name, instance.position
    for link in (k for k in system.links if k.client == name):
        for right in link.rights:
            yield Right(name, f"{right} {link.server}.{link.provided} through {link.name}", link.position)
        for may in link.may:
            yield Right(name, f"{may} anybody through {link.server}", link.position)
    for assigned in instance.devices:
        yield Right(name, f"device {assigned.device}", assigned.position)
    for slot in masters(instance):
        yield Right(name, f"read and write all memory through the device {slot}", place)
    for word in component.system:
        yield Right(name, f"system right {word}", place)
    if component.own_unit:
        yield Right(name, "control its own unit", place)
    if component.directory:
        yield Right(name, "know its clients by name", place)
    for dependant in instance.restart.dependants or ():
        yield Right(name, f"restart {dependant.name} by ending", dependant.position)
    if instance.restart.policy != "never" and instance.restart.then == "reboot":
        yield Right(name, "reboot the machine by ending too often", instance.place("restart"))
    for under, _ in scheduled(system.instances, instance):
        yield Right(name, f"set priority, slice and budget of {under.name}", under.position)
    if system.supervisor is instance:
        for other in system.instances:
            if other is not instance:
                yield Right(name, f"end and rebuild {other.name}", place)
        for image in looked_at(system, name):
            yield Right(name, f"read the program of {image}", place)


def rights(system: System) -> list[Right]:
    """All rights of a system, sorted."""
    return sorted(right for instance in system.instances for right in _of_instance(instance, system))


def planned(system: System, images: Mapping[str, Image], abi: Abi, files: Mapping[str, bytes]) -> Plan:
    """The plan; components that are not built have a placeholder of three pages."""
    names = {i.component.name for i in system.instances} | {"init"}
    return plan(system, {name: images.get(name, PLACEHOLDER) for name in names}, abi, False, files)


class Reasons:
    """Says why a capability of the plan is there."""

    def __init__(self, system: System, whole: Plan, abi: Abi) -> None:
        self.system, self.plan = system, whole
        self.fixed = {abi[f"TSS_SLOT_{name}"]: text for name, text in FIXED.items()}
        self.special = {abi["TSS_SLOT_UNIT"]: "unit", abi["TSS_SLOT_SYSTEM"]: "system",
                        abi["TSS_SLOT_DIRECTORY"]: "directory"}
        self.instances = {i.name: i for i in system.instances}
        self.links = {(k.client, k.name): k for k in system.links}
        self.images = next((g.slot for g in whole.grants if g.instance and g.address == abi["TSS_LAYOUT_IMAGES"]), 0)

    def described(self, instance: Resolved) -> Position:
        return instance.component.position

    def of_slot(self, instance: Resolved, number: int) -> tuple[str, str, Position]:
        """(what, why, where it is written) of one slot of an instance."""
        if number in self.fixed:
            return self.fixed[number], "every instance has it", instance.position
        if number in self.special:
            kind = self.special[number]
            words = {"unit": ("its own unit", "component.yaml: self"), "directory": (
                "what the manifest says of others",
                "component.yaml: directory, or the supervisor's or a scheduler's table"),
                "system": ("the system", f"component.yaml: system {', '.join(instance.component.system)}")}
            return *words[kind], self.described(instance)
        slot = next((s for s in instance.component.layout.slots if s.number == number), None)
        if slot is None:
            return self.supervision(instance, number)
        if slot.kind == "connection":
            link = self.links[instance.name, slot.name]
            may = f", may {' and '.join(link.may)}" if link.may else ""
            what = f"connection {slot.name} to {link.server}.{link.provided}{may}"
            return what, "the manifest connects it", link.position
        if slot.kind == "device":
            assigned = next(d for d in instance.devices if d.slot == slot.name)
            more = ", trusted: it reaches all memory, there is no IOMMU" if slot.name in masters(instance) else ""
            return f"device {slot.name}: {assigned.device}{more}", "a device of the component", assigned.position
        if slot.kind in ("port", "reply"):
            provide = next(p for p in instance.component.provides if p.name == slot.name)
            return f"{slot.kind} of {slot.name}", f"component.yaml provides {provide.interface}", provide.position
        return f"{slot.kind} {slot.name}".replace("parameters parameters", "its parameters"), \
            f"component.yaml: {slot.kind}", self.described(instance)

    def supervision(self, instance: Resolved, number: int) -> tuple[str, str, Position]:
        """What supervision adds behind the planned slots, and for heartbeats."""
        guard = self.system.supervisor
        row = next((r for r in self.plan.supervised if r.unit_slot == number), None)
        if guard is not None and instance is guard and row is not None:
            other = self.instances[row.name]
            return f"the unit of {row.name}, to end and rebuild it", "it is the supervisor", other.position
        under = next((i for i, slot in scheduled(self.system.instances, instance) if slot == number), None)
        if under is not None and under.under is not None:
            return f"the time of {under.name}", "it is the scheduler", under.under.position
        watch = next((w for w in self.system.watches if w.client == instance.name), None)
        if number == MONITOR_SLOT and watch is not None:
            return f"connection through which {watch.monitor} is asked", "the manifest interposes", watch.position
        if number == self.images and instance is guard:
            names = ", ".join(sorted(looked_at(self.system, instance.name)))
            return f"the programs of {names}, to compare them before a restart", "they speak in mode PARANOID", \
                instance.position
        control = next((c for c in self.plan.controls if c.slot == number), None)
        if guard is not None and instance is guard and control is not None:
            link = self.links[control.client, control.name]
            return (f"connection {control.name} of {control.client}, to raise its mode",
                    "somebody may ask for it (may: [mode])", link.position)
        return "connection for heartbeats", "the manifest wants heartbeats", instance.place("heartbeat")

    def capabilities(self, name: str) -> list[Capability]:
        """Everything that an instance holds, by slot."""
        index = next(n for n, row in enumerate(self.plan.rows) if row.name == name)
        found = []
        for grant in (g for g in self.plan.grants if g.instance == index):
            target = self.plan.objects[grant.object]
            what, why, position = (self.of_slot(self.instances[name], grant.slot) if name != "init" else
                                   ("", "init builds the system", Position("")))
            found.append(Capability(grant.slot, target.type, tuple(self.plan.abi.right_names(grant.rights)), what, why,
                                    position, grant.address, self.size(grant.object)))
        return found

    def calls(self, name: str) -> dict[str, list[str]]:
        """Names of the system calls that an instance may make, and of those that its monitor is asked about."""
        row = next(row for row in self.plan.rows if row.name == name)
        return {"may": names_in(self.plan.abi, row.allowed), "asked": names_in(self.plan.abi, row.asked)}

    def size(self, index: int) -> int:
        """Pages of a memory object."""
        target = self.plan.objects[index]
        if target.type != "MEMORY":
            return 0
        if target.a == self.plan.abi["TSS_MEMORY_SECTIONS"]:
            return sum(pages(s.size) for s in self.plan.sections[target.b:target.b + target.c])
        from_section = target.a in (self.plan.abi["TSS_MEMORY_MAPPED"], self.plan.abi["TSS_MEMORY_COPIED"])
        return self.plan.sections[target.b].memory_size // PAGE if from_section else target.b
