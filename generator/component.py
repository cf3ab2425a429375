# SPDX-License-Identifier: BSD-2-Clause
"""model, first half: the tree of a component.yaml -> Component."""
import re
from dataclasses import dataclass, replace

from generator import devices
from generator.attached import read_names
from generator.calls import Named, read_calls
from generator.devices import Device
from generator.diagnostics import Diagnostic, Note, Position, did_you_mean, short
from generator.fields import WORD, Reader, Shape
from generator.interface import VERSIONS
from generator.load import Mapping, Node, Scalar
from generator.modes import read_methods
from generator.parameters import Parameter, read_parameters
from generator.restart import Named as Method
from generator.restart import Restart, read_restart
from generator.slots import Layout, collisions, layout
from generator.stack import Facts, read_facts

COMPONENT = re.compile(r"init|(drivers|servers|apps)/[a-z][a-z0-9_]{0,22}")  # fits the table's 32 bytes
TABLED = ("servers/reincarnation", "servers/sched")  # have a table of their own where a directory would lie
KEYS = ("component", "description", "config", "provides", "needs", "devices", "events", "system", "self", "directory",
        "fpu", "defaults", "restart", "heartbeat", "parameters", "keeps_apart", "stacks", "files", "calls")
FUTURE = ("state", "dma", "caps", "personality", "libraries")
RIGHTS = ("call", "send", "grant")
KINDS = ("port", "mailbox", "sessions")  # of what is provided
USUAL_RIGHTS = ("call", "send")  # of a need that does not say
SYSTEM_RIGHTS = ("inspect", "schedule", "device", "trace", "audit")
SETTINGS = {
    "priority": Shape("integer", 1, 254), "slice": Shape("duration", 100, 10000000),
    "memory": Shape("size", 16 << 10, 1 << 40), "stack": Shape("size", 4 << 10, 16 << 20),
    "heap": Shape("size", 0, 1 << 30), "slots": Shape("integer", 32, 4096),
    "cpu": Shape("integer", 0, 31),
    "paged": Shape("size", 0, 128 << 20), "importance": Shape("integer", 0, 255)}


@dataclass(frozen=True)
class Provide:
    name: str
    interface: str
    depth: int
    replies: int
    position: Position
    version: int | None = None  # of the interface, that it was written for
    mailbox: bool = False  # its queue is in memory of the component, and it answers nobody
    sessions: bool = False  # its owner makes connections to it, too


@dataclass(frozen=True)
class Need:
    name: str
    interface: str
    optional: bool
    rights: tuple[str, ...]
    position: Position
    version: int | None = None  # of the interface, that it was written for
    methods: tuple[Method, ...] | None = None  # that it calls; None: any


@dataclass(frozen=True)
class DeviceSlot:
    name: str
    kind: str
    count: int
    optional: bool
    default: Device | None
    position: Position  # of the name
    default_position: Position | None = None
    dma: int = 0  # on PCI: pages of memory in a row that it may have
    vectors: int = 0  # and interrupts


@dataclass(frozen=True)
class Settings:
    """What defaults and instances can set; None: not set here. Sizes in bytes, times in microseconds."""

    priority: int | None = None
    slice: int | None = None
    memory: int | None = None
    stack: int | None = None
    heap: int | None = None
    slots: int | None = None
    cpu: int | None = None
    paged: int | None = None  # bytes of addresses whose pages the memory server supplies
    importance: int | None = None  # to servers that may have to choose; 255: never ended for want of memory

    def over(self, other: "Settings") -> "Settings":
        """These settings, and those of `other` where this has none."""
        mine = {name: value for name, value in vars(self).items() if value is not None}
        return replace(other, **mine)


FACTORY = Settings(priority=100, slice=10000, memory=256 << 10, stack=16 << 10, heap=0, slots=256, cpu=0, paged=0,
                   importance=255)


@dataclass(frozen=True)
class Component:
    name: str
    description: str
    config: str
    provides: tuple[Provide, ...]
    needs: tuple[Need, ...]
    devices: tuple[DeviceSlot, ...]
    events: tuple[str, ...]
    system: tuple[str, ...]
    own_unit: bool
    directory: bool
    fpu: bool  # its threads have vector registers; `true`, not `registers`: it is built with such instructions as well
    defaults: Settings
    restart: Restart  # the contract that instances have unless the manifest says otherwise
    heartbeat: bool  # can send heartbeats
    position: Position  # of the value of `component:`
    parameters: tuple[Parameter, ...] = ()
    files: tuple[str, ...] = ()
    calls: tuple[Named, ...] | None = ()  # system calls that it makes without a stub; None: any
    keeps_apart: Position | None = None  # says that what one client tells it reaches no other; None: does not say so
    stacks: Facts = Facts()

    @property
    def layout(self) -> Layout:
        return layout([(p.name, p.replies) for p in self.provides], [n.name for n in self.needs],
                      [d.name for d in self.devices], list(self.events), bool(self.parameters),
                      tuple(p.name for p in self.mailboxes), self.files)

    @property
    def mailboxes(self) -> tuple[Provide, ...]:
        return tuple(p for p in self.provides if p.mailbox)


def read_settings(reader: Reader, mapping: Mapping, what: str) -> Settings:
    """The keys of Settings in `mapping`; others are left to the caller's own check."""
    nodes = {name: mapping.get(name) for name in SETTINGS}
    return Settings(**{name: reader.value(node, f"{name} of {what}", SETTINGS[name])
                       for name, node in nodes.items() if node is not None})


class _ComponentReader(Reader):
    """The parts of a component.yaml."""

    def named(self, root: Mapping, section: str) -> list[tuple[Scalar, Mapping]]:
        node = root.get(section)
        top = self.mapping(node, section) if node is not None else None
        found = []
        for key, value in top.entries if top else ():
            if self.name(key, f"name in {section}", WORD) is None:
                continue
            mapping = self.mapping(value, f"{section} {short(key.text)}")
            if mapping is not None:
                found.append((key, mapping))
        return found

    def interface(self, mapping: Mapping, known: frozenset[str]) -> str | None:
        node = mapping.get("interface")
        name = self.name(node, "interface") if node is not None else None
        if node is not None and name is not None and name not in known:
            self.error("TSS-021", node.position, f"there is no interface {short(name)}", did_you_mean(name, known))
            return None
        return name

    def number(self, mapping: Mapping, key: str, low: int, high: int, default: int) -> int:
        node = mapping.get(key)
        value = self.integer(node, key, low, high) if node is not None else default
        return default if value is None else value

    def version(self, mapping: Mapping) -> int | None:
        node = mapping.get("version")
        return self.integer(node, "version", *VERSIONS) if node is not None else None

    def flag(self, mapping: Mapping, key: str) -> bool:
        node = mapping.get(key)
        return bool(self.boolean(node, key)) if node is not None else False

    def fpu(self, root: Mapping) -> bool:
        node = root.get("fpu")
        only_registers = isinstance(node, Scalar) and node.plain and node.text == "registers"
        return only_registers or self.flag(root, "fpu")

    def provides(self, root: Mapping, known: frozenset[str]) -> tuple[Provide, ...]:
        found = []
        for key, mapping in self.named(root, "provides"):
            self.keys(mapping, "a provided interface", ("interface", "depth", "replies", "kind", "version"),
                      ("interface",))
            interface = self.interface(mapping, known)
            node = mapping.get("kind")
            kind = node and self.choice(node, "kind of a provided interface", KINDS)
            mailbox = kind == "mailbox"
            depth = self.number(mapping, "depth", int(mailbox), 256, 16)
            replies = self.number(mapping, "replies", 0, 64, 0 if mailbox else 8)
            if mailbox and replies:
                self.error("TSS-019", mapping.key("replies").position, "a mailbox answers nobody, so it has no use for "
                           "reply objects", "remove `replies`, or `kind: mailbox`")
            if node is not None and kind == "sessions" and root.get("self") is None:
                self.error("TSS-019", node.position, "who makes connections pays for them out of its own unit, which "
                           "this component does not have", "add `self: true`")
            if interface is not None:
                found.append(Provide(key.text, interface, depth, replies, key.position, self.version(mapping), mailbox,
                                     kind == "sessions"))
        return tuple(found)

    def needs(self, root: Mapping, known: frozenset[str]) -> tuple[Need, ...]:
        found = []
        for key, mapping in self.named(root, "needs"):
            self.keys(mapping, "a needed interface", ("interface", "optional", "rights", "version", "methods"),
                      ("interface",))
            interface = self.interface(mapping, known)
            rights, node = rights_of(self, mapping), mapping.get("methods")
            if interface is not None:
                found.append(Need(key.text, interface, self.flag(mapping, "optional"), rights or USUAL_RIGHTS,
                                  key.position, self.version(mapping),
                                  read_methods(self, node) if node is not None else None))
        return tuple(found)

    def devices(self, root: Mapping) -> tuple[DeviceSlot, ...]:
        found = []
        for key, mapping in self.named(root, "devices"):
            node = mapping.get("class")
            kind = self.choice(node, "device class", devices.CLASSES) if node is not None else None
            size = {"ioport": "count", "mmio": "pages", "dma": "pages"}.get(kind or "")
            known = ("class", *(("default", "optional") if kind != "dma" else ()),
                     *(("dma", "vectors") if kind in (devices.MANAGED, None) else ()),
                     *((size,) if size else ("count", "pages") if kind is None else ()))
            self.keys(mapping, f"a device of class {kind}" if kind else "a device", known,
                      ("class", size) if size else ("class",))
            if kind is None:
                continue
            count = self.number(mapping, size, 1, 4096, 1) if size else 1
            default = mapping.get("default")
            device = self.address(default, kind, count) if default is not None else None
            node = mapping.get("dma")
            dma = self.size(node, "dma", devices.PAGE, 4096 * devices.PAGE) if node is not None else 0
            found.append(DeviceSlot(key.text, kind, count, self.flag(mapping, "optional"), device, key.position,
                                    default.position if default is not None else None,
                                    -(-(dma or 0) // devices.PAGE), self.number(mapping, "vectors", 0, 32, 0)))
        return tuple(found)

    def address(self, node: Node, kind: str, count: int) -> Device | None:
        text = self.text(node, "device address")
        if text is None:
            return None
        device = devices.parse(text.text, kind, count)
        if isinstance(device, Device):
            return device
        self.error("TSS-030", text.position, f"{short(text.text)} {device}",
                   {"ioport": 'for example "ioport:0x3f8"', "irq": 'for example "irq:4"', "pci": 'for example '
                    '"pci:1af4:1044", "pci:class:01.08" or "pci:slot:00:03.0"'}.get(kind, 'for example "mmio:0xb8000"'))
        return None

    def events(self, root: Mapping) -> tuple[str, ...]:
        node = root.get("events")
        names = [(self.name(item, "event"), item.position) for item in self.sequence(node, "events")] if node else []
        found: list[str] = []
        for name, position in names:
            if name in found:
                self.error("TSS-019", position, f'event "{name}" is listed twice')
            elif name is not None:
                found.append(name)
        return tuple(found)

    def identity(self, root: Mapping, folder: str) -> tuple[str, str, Position]:
        """Name, Kconfig symbol and place; both must follow from the folder."""
        node = root.get("component")
        name = self.text(node, "component") if node is not None else None
        position = node.position if node is not None else root.position
        if name is not None and name.text != folder:
            self.error("TSS-018", position, f"component {short(name.text)} lies in the folder {short(folder)}",
                       f"write `component: {folder}`, or move it")
        elif not COMPONENT.fullmatch(folder):
            self.error("TSS-014", position, f"component {short(folder)} is not a name",
                       "it is init, drivers/NAME, servers/NAME or apps/NAME; NAME: a-z first, then a-z 0-9 _, up to 23")
        symbol = "CONFIG_" + folder.upper().replace("/", "_")
        node = root.get("config")
        config = self.text(node, "config") if node is not None else None
        if node is not None and config is not None and config.text != symbol:
            self.error("TSS-019", node.position, f"config {short(config.text)} does not follow the component's name",
                       f"write `config: {symbol}`")
        return folder, symbol, position

    def contradictions(self, component: Component, root: Mapping) -> None:
        """Names that would give two things the same slot name; a driver's event without an interrupt is fine."""
        sections = {"port": "provides", "reply": "provides", "connection": "needs", "device": "devices"}
        where = {(section, name.text): name.position for section in sections.values()
                 for name, _ in _entries(root.get(section))}
        for first, second in collisions(component.layout):
            places = [where.get((sections.get(s.kind, ""), s.name), component.position) for s in (first, second)]
            self.errors.append(Diagnostic(
                "TSS-019", places[1], f"{first.macro} would name two slots, one for the {first.kind} "
                f"{short(first.name)} and one for the {second.kind} {short(second.name)}", "rename one of the two",
                (Note(places[0]),)))
        if component.directory and not component.provides:
            self.error("TSS-019", root.key("directory").position, "a directory lists clients, but nothing is provided",
                       "provide an interface, or remove `directory: true`")
        if component.directory and component.name in TABLED:
            self.error("TSS-019", root.key("directory").position, f"{component.name} has a table of its own where a "
                       "directory would lie", "remove `directory: true`")


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, Mapping) else ()


def rights_of(reader: Reader, mapping: Mapping) -> tuple[str, ...] | None:
    """The rights of a need or of a connect; at least one."""
    node = mapping.get("rights")
    rights = reader.choices(node, "right", RIGHTS) if node is not None else None
    if node is not None and rights == ():
        reader.error("TSS-013", node.position, "a connection without any right is of no use", "list call, send or both")
        return None
    return rights


def read_component(root: Mapping, folder: str, interfaces: frozenset[str]) -> tuple[Component, list[Diagnostic]]:
    """The component that lies in `components/<folder>`; `interfaces` are the names that exist."""
    reader = _ComponentReader()
    required = KEYS[:2] if folder == "init" else KEYS[:3]  # init is always compiled
    reader.keys(root, "component.yaml", KEYS, required, FUTURE)
    name, config, position = reader.identity(root, folder)
    node = root.get("description")
    description = reader.text(node, "description") if node is not None else None
    node = root.get("system")
    system = reader.choices(node, "system right", SYSTEM_RIGHTS) if node is not None else ()
    node = root.get("restart")
    contract = read_restart(reader, node, in_component=True) if node is not None else Restart()
    node = root.get("defaults")
    defaults = reader.mapping(node, "defaults") if node is not None else None
    settings = Settings()
    if defaults is not None:
        reader.keys(defaults, "defaults", SETTINGS, (), ("mode", "budget", "period", "deadline"))
        settings = read_settings(reader, defaults, "defaults")
    component = Component(name, description.text if description else "", config, reader.provides(root, interfaces),
                          reader.needs(root, interfaces), reader.devices(root), reader.events(root), system or (),
                          reader.flag(root, "self"), reader.flag(root, "directory"), reader.fpu(root), settings,
                          contract, reader.flag(root, "heartbeat"), position,
                          read_parameters(reader, node) if (node := root.get("parameters")) is not None else (),
                          read_names(reader, node) if (node := root.get("files")) is not None else (),
                          read_calls(reader, node, "calls") if (node := root.get("calls")) is not None else (),
                          root.key("keeps_apart").position if reader.flag(root, "keeps_apart") else None,
                          read_facts(reader, node) if (node := root.get("stacks")) is not None else Facts())
    reader.contradictions(component, root)
    return component, reader.errors
