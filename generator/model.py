# SPDX-License-Identifier: BSD-2-Clause
"""model, second half: the tree of a manifest -> Manifest, every value with its place."""
import re
from dataclasses import dataclass

from generator.component import Settings, read_settings, rights_of
from generator.diagnostics import Diagnostic, Position, short
from generator.fields import NAME, WORD, Reader
from generator.load import Mapping, Node, Scalar
from generator.restart import HEARTBEAT, Restart, read_restart

KEYS = ("tessera", "system", "description", "config", "machine", "defaults", "instances")
FUTURE = ("extends", "policy", "profile", "cpus", "log", "network", "schedule", "remove", "kernel")
SETTINGS = ("priority", "slice", "memory", "stack", "heap", "slots", "cpu")
INSTANCE_KEYS = ("component", *SETTINGS, "connect", "devices", "mode", "restart", "heartbeat")
INSTANCE_FUTURE = ("budget", "period", "deadline", "affinity", "caps", "arguments", "environment",
                   "depends", "layout")
CONNECT_FUTURE = ("methods", "credit", "rate", "memory", "audit", "epoch")
MAY = ("kill", "restart")  # beside looking, what a connection to the supervisor can be allowed
MODES = ("FAST", "HARDENED", "PARANOID")
MACHINE = (16 << 20, 1 << 40)


@dataclass(frozen=True)
class Connect:
    """One line under `connect`; `provided` is what stands after the dot of `to`, if any."""

    name: str
    to: str
    provided: str | None
    rights: tuple[str, ...] | None
    may: tuple[str, ...]  # what a connection to the supervisor allows
    position: Position  # of the name
    to_position: Position
    rights_position: Position
    may_position: Position | None  # None: not written


@dataclass(frozen=True)
class DeviceChoice:
    name: str
    text: str
    position: Position
    text_position: Position


@dataclass(frozen=True)
class Instance:
    name: str
    component: str | None
    settings: Settings
    connects: tuple[Connect, ...]
    devices: tuple[DeviceChoice, ...]
    restart: Restart
    heartbeat: int  # microseconds; 0: none
    position: Position  # of the name
    component_position: Position
    places: tuple[tuple[str, Position], ...]  # of the settings that stand here

    def place(self, name: str) -> Position:
        return dict(self.places).get(name, self.position)


@dataclass(frozen=True)
class Manifest:
    path: str
    system: str
    description: str
    config: str | None
    memory: int  # of the machine, bytes
    video: str  # what a BIOS is to set up: text, or WIDTHxHEIGHT
    defaults: Settings
    instances: tuple[Instance, ...]
    position: Position  # of the top
    config_position: Position
    memory_position: Position


class _ManifestReader(Reader):
    def mode(self, node: Node) -> None:
        mode = self.choice(node, "mode", MODES)
        if mode is not None and mode != "FAST":
            self.error("TSS-040", node.position, f"mode {mode} is not in this version yet",
                       "remove it, or write FAST and know that it is FAST")

    def connect(self, key: Scalar, value: Node) -> Connect | None:
        if self.name(key, "connection", WORD) is None:
            return None
        rights: tuple[str, ...] | None = None
        target: Node | None = value
        node = rights_node = may_node = None
        if isinstance(value, Mapping):
            self.keys(value, f"connection {short(key.text)}", ("to", "rights", "may", "mode"), ("to",), CONNECT_FUTURE)
            rights = rights_of(self, value)
            target, rights_node, may_node, node = (value.get(name) for name in ("to", "rights", "may", "mode"))
        if node is not None:
            self.mode(node)
        may = self.choices(may_node, "what a connection may", MAY) if may_node is not None else None
        text = self.text(target, "target of a connection") if target is not None else None
        if text is None:
            return None
        match = re.fullmatch(r"([a-z][a-z0-9_]{0,14})(?:\.([a-z][a-z0-9_-]{0,30}))?", text.text)
        if not match:
            self.error("TSS-014", text.position, f"target of a connection {short(text.text)} is not a name",
                       "write the name of an instance, or instance.name for one of its interfaces")
            return None
        return Connect(key.text, match[1], match[2], rights, may or (), key.position, text.position,
                       (rights_node or value).position, may_node.position if may_node is not None else None)

    def entries(self, mapping: Mapping, name: str) -> tuple[tuple[Scalar, Node], ...]:
        node = mapping.get(name)
        found = self.mapping(node, name) if node is not None else None
        return found.entries if found else ()

    def devices(self, mapping: Mapping) -> tuple[DeviceChoice, ...]:
        found = []
        for key, value in self.entries(mapping, "devices"):
            text = self.text(value, f"device {short(key.text)}")
            if self.name(key, "device", WORD) is not None and text is not None:
                found.append(DeviceChoice(key.text, text.text, key.position, value.position))
        return tuple(found)

    def instance(self, key: Scalar, value: Node) -> Instance | None:
        name = self.name(key, "instance", NAME)
        if name == "init":
            self.error("TSS-014", key.position, '"init" cannot be an instance',
                       "init runs in every system and is not written down; choose another name")
        mapping = self.mapping(value, f"instance {short(key.text)}")
        if mapping is None:
            return None
        self.keys(mapping, "an instance", INSTANCE_KEYS, ("component",), INSTANCE_FUTURE)
        settings = read_settings(self, mapping, key.text)
        node = mapping.get("mode")
        if node is not None:
            self.mode(node)
        node = mapping.get("restart")
        contract = read_restart(self, node) if node is not None else Restart()
        node = mapping.get("heartbeat")
        heartbeat = self.duration(node, f"heartbeat of {key.text}", *HEARTBEAT) if node is not None else None
        node = mapping.get("component")
        component = self.text(node, "component") if node is not None else None
        connects = tuple(c for k, v in self.entries(mapping, "connect") if (c := self.connect(k, v)) is not None)
        placed = (*SETTINGS, "restart", "heartbeat")
        places = tuple((k.text, v.position) for k, v in mapping.entries if k.text in placed)
        return Instance(key.text, component.text if component else None, settings, connects, self.devices(mapping),
                        contract, heartbeat or 0, key.position, node.position if node is not None else key.position,
                        places)

    def machine(self, root: Mapping) -> tuple[int, Position]:
        node = root.get("machine")
        mapping = self.mapping(node, "machine") if node is not None else None
        default = 128 << 20
        if mapping is None:
            return default, root.position
        self.keys(mapping, "machine", ("memory", "video"), (), ("cpus", "firmware", "disks", "devices"))
        node = mapping.get("memory")
        memory = self.size(node, "memory of the machine", *MACHINE) if node is not None else None
        return memory or default, node.position if node is not None else mapping.position

    def video(self, root: Mapping) -> str:
        """How the screen is to be set up by the boot loader."""
        node = root.get("machine")
        node = node.get("video") if isinstance(node, Mapping) else None
        text = self.text(node, "video") if node is not None else None
        if text is not None and not re.fullmatch(r"text|[1-9][0-9]{2,3}x[1-9][0-9]{2,3}", text.text):
            self.error("TSS-013", text.position, f"video {short(text.text)} is no screen",
                       "write text, or \"WIDTHxHEIGHT\" such as \"1024x768\"")
        return text.text if text else "text"

    def version(self, root: Mapping) -> None:
        node = root.get("tessera")
        if isinstance(node, Scalar) and node.plain and node.text == "1":
            return
        if node is not None:
            found = short(node.text) if isinstance(node, Scalar) else "something else"
            self.error("TSS-016", node.position, f"this generator reads manifests of version 1, not {found}",
                       "write `tessera: 1`")

    def config(self, root: Mapping) -> tuple[str | None, Position]:
        node = root.get("config")
        text = self.text(node, "config") if node is not None else None
        if text is not None and not re.fullmatch(r"[a-z0-9_]{1,60}", text.text):
            self.error("TSS-014", text.position, f"config {short(text.text)} is not a name",
                       "write the name of a file in configs/, such as dev_defconfig")
            text = None
        return text.text if text else None, text.position if text else root.position


def read_manifest(root: Mapping, path: str) -> tuple[Manifest, list[Diagnostic]]:
    """The manifest in the tree of the file `path`."""
    reader = _ManifestReader()
    reader.keys(root, "the manifest", KEYS, ("tessera", "system", "instances"), FUTURE)
    reader.version(root)
    node = root.get("system")
    system = reader.name(node, "system", NAME) if node is not None else None
    match = re.search(r"(?:^|/)manifests/([^/]*)\.yaml$", path)
    if node is not None and system is not None and match and match[1] != system:
        reader.error("TSS-017", node.position, f'system "{system}" stands in the file {short(match[1] + ".yaml")}',
                     "give both the same name")
    node = root.get("description")
    description = reader.text(node, "description") if node is not None else None
    config, config_position = reader.config(root)
    memory, memory_position = reader.machine(root)
    node = root.get("defaults")
    mapping = reader.mapping(node, "defaults") if node is not None else None
    defaults = Settings()
    if mapping is not None:
        reader.keys(mapping, "defaults", SETTINGS, (), ("mode", "restart", "budget", "period", "deadline"))
        defaults = read_settings(reader, mapping, "defaults")
    instances = tuple(i for k, v in reader.entries(root, "instances") if (i := reader.instance(k, v)) is not None)
    manifest = Manifest(path, system or "", description.text if description else "", config, memory,
                        reader.video(root), defaults, instances, root.position, config_position, memory_position)
    return manifest, reader.errors
