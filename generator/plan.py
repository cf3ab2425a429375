# SPDX-License-Identifier: BSD-2-Clause
"""plan: System and images -> Plan: every object, every capability, every section of the bundle.

Indexes are those of the bundle. The order of everything follows from names alone, so equal inputs give equal plans.
"""
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from generator import attached, budget, devices, layout, parameters, share, supervision
from generator.abi import Abi
from generator.calls import BADGE_MONITOR, INTERFACE, MONITOR_SLOT, allowed, mask, names_of
from generator.check import Link, Resolved, System
from generator.directory import Connection, directory, managed, paged_pages
from generator.elf import PAGE, Image, pages
from generator.modes import MODES, Guard as Wanted
from generator.slots import MAILBOX_BASE, MAILBOX_SIZE, WINDOW_BASE, WINDOW_SIZE, mailbox_pages
from generator.supervision import BADGE_HEARTBEAT, BADGE_SUPERVISE, HEARTBEAT_SLOT

LOG = "servers/log"
SYSTEM_RIGHTS = {"audit": "RECEIVE"}  # whose names are not the words in component.yaml
INIT_FAULTS, INIT_LOG, INIT_FIRST = 16, 17, 18  # init's own planned slots
INIT_SPARE_SLOTS, SLOTS_A_PAGE = 80, 64  # CAPS_PER_PAGE
PORT_DEPTH_MAX = 256  # of the kernel; that one is lost is seen by the next who looks
NO_OBJECT = 0xffffffff
PROTECTION = {"text": ("READ", "EXECUTE"), "rodata": ("READ",), "data": ("READ", "WRITE")}


@dataclass(frozen=True)
class Section:
    kind: str  # TABLE, SEGMENT or DIRECTORY
    name: str
    flags: int
    data: bytes  # empty for the table, which emit makes
    size: int
    memory_size: int
    address: int


@dataclass(frozen=True)
class Object:
    type: str
    payer: int
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True, order=True)
class Grant:
    instance: int
    slot: int
    object: int
    rights: int
    address: int
    protection: int
    original: bool


@dataclass(frozen=True, order=True)
class Guard:
    """A connection's or a port's row, as the init table has it."""

    object: int
    mode: int
    methods: int = 0
    interval_us: int = 0
    burst: int = 0
    shares: bool = False


@dataclass(frozen=True)
class Row:
    """An instance as the init table has it."""

    name: str
    component: str
    memory_pages: int
    entry: int
    image_base: int
    stack_top: int
    ipc_page: int
    argument: int
    slots: int
    priority: int
    slice_us: int
    flags: int  # TSS_INSTANCE_*
    allowed: tuple[int, int]  # masks of system calls
    asked: tuple[int, int]
    monitor: int  # object index of the connection through which its monitor is asked, or NO_OBJECT


@dataclass(frozen=True)
class Plan:
    system: str
    abi: Abi
    rows: tuple[Row, ...]
    objects: tuple[Object, ...]
    grants: tuple[Grant, ...]
    guards: tuple[Guard, ...]
    sections: tuple[Section, ...]
    connections: tuple[Connection, ...]
    supervised: tuple[supervision.Row, ...]
    admins: tuple[supervision.Admin, ...]
    controls: tuple[supervision.Control, ...]
    parts: tuple[supervision.Part, ...]
    flags: int
    init_pages: int
    bundle_bytes: int


def _behind(name: str, servers: Mapping[str, set[str]]) -> set[str]:
    """All that `name` depends on, directly or not."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = servers[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def start_order(system: System) -> list[Resolved]:
    """The supervisor, then providers before their clients; by name where there is a choice, and inside a cycle."""
    servers = {i.name: {k.server for k in system.links if k.client == i.name} for i in system.instances}
    behind = {name: _behind(name, servers) for name in servers}
    waiting = {i.name: i for i in system.instances}
    order: list[Resolved] = [waiting.pop(i.name) for i in system.instances if i is system.supervisor]
    while waiting:
        ready = [name for name in waiting if all(name in behind[s] for s in behind[name] & waiting.keys())]
        order.append(waiting.pop(min(ready)))
    return order


def connections(system: System, order: list[Resolved]) -> list[Connection]:
    """All connections with badges: 1 + running number a port, clients sorted by name; init's to log among them."""
    links = list(system.links)
    log = next((i for i in order if i.component.name == LOG), None)
    provide = next((p for p in log.component.provides if p.interface == "log"), None) if log else None
    if log is not None and provide is not None:
        links.append(Link("init", "log", log.name, provide.name, "log", ("send",)))
    badges: dict[tuple[str, str], int] = {}
    found = []
    for link in sorted(links, key=lambda k: (k.client, k.name)):
        port = (link.server, link.provided)
        badges[port] = badges.get(port, 0) + 1
        found.append(Connection(link.client, link.name, link.server, link.interface, badges[port],
                                tuple(sorted(r.upper() for r in link.rights)), link.provided, link.guard))
    return found


class _Planner:
    """Collects sections, objects and grants; each method adds one part."""

    def __init__(self, system: System, images: Mapping[str, Image], abi: Abi, files: Mapping[str, bytes]) -> None:
        self.system, self.images, self.abi, self.files = system, images, abi, files
        self.order = start_order(system)
        self.index = {"init": 0} | {i.name: n for n, i in enumerate(self.order, 1)}
        self.connections = connections(system, self.order)
        self.sections: list[Section] = []
        self.objects: list[Object] = []
        self.grants: list[Grant] = []
        self.guards: list[Guard] = []
        self.moving = layout.moving(system)
        self.floors = {i.name: i.mode for i in system.manifest.instances}
        self.ports: dict[tuple[str, str], int] = {}
        self.guard = system.supervisor
        self.cpus = {i.name: i.cpu for i in system.instances}
        self.guard_port = ""
        self.call_names = names_of(abi)
        self.monitors: dict[str, int] = {}
        self.connections += [Connection(w.client, "monitor", w.monitor, INTERFACE, BADGE_MONITOR + self.index[w.client],
                                        (), w.provided) for w in system.watches]
        self.supervised: list[supervision.Row] = []
        self.admins: list[supervision.Admin] = []
        self.controls: list[supervision.Control] = []
        self.parts: list[supervision.Part] = []
        self.readers: list[tuple[str, int, list[str]]] = []  # who looks at images, through which slot, at whose
        if self.guard is not None:
            self.supervise(self.guard)

    def supervise(self, guard: Resolved) -> None:
        """What the supervisor's table will say, and the connections that come with it."""
        self.guard_port = guard.component.provides[0].name
        end = guard.component.layout.end
        self.supervised = [supervision.Row(i.name, end + n, i.restart, i.heartbeat)
                           for n, i in enumerate(self.order[1:])]
        may = {(k.client, k.name): k.may for k in self.system.links}
        self.admins = [supervision.Admin(c.client, c.badge, may[c.client, c.name]) for c in self.connections
                       if c.server == guard.name]
        end += len(self.supervised)
        if any("mode" in admin.may for admin in self.admins):
            self.controls = [supervision.Control(k.client, k.name, end + n) for n, k in enumerate(self.system.links)]
        end += len(self.controls)
        for reader, slot in (("init", INIT_FIRST + 2 * len(self.order)), (guard.name, end)):
            names = layout.looked_at(self.system, reader)
            self.readers += [(reader, slot, [i.name for i in self.order if i.name in names])] if names else []
        for n, i in enumerate(self.order[1:]):
            if i.heartbeat:
                self.connections.append(Connection(i.name, "heartbeat", guard.name, "heartbeat", BADGE_HEARTBEAT + n,
                                                   ("SEND",), self.guard_port))
            self.connections.append(Connection("init", f"end of {i.name}", guard.name, "supervise",
                                               BADGE_SUPERVISE + n, (), self.guard_port))

    def rights(self, *names: str) -> int:
        return sum(self.abi.right(name) for name in names)

    def add(self, kind: str, payer: int, a: int = 0, b: int = 0, c: int = 0) -> int:
        self.objects.append(Object(kind, payer, a, b, c))
        return len(self.objects) - 1

    def grant(self, instance: int, slot: int, target: int, *rights: str, original: bool = True,
              address: int = 0) -> None:
        mask = self.rights(*rights)
        mapped = mask & self.rights("READ", "WRITE", "EXECUTE") if address else 0
        self.grants.append(Grant(instance, slot, target, mask, address, mapped, original))

    def section(self, section: Section) -> int:
        self.sections.append(section)
        return len(self.sections) - 1

    def segments(self, name: str, image: Image) -> dict[str, int]:
        """Adds the sections of one instance's image; kind -> section."""
        own = self.abi["TSS_SECTION_INIT"] if name == "init" else 0
        return {s.kind: self.section(Section("SEGMENT", f"{name}.{s.kind}", self.rights(*PROTECTION[s.kind]) | own,
                                             s.data, len(s.data), s.memory_size, s.address)) for s in image.segments}

    def lay_out(self) -> None:
        """Sections: init's segments, the table, then each instance's segments and directory."""
        self.placed = {"init": self.segments("init", self.images["init"])}
        self.table = self.section(Section("TABLE", "table", 0, b"", 0, 0, 0))
        for instance in self.order:
            self.placed[instance.name] = self.segments(instance.name, self.images[instance.component.name])
            if instance.component.directory:
                found = [c for c in self.connections if c.server == instance.name]
                clients = {i.name: i for i in self.order}
                data = directory(found, clients)
                if any(p.interface == devices.MANAGED for p in instance.component.provides):
                    data += managed(found, clients)
                self.placed[instance.name]["directory"] = self.section(Section(
                    "DIRECTORY", f"{instance.name}.directory", self.rights("READ"), data, len(data),
                    pages(len(data)) * PAGE, 0))
        for instance in (i for i in self.order if i.component.parameters):
            data = parameters.page(instance.component.parameters, instance.parameters)
            self.placed[instance.name]["parameters"] = self.section(Section(
                "DIRECTORY", f"{instance.name}.parameters", self.rights("READ"), data, len(data), PAGE, 0))
        for instance in self.order:
            for n, one in enumerate(instance.files):
                data = attached.section(self.files.get(one.path, b""))
                self.placed[instance.name][f"file{n}"] = self.section(Section(
                    "DIRECTORY", f"{instance.name}.file{n}", self.rights("READ"), data, len(data),
                    pages(len(data)) * PAGE, 0))
        for instance in (i for i in self.order if i.component.name == share.SCHEDULER):
            data = share.table(share.scheduled(self.order, instance))
            self.placed[instance.name]["directory"] = self.section(Section(
                "DIRECTORY", f"{instance.name}.schedule", self.rights("READ"), data, len(data),
                pages(len(data)) * PAGE, 0))
        if self.guard is not None:
            for _, _, names in self.readers[1:]:
                sections = {name: [self.sections[n] for n in self.placed[name].values()] for name in names}
                self.parts = layout.parts(names, sections, [row.name for row in self.supervised])
            data = supervision.table(self.supervised, self.admins, self.controls, self.parts)
            self.placed[self.guard.name]["directory"] = self.section(Section(
                "DIRECTORY", f"{self.guard.name}.supervision", self.rights("READ"), data, len(data),
                pages(len(data)) * PAGE, 0))

        order = layout.in_a_row([s.name for s in self.sections], [names for *_, names in self.readers])
        self.sections = [self.sections[n] for n in order]
        self.placed = {name: {kind: order.index(n) for kind, n in of.items()} for name, of in self.placed.items()}

    def manifest(self, text: bytes) -> None:
        """The last section: what the system was made from, for its hash to be readable when it runs."""
        self.section(Section("DIRECTORY", "manifest", self.rights("READ"), text, len(text), pages(len(text)) * PAGE, 0))

    def memory(self, name: str, image: Image, stack_pages: int, heap_pages: int) -> None:
        """Segments, stack, heap and directory of one instance, mapped where the layout says."""
        abi, me, placed = self.abi, self.index[name], self.placed[name]
        for segment in image.segments:
            source = "COPIED" if segment.kind == "data" else "MAPPED"
            target = self.add("MEMORY", me, abi[f"TSS_MEMORY_{source}"], placed[segment.kind])
            self.grant(me, abi[f"TSS_SLOT_{segment.kind.upper()}"], target, *PROTECTION[segment.kind],
                       address=abi["TSS_LAYOUT_IMAGE"] + segment.address)
        target = self.add("MEMORY", me, abi["TSS_MEMORY_ZERO"], stack_pages)
        self.grant(me, abi["TSS_SLOT_STACK"], target, "READ", "WRITE",
                   address=abi["TSS_LAYOUT_STACK_TOP"] - stack_pages * PAGE)
        if heap_pages:
            target = self.add("MEMORY", me, abi["TSS_MEMORY_ZERO"], heap_pages)
            self.grant(me, abi["TSS_SLOT_HEAP"], target, "READ", "WRITE", address=abi["TSS_LAYOUT_HEAP"])
        if "directory" in placed:
            target = self.add("MEMORY", me, abi["TSS_MEMORY_MAPPED"], placed["directory"])
            self.grant(me, abi["TSS_SLOT_DIRECTORY"], target, "READ", address=abi["TSS_LAYOUT_DIRECTORY"])

    def thread(self, name: str) -> None:
        me = self.index[name]
        self.grant(me, self.abi["TSS_SLOT_THREAD"], self.add("THREAD", me))
        one = next((i for i in self.order if i.name == name), None)
        target = self.add("SCHED", me, self.cpus.get(name, 0), *(share.words(one) if one is not None else ()))
        self.grant(me, self.abi["TSS_SLOT_SCHED"], target)
        if one is not None and one.under is not None:
            scheduler = next(i for i in self.order if i.name == one.under.name)
            slot = next(slot for other, slot in share.scheduled(self.order, scheduler) if other is one)
            self.grant(self.index[scheduler.name], slot, target, "CONTROL", original=False)

    def init(self) -> None:
        """Instance 0: what is left to init when everything runs."""
        abi, image = self.abi, self.images["init"]
        self.system_object = self.add("SYSTEM", 0)
        self.grant(0, abi["TSS_SLOT_SYSTEM"], self.system_object, "INSPECT")
        self.grant(0, abi["TSS_SLOT_UNIT"], self.add("UNIT", 0, 0, int(self.guard is not None)), "CONTROL", "GRANT")
        self.thread("init")
        self.memory("init", image, abi["TSS_INIT_STACK_PAGES"], 0)
        self.ports["init", "faults"] = self.add("PORT", 0, min(2 * len(self.order) + 8, PORT_DEPTH_MAX))
        self.grant(0, INIT_FAULTS, self.ports["init", "faults"], "RECEIVE")

    def instance(self, instance: Resolved) -> None:
        """What an instance has by itself: unit, thread, memory, ports, replies, devices, events."""
        abi, component, me = self.abi, instance.component, self.index[instance.name]
        unit = self.add("UNIT", 0, me, int(self.guard is not None))
        own = ("CONTROL",) if self.guard is None else ("INSTALL",) if instance is self.guard else ()
        self.grant(0, INIT_FIRST + 2 * (me - 1), unit, *own)
        if self.guard is not None and instance is not self.guard:
            self.grant(self.index[self.guard.name], self.supervised[me - 2].unit_slot, unit, "INSTALL", original=False)
        if component.own_unit:
            self.grant(me, abi["TSS_SLOT_UNIT"], unit, "CONTROL", original=False)
        if component.system:
            self.grant(me, abi["TSS_SLOT_SYSTEM"], self.system_object,
                       *(SYSTEM_RIGHTS.get(r, r.upper()) for r in component.system), original=False)
        self.thread(instance.name)
        self.memory(instance.name, self.images[component.name], pages(instance.stack), pages(instance.heap))
        for provide in component.provides:
            port = self.ports[instance.name, provide.name] = self.add("PORT", me, provide.depth)
            self.grant(me, component.layout.find("port", provide.name).number, port, "RECEIVE",
                       *(("CONTROL",) if provide.sessions else ()))
            if self.floors[instance.name] is not None:
                self.guards.append(Guard(port, MODES.index(self.floors[instance.name] or "")))
            for i in range(provide.replies):
                self.grant(me, component.layout.find("reply", provide.name, i).number, self.add("REPLY", me, port),
                           "SEND")
        self.devices(instance)
        if component.parameters:
            target = self.add("MEMORY", me, abi["TSS_MEMORY_MAPPED"], self.placed[instance.name]["parameters"])
            self.grant(me, component.layout.find("parameters", "parameters").number, target, "READ",
                       address=parameters.ADDRESS)
        for i, provide in enumerate(component.mailboxes):
            target = self.add("MEMORY", me, abi["TSS_MEMORY_ZERO"], mailbox_pages(provide.depth))
            self.grant(me, component.layout.find("mailbox", provide.name).number, target, "READ", "WRITE",
                       address=MAILBOX_BASE + i * MAILBOX_SIZE)
        for event in component.events:
            slot = component.layout.find("event", event).number
            self.grant(me, slot, self.add("EVENT", me), "SIGNAL", "WAIT", "BIND")
        for n, name in enumerate(component.files):
            target = self.add("MEMORY", me, abi["TSS_MEMORY_MAPPED"], self.placed[instance.name][f"file{n}"])
            self.grant(me, component.layout.find("file", name).number, target, "READ",
                       address=attached.ADDRESS + n * attached.WINDOW)

    def devices(self, instance: Resolved) -> None:
        component, me = instance.component, self.index[instance.name]
        windows = [d.name for d in component.devices if d.kind in ("mmio", "dma")]
        for assigned in instance.devices:
            slot, device = component.layout.find("device", assigned.slot).number, assigned.device
            which = self.abi[f"TSS_FIRMWARE_{device.firmware.upper()}"] if device.firmware else 0
            if device.kind == devices.MANAGED:
                continue  # a connection
            if device.kind == "irq":
                self.grant(me, slot, self.add("IRQ", me, device.base), "CONTROL")
            elif device.kind == "ioport":
                self.grant(me, slot, self.add("IOPORT", me, device.base, device.count, which), "READ", "WRITE")
            elif device.kind == "dma":
                target = self.add("MEMORY", me, self.abi["TSS_MEMORY_ZERO"], device.count, 1)
                self.grant(me, slot, target, "READ", "WRITE", "GRANT",
                           address=WINDOW_BASE + windows.index(assigned.slot) * WINDOW_SIZE)
            else:
                source = self.abi["TSS_MEMORY_FIRMWARE" if device.firmware else "TSS_MEMORY_DEVICE"]
                target = self.add("MEMORY", me, source, device.count, which or device.base)
                rights = ("READ", "WRITE") if device.firmware in devices.WRITABLE else ("READ",)
                self.grant(me, slot, target, *rights,
                           address=WINDOW_BASE + windows.index(assigned.slot) * WINDOW_SIZE)

    def connect(self) -> None:
        """Connections of the manifest, init's to log, those through which ends are heard of, and heartbeats.

        Who may send to a port has an equal part of its queue reserved; nothing, if there are more of them than places.
        Heartbeats reserve nothing (the kernel gives each an equal share of what is left), nor do the kernel's messages.
        """
        instances = {i.name: i for i in self.order}
        sending = [c for c in self.connections if "SEND" in c.rights and c.interface != "heartbeat"]
        senders = Counter((c.server, c.provided) for c in sending)
        for connection in self.connections:
            me = self.index[connection.client]
            if connection.interface == "supervise":
                slot = INIT_FIRST + 2 * (connection.badge - BADGE_SUPERVISE + 1) + 1
            elif connection.interface == "heartbeat":
                slot = HEARTBEAT_SLOT
            elif connection.interface == INTERFACE and connection.badge >= BADGE_MONITOR:
                slot = MONITOR_SLOT
            elif me == 0:
                slot = INIT_LOG
            else:
                slot = instances[connection.client].component.layout.connection(connection.name).number
            port = self.ports[connection.server, connection.provided]
            credit = (self.objects[port].a // senders[connection.server, connection.provided]
                      if connection in sending else 0)
            paged = paged_pages(connection, instances.get(connection.client))
            target = self.add("CONNECTION", me, port, connection.badge, credit)
            if slot == MONITOR_SLOT:
                self.monitors[connection.client] = target
            self.grants.append(Grant(me, slot, target, self.rights(*connection.rights),
                                     self.abi["TSS_LAYOUT_PAGED"] if paged else 0, paged, True))
            self.guard_of(connection, target)
        self.heard_by_init()

    def guard_of(self, connection: Connection, target: int) -> None:
        """What it declares, and CONTROL for the supervisor if somebody may ask it for another mode."""
        guard = connection.guard
        if guard != Wanted():
            self.guards.append(Guard(target, guard.level, guard.methods, guard.interval_us, guard.burst, guard.shares))
        row = next((c for c in self.controls if (c.client, c.name) == (connection.client, connection.name)), None)
        if row is not None and self.guard is not None:
            self.grant(self.index[self.guard.name], row.slot, target, "CONTROL", original=False)

    def heard_by_init(self) -> None:
        """Whose end init hears of: everybody's, or only the supervisor's, whose heartbeats it wants as well."""
        faults = self.ports["init", "faults"]
        for instance in self.order if self.guard is None else [self.guard]:
            me = self.index[instance.name]
            self.grant(0, INIT_FIRST + 2 * (me - 1) + 1, self.add("CONNECTION", 0, faults, me))
        if self.guard is not None:
            target = self.add("CONNECTION", 1, faults, BADGE_HEARTBEAT + 1)
            self.grant(1, HEARTBEAT_SLOT, target, "SEND")

    def look(self) -> None:
        """The images that init and the supervisor look at before they restart somebody."""
        for reader, slot, names in self.readers:
            found = sorted(n for name in names for n in self.placed[name].values())
            target = self.add("MEMORY", self.index[reader], self.abi["TSS_MEMORY_SECTIONS"], found[0], len(found))
            self.grant(self.index[reader], slot, target, "READ", address=self.abi["TSS_LAYOUT_IMAGES"])

    def calls(self, instance: Resolved) -> tuple[tuple[int, int], tuple[int, int]]:
        """What it may call, and what of that its monitor is asked about."""
        may = allowed(self.images[instance.component.name].calls, instance.component.calls, instance.denied,
                      self.call_names)
        watch = next((w for w in self.system.watches if w.client == instance.name), None)
        listed = may if watch is None or watch.calls is None else {self.call_names[name] for name in watch.calls}
        return mask(may), mask(may & frozenset(listed)) if watch is not None else (0, 0)

    def row(self, instance: Resolved) -> Row:
        flags = self.abi["TSS_INSTANCE_VECTORS"] * instance.component.fpu
        flags |= self.abi["TSS_INSTANCE_MOVES"] * (instance.name in self.moving)
        return Row(instance.name, instance.component.name, pages(instance.memory),
                   self.abi["TSS_LAYOUT_IMAGE"] + self.images[instance.component.name].entry,
                   self.abi["TSS_LAYOUT_IMAGE"], self.abi["TSS_LAYOUT_STACK_TOP"], self.abi["TSS_LAYOUT_IPC_PAGE"],
                   instance.heap | instance.heartbeat << 32, instance.slots, instance.priority, instance.slice,
                   flags, *self.calls(instance),
                   self.monitors.get(instance.name, NO_OBJECT))

    @property
    def init_slots(self) -> int:
        """A handle of each object, what init has in the end, and one more for each instance on another CPU."""
        wanted = len(self.objects) + 3 * (len(self.order) + 1) + INIT_SPARE_SLOTS
        return -(-wanted // SLOTS_A_PAGE) * SLOTS_A_PAGE

    def init_row(self, init_pages: int, bundle_bytes: int) -> Row:
        abi = self.abi
        return Row("init", "init", init_pages, abi["TSS_LAYOUT_IMAGE"] + self.images["init"].entry,
                   abi["TSS_LAYOUT_IMAGE"], abi["TSS_LAYOUT_STACK_TOP"], abi["TSS_LAYOUT_IPC_PAGE"], bundle_bytes,
                   self.init_slots, abi["TSS_INIT_PRIORITY"], 10000, 0, mask(self.images["init"].calls), (0, 0),
                   NO_OBJECT)


def _sized(planner: _Planner, rows: int) -> tuple[tuple[Section, ...], int]:
    """The sections with the table's size in place, and the size of the bundle."""
    size = 32 + 152 * rows + 32 * (len(planner.objects) + len(planner.grants) + len(planner.guards))
    sections = [Section("TABLE", "table", s.flags, b"", size, 0, 0) if s.kind == "TABLE" else s
                for s in planner.sections]
    return tuple(sections), (pages(64 + 104 * len(sections)) + sum(pages(s.size) for s in sections)) * PAGE


def plan(system: System, images: Mapping[str, Image], abi: Abi, dump: bool = False,
         files: Mapping[str, bytes] | None = None, manifest: bytes = b"") -> Plan:
    """The plan of a system without errors; `images` has init and every component in use, `files` what it attaches."""
    planner = _Planner(system, images, abi, files or {})
    planner.lay_out()
    planner.manifest(manifest)
    planner.init()
    for instance in planner.order:
        planner.instance(instance)
    planner.connect()
    planner.look()
    sections, size = _sized(planner, len(planner.order) + 1)
    others = [planner.row(instance) for instance in planner.order]
    tables = len({(row.allowed, row.asked) for row in others}) + 1  # of system calls, a page each: init's is one more
    init_pages = tables + budget.init_pages(len(planner.order), images["init"], size, planner.init_slots,
                                            abi["TSS_INIT_STACK_PAGES"])
    rows = (planner.init_row(init_pages, size), *others)
    return Plan(system.name, abi, rows, tuple(planner.objects), tuple(sorted(planner.grants)),
                tuple(sorted(planner.guards)), sections, tuple(planner.connections), tuple(planner.supervised),
                tuple(planner.admins), tuple(planner.controls), tuple(planner.parts),
                abi["TSS_TABLE_DUMP"] if dump else 0, init_pages, size)
