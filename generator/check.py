# SPDX-License-Identifier: BSD-2-Clause
"""check: Manifest and components -> System, in which every reference is resolved, and everything that is wrong.

Each check goes on after an error, so that one run reports all of them; an instance whose component is unknown or
broken takes no part in the checks that would only repeat that.
"""
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from generator import devices
from generator.attached import Attached, check_files
from generator.calls import EXCEPTIONS, INTERFACE, Watch, unknown
from generator.component import FACTORY, Component, DeviceSlot, Need, Provide
from generator.devices import Device
from generator.diagnostics import Diagnostic, Note, Position, did_you_mean, short
from generator.fields import Reader, size_text
from generator.model import NONE, Connect, DeviceChoice, Instance, Manifest
from generator.modes import Guard, Wish, check_carried, check_record, guard_of
from generator.parameters import Value, resolve
from generator.restart import Restart
from generator.share import Budget, Under, check_shares
from generator.supervision import SUPERVISOR, check_supervision, contract, heartbeat, supervisors

SPARE_SLOTS = 8  # free slots that an instance needs beside the planned ones: reply handles, granted capabilities
INSTANCES_MAX = 255  # limits of components/init: it has an array of this many, with itself 256
PAGER = "mem"  # the interface whose connection supplies the pages of `paged`
HOLE = (0xa0000, 0x100000)  # below 1 MiB only this is not RAM on a PC


@dataclass(frozen=True)
class Link:
    """A connection: `client`'s need `name` leads to what `server` provides."""

    client: str
    name: str
    server: str
    provided: str
    interface: str
    rights: tuple[str, ...]
    may: tuple[str, ...] = ()  # what the supervisor does for this client
    position: Position = Position("")
    calls: int = 1  # at most so many in each activation of the client
    guard: Guard = Guard()


@dataclass(frozen=True)
class Assigned:
    """A device of an instance, and where that was written."""

    slot: str
    device: Device
    position: Position


@dataclass(frozen=True)
class Resolved:
    """An instance with its component, all settings and all devices known."""

    name: str
    component: Component
    priority: int
    slice: int  # microseconds
    memory: int  # bytes, like the next two
    stack: int
    heap: int
    slots: int
    cpu: int
    paged: int  # bytes
    importance: int
    devices: tuple[Assigned, ...]
    restart: Restart  # with every field set
    heartbeat: int  # microseconds; 0: none
    position: Position
    places: tuple[tuple[str, Position], ...]
    parameters: tuple[Value, ...] = ()  # in the order of component.yaml
    period: int = 0  # microseconds, like the next two; 0: none
    deadline: int = 0
    work: int = 0
    files: tuple[Attached, ...] = ()  # likewise
    denied: tuple[str, ...] = ()  # system calls
    budget: Budget | None = None
    under: Under | None = None  # its scheduler

    def place(self, name: str) -> Position:
        """Where a setting stands, or the instance if it does not."""
        return dict(self.places).get(name, self.position)


@dataclass(frozen=True)
class System:
    name: str
    description: str
    memory: int  # of the machine, bytes
    instances: tuple[Resolved, ...]  # sorted by name
    links: tuple[Link, ...]  # sorted by client, name
    manifest: Manifest
    watches: tuple[Watch, ...] = ()  # sorted by client

    @property
    def supervisor(self) -> Resolved | None:
        return next((i for i in self.instances if i.component.name == SUPERVISOR), None)


@dataclass(frozen=True)
class Surroundings:
    """What the manifest is checked against; None: not known in this run, so not checked."""

    components: Mapping[str, Component]  # those that could be read
    known: frozenset[str]  # all that there are
    configs: frozenset[str]
    symbols: Mapping[str, str] | None  # of the build's .config
    methods: Mapping[str, Mapping[str, int]]  # interface -> method -> number; those that could be read
    carriers: Mapping[str, frozenset[str]]  # interface -> those of its methods that carry memory
    versions: Mapping[str, int]  # of those interfaces
    calls: Mapping[str, int]  # name of each system call -> number; empty if nothing names one


def behind(name: str, edges: list[tuple[str, str]]) -> set[str]:
    """The instance and all whom it waits for, directly or not; `edges`: who waits for whom."""
    found, ahead = {name}, [name]
    while ahead:
        client = ahead.pop()
        new = {server for waiting, server in edges if waiting == client} - found
        found |= new
        ahead += new
    return found


class _Checker:
    def __init__(self, manifest: Manifest, around: Surroundings) -> None:
        self.manifest = manifest
        self.around = around
        self.errors: list[Diagnostic] = []
        self.by_name = {i.name: i for i in manifest.instances}

    def error(self, code: str, position: Position, message: str, hint: str = "", *notes: Note) -> None:
        self.errors.append(Diagnostic(code, position, message, hint, notes))

    def component(self, instance: Instance) -> Component | None:
        return self.around.components.get(instance.component or "")

    # references

    def described(self, component: Component) -> None:
        """What component.yaml says of interfaces, which lie elsewhere and may have changed."""
        interfaces: list[Provide | Need] = [*component.provides, *component.needs]
        for one in interfaces:
            there = self.around.versions.get(one.interface)
            if one.version is not None and there is not None and one.version != there:
                self.error("TSS-139", one.position, f"{component.name} is written for version {one.version} of the "
                           f"interface {one.interface}, which is version {there}",
                           f"see what changed, adapt the component, then write `version: {there}`")
        for need in component.needs:
            known = self.around.methods.get(need.interface)
            for method in need.methods or ():
                if known is not None and method.name not in known:
                    self.error("TSS-110", method.position, f"the interface {need.interface} has no method "
                               f"{short(method.name)}", did_you_mean(method.name, known))

    def known_component(self, instance: Instance) -> None:
        name = instance.component
        if name == "init":
            self.error("TSS-020", instance.component_position, "init cannot be placed in a system",
                       "it runs in every system by itself")
        elif name is not None and name not in self.around.known:
            self.error("TSS-020", instance.component_position, f"there is no component {short(name)}",
                       did_you_mean(name, self.around.known - {"init"}))

    def configured(self, instance: Instance, component: Component) -> None:
        symbols = self.around.symbols
        if symbols is None or symbols.get(component.config) == "y":
            return
        why = ("is not set in the build's .config" if component.config in symbols else
               "is missing in the build's .config; Kconfig does not know it, or what it depends on is not set")
        self.error("TSS-051", instance.component_position, f"{component.name} is not compiled in: {component.config} "
                   f"{why}", f"set {component.config}=y with `make menuconfig`")

    def link(self, instance: Instance, component: Component, connect: Connect) -> Link | None:
        need = next((n for n in component.needs if n.name == connect.name), None)
        if need is None:
            self.error("TSS-022", connect.position, f"{component.name} needs nothing called {short(connect.name)}",
                       did_you_mean(connect.name, [n.name for n in component.needs]))
            return None
        rights = self.rights(need, connect, component)
        if connect.to == NONE:
            if not need.optional:
                self.error("TSS-026", connect.to_position, f"{component.name} requires the connection "
                           f"{short(need.name)}, so it cannot be left out", self.providers(need, instance.name))
            return None
        target = self.by_name.get(connect.to)
        if target is None:
            self.error("TSS-023", connect.to_position, f"there is no instance {short(connect.to)}",
                       did_you_mean(connect.to, set(self.by_name) - {instance.name}))
            return None
        server = self.component(target)
        provide = self.provided(need, connect, target, server) if server else None
        if provide is None:
            return None
        if provide.mailbox and "call" in rights:
            self.error("TSS-088", connect.rights_position, f"{target.name}.{provide.name} is a mailbox, which answers "
                       "nobody: it cannot be called", "write `rights: [send]`", Note(provide.position))
        guard = guard_of(connect.wish, (instance, target), need, self.around.methods.get(need.interface),
                         self.manifest, self.error)
        carriers = self.around.carriers.get(need.interface, frozenset())
        check_carried(guard, connect.wish, need.name, carriers, connect.position, self.error)
        return Link(instance.name, need.name, target.name, provide.name, need.interface, rights, connect.may,
                    connect.position, connect.calls, guard)

    def rights(self, need: Need, connect: Connect, component: Component) -> tuple[str, ...]:
        for right in connect.rights or ():
            if right not in need.rights:
                self.error("TSS-027", connect.rights_position, f'{component.name} does not use the right "{right}" on '
                           f"{short(need.name)}", f"it lists: {', '.join(need.rights)}")
        return connect.rights or need.rights

    def provided(self, need: Need, connect: Connect, target: Instance, server: Component) -> Provide | None:
        fitting = [p for p in server.provides if p.interface == need.interface]
        if connect.provided is not None:
            named = [p for p in server.provides if p.name == connect.provided]
            if named and named[0] in fitting:
                return named[0]
            found = f"is {named[0].interface}" if named else "does not exist"
            self.error("TSS-024", connect.to_position, f"{short(need.name)} needs {need.interface}, but "
                       f"{connect.to}.{connect.provided} {found}", self.providers(need, target.name))
            return None
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            self.error("TSS-025", connect.to_position, f"{short(target.name)} provides {need.interface} "
                       f"{len(fitting)} times", "name one: " +
                       ", ".join(f"{target.name}.{p.name}" for p in fitting))
            return None
        has = ", ".join(sorted({p.interface for p in server.provides})) or "nothing"
        self.error("TSS-024", connect.to_position, f"{short(need.name)} needs {need.interface}, but "
                   f"{short(target.name)} provides {has}", self.providers(need, target.name))
        return None

    def providers(self, need: Need, but: str = "") -> str:
        names = sorted(i.name for i in self.manifest.instances if i.name != but and (c := self.component(i)) is not None
                       and any(p.interface == need.interface for p in c.provides))
        if names:
            return f"the interface {need.interface} is provided by: {', '.join(names)}"
        makers = sorted(c.name for c in self.around.components.values()
                        if any(p.interface == need.interface for p in c.provides))
        return (f"no other instance provides {need.interface}; components that do: {', '.join(makers)}" if makers else
                f"no component provides {need.interface}")

    def unconnected(self, instance: Instance, component: Component) -> None:
        given = {c.name for c in instance.connects}
        for need in component.needs:
            if not need.optional and need.name not in given:
                self.error("TSS-026", instance.position, f"{short(instance.name)} lacks the connection "
                           f"{short(need.name)} that {component.name} requires", self.providers(need, instance.name))

    # devices

    def assigned(self, instance: Instance, component: Component) -> tuple[Assigned, ...]:
        chosen = {d.name: d for d in instance.devices}
        for name, choice in chosen.items():
            if name not in [d.name for d in component.devices]:
                self.error("TSS-028", choice.position, f"{component.name} uses no device called {short(name)}",
                           did_you_mean(name, [d.name for d in component.devices]))
        found = []
        for slot in component.devices:
            device = self.device(instance, component, slot, chosen.get(slot.name))
            if device is not None:
                found.append(device)
                self.not_ram(device)
        return tuple(found)

    def device(self, instance: Instance, component: Component, slot: DeviceSlot,
               choice: DeviceChoice | None) -> Assigned | None:
        if choice is not None and choice.text == "none" and slot.optional:
            return None
        if choice is not None:
            parsed = devices.parse(choice.text, slot.kind, slot.count)
            if isinstance(parsed, Device):
                return Assigned(slot.name, parsed, choice.text_position)
            what = "would take away a device that is not optional" if choice.text == "none" else parsed
            self.error("TSS-030", choice.text_position, f"{short(choice.text)} {what}", "for example " +
                       {"ioport": '"ioport:0x3f8"', "irq": '"irq:4"', "mmio": '"mmio:0xb8000"',
                        devices.MANAGED: '"pci:1af4:1044"'}.get(slot.kind, "none: its address is nobody's choice"))
            return None
        if slot.kind == "dma":
            return Assigned(slot.name, Device("dma", 0, slot.count), instance.position)
        if slot.default is not None:
            return Assigned(slot.name, slot.default, instance.position)
        if not slot.optional and slot.default_position is None:
            self.error("TSS-029", instance.position, f"{short(instance.name)} lacks the device {short(slot.name)} "
                       f"that {component.name} requires", f"write `devices: {{{slot.name}: \"{slot.kind}:...\"}}`")
        return None

    def not_ram(self, assigned: Assigned) -> None:
        device = assigned.device
        ram = [(0, HOLE[0]), (HOLE[1], self.manifest.memory)]
        inside = any(device.base < end and start < device.end for start, end in ram)
        if device.kind == "mmio" and not device.firmware and inside:
            self.error("TSS-038", assigned.position, f"{device} lies where the machine has RAM",
                       f"the machine has {self.manifest.memory >> 20}M")

    def collisions(self, owned: list[tuple[str, Assigned]]) -> None:
        codes = {"ioport": ("TSS-031", "I/O ports"), "irq": ("TSS-032", "interrupt line"),
                 "mmio": ("TSS-033", "device memory"), devices.MANAGED: ("TSS-136", "PCI device")}
        order = sorted(owned, key=lambda o: (o[1].position, o[0], o[1].slot))
        for (first, one), (second, two) in combinations(order, 2):
            if one.device.overlaps(two.device):
                code, what = codes[one.device.kind]
                self.error(code, two.position, f"{what} of {short(second)} ({two.slot}, {two.device}) and "
                           f"{short(first)} ({one.slot}, {one.device}) overlap", "give one of them another device",
                           Note(one.position))

    # settings

    def cpus(self, resolved: list[Resolved], links: list[Link]) -> None:
        """Each CPU can exist, and a server is as urgent as each client that calls it from another one."""
        by_name = {r.name: r for r in resolved}
        limit = int((self.around.symbols or {}).get("CONFIG_MAX_CPUS", "32"))
        for one in resolved:
            if one.cpu >= limit:
                self.error("TSS-036", one.place("cpu"), f"{short(one.name)} is to run on CPU {one.cpu}, but the kernel "
                           f"runs at most {limit}, from 0", "set CONFIG_MAX_CPUS higher, or name a lower CPU")
        for link in links:
            client, server = by_name.get(link.client), by_name.get(link.server)
            if client and server and client.cpu != server.cpu and client.priority > server.priority:
                self.error("TSS-043", server.place("priority"), f"{short(server.name)} on CPU {server.cpu} has "
                           f"priority {server.priority}, its client {short(client.name)} on CPU {client.cpu} has "
                           f"{client.priority}", f"write `priority: {client.priority}` or more, or put both on one "
                           "CPU, where callers lend their priority", Note(client.place("cpu")))

    def pagers(self, resolved: list[Resolved], links: list[Link]) -> None:
        """Who has pages supplied has one connection to the server that does, and nobody else asks for it."""
        for one in resolved:
            found = [link for link in links if link.client == one.name and link.interface == PAGER]
            if one.paged and len(found) != 1:
                self.error("TSS-089", one.place("paged"), f"{short(one.name)} has {size_text(one.paged)} paged, but "
                           f"{len(found)} connections to a memory server",
                           f"connect a need of {one.component.name} that has `interface: {PAGER}`, one of them")

    def resolve(self, instance: Instance, component: Component) -> Resolved:
        settings = instance.settings.over(self.manifest.defaults.over(component.defaults.over(FACTORY)))
        values = {name: value or 0 for name, value in vars(settings).items()}
        end = component.layout.end
        if component.name == SUPERVISOR:
            end += len(self.manifest.instances) - 1  # a unit of each other instance
            connects = [c for i in self.manifest.instances for c in i.connects if c.to != NONE]
            end += len(connects) if any("mode" in c.may for c in connects) else 0
            end += 1  # the images that it looks at
        end += sum(i.under is not None and i.under.name == instance.name for i in self.manifest.instances)
        if values["slots"] < end + SPARE_SLOTS:
            self.error("TSS-037", instance.place("slots"), f"{short(instance.name)} has {values['slots']} slots, but "
                       f"{component.name} needs {end + SPARE_SLOTS}", f"write `slots: {end + SPARE_SLOTS}` or more")
        reader = Reader()
        typed = resolve(reader, component.parameters, instance.parameters, component.name, instance.name,
                        instance.position)
        self.errors += reader.errors
        return Resolved(instance.name, component, values["priority"], values["slice"], values["memory"],
                        values["stack"], values["heap"], values["slots"], values["cpu"],
                        values["paged"], values["importance"], self.assigned(instance, component),
                        contract(instance, component, bool(supervisors(self.manifest))),
                        heartbeat(instance, component), instance.position, instance.places, typed, instance.period,
                        instance.deadline, instance.work,
                        check_files(component.files, instance.files, component.name, instance.name, instance.position,
                                    self.error), self.denied(instance, component), instance.budget, instance.under)

    # system calls

    def denied(self, instance: Instance, component: Component) -> tuple[str, ...]:
        known = self.around.calls
        for listed in (instance.deny, component.calls or (), (instance.interpose and instance.interpose.calls) or ()):
            unknown(listed, known, self.error)
        return tuple(sorted({one.name for one in instance.deny if one.name in known} |
                            (set() if instance.exceptions else set(EXCEPTIONS))))

    def watches(self, instance: Instance, component: Component, links: list[Link]) -> Iterator[Watch]:
        """Whose calls an instance is asked about."""
        asked = instance.interpose
        if asked is None:
            return
        provide = next((p for p in component.provides if p.interface == INTERFACE), None)
        if provide is None:
            self.error("TSS-121", asked.position, f"{component.name} is no monitor: it provides no {INTERFACE}",
                       "take a component that does, such as apps/strace")
        edges = [(link.client, link.server) for link in links]
        edges += [(one.name, i.name) for i in self.manifest.instances if i.interpose for one in i.interpose.who]
        needed = behind(instance.name, edges)
        for one in asked.who:
            if one.name not in self.by_name:
                self.error("TSS-023", one.position, f"there is no instance {short(one.name)}",
                           did_you_mean(one.name, set(self.by_name) - {instance.name}))
            elif one.name in needed:
                what = "itself" if one.name == instance.name else f"{short(one.name)}, which it needs"
                self.error("TSS-121", one.position, f"{short(instance.name)} would be asked about {what}, and both "
                           "would wait for each other", "take it out of `who`, or connect the monitor to another")
            elif provide is not None:
                names = None if asked.calls is None else tuple(call.name for call in asked.calls)
                yield Watch(one.name, instance.name, provide.name, names, one.position)

    def one_monitor_each(self, watches: list[Watch]) -> None:
        first: dict[str, Watch] = {}
        for watch in watches:
            if first.setdefault(watch.client, watch) is not watch:
                self.error("TSS-121", watch.position, f"{short(watch.client)} has a monitor already, "
                           f"{short(first[watch.client].monitor)}", "one monitor can be asked about all calls",
                           Note(first[watch.client].position))


def _managed(checker: _Checker, resolved: list[Resolved]) -> list[Link]:
    """Devices on PCI: each is a connection to their manager, of whose memory in a row they have what they want."""
    wanted = [(r, assigned) for r in resolved for assigned in r.devices if assigned.device.kind == devices.MANAGED]
    found = [(r, p) for r in resolved for p in r.component.provides if p.interface == devices.MANAGED]
    if wanted and len(found) != 1:
        checker.error("TSS-134", wanted[0][1].position, f"{short(wanted[0][0].name)} has a device on PCI, but "
                      f"{len(found)} instances manage PCI", "let there be one instance of drivers/pci")
    if not wanted or len(found) != 1:
        return []
    manager, provide = found[0]
    slots = {(r.name, d.name): d for r in resolved for d in r.component.devices}
    pages = sum(slots[r.name, assigned.slot].dma for r, assigned in wanted)
    there = sum(d.count for d in manager.component.devices if d.kind == "dma")
    if pages > there:
        checker.error("TSS-135", manager.position, f"devices on PCI are to have {pages} pages of memory in a row, "
                      f"{manager.component.name} has {there}", f"make it `pages: {pages}` or more in component.yaml")
    server, methods = checker.by_name[manager.name], checker.around.methods.get(devices.MANAGED)
    guards = [guard_of(Wish(memory=True), (checker.by_name[r.name], server),
                       Need(assigned.slot, devices.MANAGED, False, (), assigned.position), methods, checker.manifest,
                       checker.error) for r, assigned in wanted]
    return [Link(r.name, assigned.slot, manager.name, provide.name, devices.MANAGED, ("call",), (), assigned.position,
                 1, guard) for (r, assigned), guard in zip(wanted, guards)]


def _config(checker: _Checker) -> None:
    manifest = checker.manifest
    if manifest.config is not None and manifest.config not in checker.around.configs:
        checker.error("TSS-050", manifest.config_position, f"there is no configs/{manifest.config}",
                      did_you_mean(manifest.config, checker.around.configs))
    symbols = checker.around.symbols
    for one in manifest.requires:
        if symbols is not None and symbols.get(one.name) != "y":
            checker.error("TSS-141", one.position, f"{one.name} is required, but the build's .config does not have it",
                          f"set {one.name}=y with `make menuconfig`")
    if len(manifest.instances) > INSTANCES_MAX:
        checker.error("TSS-039", manifest.position, f"{len(manifest.instances)} instances are too many",
                      f"a system has at most {INSTANCES_MAX}")


def check(manifest: Manifest, around: Surroundings) -> tuple[System, list[Diagnostic]]:
    """The resolved system and all errors; the system is complete only if there are none."""
    checker = _Checker(manifest, around)
    _config(checker)
    for name in sorted(around.components.keys() & {i.component for i in manifest.instances}):
        checker.described(around.components[name])
    resolved: list[Resolved] = []
    links: list[Link] = []
    for instance in manifest.instances:
        checker.known_component(instance)
        component = checker.component(instance)
        if component is None or component.name == "init":
            continue
        checker.configured(instance, component)
        found = [checker.link(instance, component, connect) for connect in instance.connects]
        links += [link for link in found if link is not None]
        checker.unconnected(instance, component)
        resolved.append(checker.resolve(instance, component))
    links += _managed(checker, resolved)
    monitors = [(i, c) for i in manifest.instances if (c := checker.component(i)) is not None and c.name != "init"]
    watches = [watch for instance, component in monitors for watch in checker.watches(instance, component, links)]
    checker.one_monitor_each(watches)
    check_supervision(manifest, around.components, resolved, checker.error)
    checker.cpus(resolved, links)
    check_record(manifest, around.components, links, checker.error)
    checker.pagers(resolved, links)
    check_shares(resolved, links, checker.error)
    checker.collisions([(r.name, device) for r in resolved for device in r.devices])
    system = System(manifest.system, manifest.description, manifest.memory,
                    tuple(sorted(resolved, key=lambda r: r.name)),
                    tuple(sorted(links, key=lambda k: (k.client, k.name))), manifest,
                    tuple(sorted(watches, key=lambda w: w.client)))
    return system, checker.errors
