# SPDX-License-Identifier: BSD-2-Clause
"""model, second half: the tree of a manifest -> Manifest, every value with its place."""
import re
from dataclasses import dataclass

from generator import suggestions
from generator.attached import Attached, read_files
from generator.calls import Interpose, Named, read_interpose, read_list
from generator.component import SETTINGS, Settings, read_settings, rights_of
from generator.diagnostics import Diagnostic, Position, did_you_mean, short
from generator.fields import NAME, WORD, Reader, Shape, time_text
from generator.load import Mapping, Node, Scalar
from generator.modes import KEYS as MODE_KEYS, MODES, Wish, read_wish
from generator.parameters import Setting, read_given
from generator.policy import Rule, read_policy
from generator.restart import HEARTBEAT, Restart, read_restart
from generator.share import Budget, Under, fits, read_budget, read_under

MAY = ("kill", "restart", "mode")  # beside looking, what a connection to the supervisor can be allowed
# What stands where: read here, and printed by schema.py. None: not a single value, read by its own code.
KEYS: dict[str, Shape | None] = {
    "tessera": None, "system": None, "description": Shape("text"), "config": None, "requires": None,
    "extends": None, "remove": None, "machine": None, "defaults": None, "instances": None, "policy": None}
REQUIRED = ("tessera", "system", "instances")
FUTURE = ("profile", "cpus", "log", "network", "schedule", "kernel")
SPEED = Shape("integer", 1, 100_000)  # instructions in a microsecond, at least
MACHINE: dict[str, Shape | None] = {"memory": Shape("size", 16 << 20, 1 << 40), "video": None, "speed": SPEED}
MACHINE_FUTURE = ("cpus", "firmware", "disks", "devices")
TIMED = ("period", "deadline", "work")  # what response.py goes by
TIMES = Shape("duration", 1, 3_600_000_000)
INSTANCE: dict[str, Shape | None] = {
    "component": Shape("text"), **SETTINGS, "connect": None, "devices": None, "parameters": None, "files": None,
    "deny": None, "exceptions": Shape("boolean"), "interpose": None, "mode": MODE_KEYS["mode"], "restart": None,
    "budget": None, "scheduler": None,
    "heartbeat": Shape("duration", *HEARTBEAT), **{name: TIMES for name in TIMED}}
INSTANCE_FUTURE = ("affinity", "arguments", "environment", "depends", "layout")
DEFAULTS = {**SETTINGS, "mode": MODE_KEYS["mode"]}
DEFAULTS_FUTURE = ("restart", "budget", "period", "deadline")
CONNECT: dict[str, Shape | None] = {
    "to": None, "rights": None, "may": Shape("choices", words=MAY), **MODE_KEYS, "calls": Shape("integer", 0, 1000)}
CONNECT_FUTURE = ("credit", "audit", "epoch")
OPTION = re.compile(r"CONFIG_[A-Z0-9_]{1,60}")
CONFIG = re.compile(r"[a-z0-9_]{1,60}")
VIDEO = re.compile(r"text|[1-9][0-9]{2,3}x[1-9][0-9]{2,3}")
TARGET = re.compile(r"([a-z][a-z0-9_]{0,14})(?:\.([a-z][a-z0-9_-]{0,30}))?")
NONE = "none"  # says that an optional connection or device is left out on purpose


@dataclass(frozen=True)
class Connect:
    """One line under `connect`; `provided` is what stands after the dot of `to`, if any. `to` "none": left out."""

    name: str
    to: str
    provided: str | None
    rights: tuple[str, ...] | None
    may: tuple[str, ...]  # what a connection to the supervisor allows
    position: Position  # of the name
    to_position: Position
    rights_position: Position
    may_position: Position | None  # None: not written
    calls: int = 1  # at most so many in each activation of the client
    wish: Wish = Wish()


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
    parameters: tuple[Setting, ...] = ()
    period: int = 0  # microseconds, like the next two; 0: none
    deadline: int = 0
    work: int = 0  # the longest time it computes when its period begins, or for one request
    files: tuple[Attached, ...] = ()
    mode: str | None = None  # of its connections, and the least of those that lead to it
    deny: tuple[Named, ...] = ()  # system calls
    exceptions: bool = True  # may it handle its own?
    interpose: Interpose | None = None
    budget: Budget | None = None
    under: Under | None = None  # its scheduler

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
    policy: tuple[Rule, ...] = ()
    default_places: tuple[tuple[str, Position], ...] = ()  # of the settings in `defaults`
    speed: int | None = None  # instructions that the machine surely runs in a microsecond
    mode: str | None = None  # of connections that say nothing
    requires: tuple[Named, ...] = ()  # options of Kconfig


class _ManifestReader(Reader):
    def mode(self, mapping: Mapping) -> str | None:
        node = mapping.get("mode")
        return self.choice(node, "mode", MODES) if node is not None else None

    def connect(self, key: Scalar, value: Node) -> Connect | None:
        if self.name(key, "connection", WORD) is None:
            return None
        rights: tuple[str, ...] | None = None
        target: Node | None = value
        rights_node = may_node = calls_node = None
        wish = Wish()
        if isinstance(value, Mapping):
            self.keys(value, f"connection {short(key.text)}", CONNECT, ("to",), CONNECT_FUTURE)
            rights = rights_of(self, value)
            target, rights_node, may_node = (value.get(name) for name in ("to", "rights", "may"))
            calls_node = value.get("calls")
            wish = read_wish(self, value)
        may = self.choices(may_node, "what a connection may", MAY) if may_node is not None else None
        calls = self.value(calls_node, "calls", Shape("integer", 0, 1000)) if calls_node is not None else None
        text = self.text(target, "target of a connection") if target is not None else None
        if text is None:
            return None
        match = TARGET.fullmatch(text.text)
        if not match:
            self.error("TSS-014", text.position, f"target of a connection {short(text.text)} is not a name",
                       "write the name of an instance, or instance.name for one of its interfaces")
            return None
        return Connect(key.text, match[1], match[2], rights, may or (), key.position, text.position,
                       (rights_node or value).position, may_node.position if may_node is not None else None,
                       1 if calls is None else calls, wish)

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
        if name in ("init", NONE):
            self.error("TSS-014", key.position, f'"{name}" cannot be an instance',
                       "init runs in every system and is not written down; choose another name" if name == "init" else
                       "`none` says that something is left out; choose another name")
        mapping = self.mapping(value, f"instance {short(key.text)}")
        if mapping is None:
            return None
        self.keys(mapping, "an instance", INSTANCE, (), INSTANCE_FUTURE)
        settings = read_settings(self, mapping, key.text)
        node = mapping.get("restart")
        contract = read_restart(self, node) if node is not None else Restart()
        node = mapping.get("heartbeat")
        shape = INSTANCE["heartbeat"]
        assert shape is not None
        heartbeat = self.value(node, f"heartbeat of {key.text}", shape) if node is not None else None
        node = mapping.get("component")
        component = self.text(node, "component") if node is not None else None
        connects = tuple(c for k, v in self.entries(mapping, "connect") if (c := self.connect(k, v)) is not None)
        node = mapping.get("parameters")
        given = read_given(self, node) if node is not None else ()
        node = mapping.get("files")
        files = read_files(self, node) if node is not None else ()
        node = mapping.get("deny")
        deny = read_list(self, node, "deny") if node is not None else ()
        node = mapping.get("exceptions")
        exceptions = self.boolean(node, "exceptions") if node is not None else True
        node = mapping.get("interpose")
        interpose = read_interpose(self, node) if node is not None else None
        node = mapping.get("budget")
        budget = read_budget(self, node) if node is not None else None
        node = mapping.get("scheduler")
        under = read_under(self, node) if node is not None else None
        node = mapping.get("component")
        placed = (*SETTINGS, "restart", "heartbeat", "mode", "budget", *TIMED)
        places = tuple((k.text, v.position) for k, v in mapping.entries if k.text in placed)
        timed = self.timed(key, mapping)
        fits(self, key.text, budget, timed[2], timed[1], dict(places))
        return Instance(key.text, component.text if component else None, settings, connects, self.devices(mapping),
                        contract, heartbeat or 0, key.position, node.position if node is not None else key.position,
                        places, given, *timed, files, self.mode(mapping), deny, exceptions is not False, interpose,
                        budget, under)

    def timed(self, key: Scalar, mapping: Mapping) -> tuple[int, int, int]:
        """period, deadline and work; 0 for what is not said."""
        nodes = {name: node for name in TIMED if (node := mapping.get(name)) is not None}
        times = {name: self.value(node, f"{name} of {key.text}", TIMES) or 0 for name, node in nodes.items()}
        period, deadline, work = (times.get(name, 0) for name in TIMED)
        for name, other in (("deadline", "period"), ("period", "work")):
            if name in nodes and other not in nodes:
                self.error("TSS-011", nodes[name].position, f"instance {short(key.text)} has a {name}, but lacks the "
                           f"key {short(other)}", suggestions.key(other))
        if period and deadline > period:
            self.error("TSS-019", nodes["deadline"].position, f"the deadline {time_text(deadline)} lies after the "
                       f"period {time_text(period)}", "a deadline is at most the period")
        return period, deadline, work

    def lacking(self, rows: tuple[tuple[Scalar, Node], ...]) -> None:
        """Instances without a component; a misspelt name in a file that extends another looks like one."""
        complete = [k.text for k, v in rows if isinstance(v, Mapping) and v.get("component") is not None]
        for key, value in rows:
            if isinstance(value, Mapping) and value.get("component") is None:
                hint = did_you_mean(key.text, complete)
                self.error("TSS-011", key.position, f'instance {short(key.text)} lacks the key "component"',
                           hint if hint.startswith("did") else "write `component: GROUP/NAME`")

    def machine(self, root: Mapping) -> tuple[int, Position]:
        node = root.get("machine")
        mapping = self.mapping(node, "machine") if node is not None else None
        default = 128 << 20
        if mapping is None:
            return default, root.position
        self.keys(mapping, "machine", MACHINE, (), MACHINE_FUTURE)
        node, shape = mapping.get("memory"), MACHINE["memory"]
        assert shape is not None
        memory = self.value(node, "memory of the machine", shape) if node is not None else None
        return memory or default, node.position if node is not None else mapping.position

    def speed(self, root: Mapping) -> int | None:
        node = root.get("machine")
        node = node.get("speed") if isinstance(node, Mapping) else None
        found: int | None = self.value(node, "speed", SPEED) if node is not None else None
        return found

    def video(self, root: Mapping) -> str:
        """How the screen is to be set up by the boot loader."""
        node = root.get("machine")
        node = node.get("video") if isinstance(node, Mapping) else None
        text = self.text(node, "video") if node is not None else None
        if text is not None and not VIDEO.fullmatch(text.text):
            self.error("TSS-013", text.position, f"video {short(text.text)} is no screen",
                       "write text, or \"WIDTHxHEIGHT\" such as \"1024x768\"")
        return text.text if text else "text"

    def config(self, root: Mapping) -> tuple[str | None, Position]:
        node = root.get("config")
        text = self.text(node, "config") if node is not None else None
        if text is not None and not CONFIG.fullmatch(text.text):
            self.error("TSS-014", text.position, f"config {short(text.text)} is not a name",
                       "write the name of a file in configs/, such as dev_defconfig")
            text = None
        return text.text if text else None, text.position if text else root.position

    def requires(self, root: Mapping) -> tuple[Named, ...]:
        """Options that must be on, whatever configuration the system is built with."""
        node = root.get("requires")
        found: list[Named] = []
        for item in self.sequence(node, "requires") if node is not None else ():
            text = self.text(item, "option")
            if text is not None and not OPTION.fullmatch(text.text):
                self.error("TSS-014", text.position, f"option {short(text.text)} is not a name",
                           "write an option of Kconfig, such as CONFIG_SMAP")
            elif text is not None and text.text in [one.name for one in found]:
                self.error("TSS-019", text.position, f"option {short(text.text)} is listed twice")
            elif text is not None:
                found.append(Named(text.text, text.position))
        return tuple(found)


def check_version(reader: Reader, root: Mapping, required: bool = True) -> None:
    """`tessera: 1`, in the manifest and in each fragment."""
    node = root.get("tessera")
    if node is None and required:
        reader.error("TSS-011", root.position, 'the fragment lacks the key "tessera"', "write `tessera: 1`")
    if node is None or isinstance(node, Scalar) and node.plain and node.text == "1":
        return
    found = short(node.text) if isinstance(node, Scalar) else "something else"
    reader.error("TSS-016", node.position, f"this generator reads manifests of version 1, not {found}",
                 "write `tessera: 1`")


def read_manifest(root: Mapping, path: str) -> tuple[Manifest, list[Diagnostic]]:
    """The manifest in the tree of the file `path`."""
    reader = _ManifestReader()
    reader.keys(root, "the manifest", KEYS, REQUIRED, FUTURE)
    check_version(reader, root, False)
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
        reader.keys(mapping, "defaults", DEFAULTS, (), DEFAULTS_FUTURE)
        defaults = read_settings(reader, mapping, "defaults")
    default_places = tuple((k.text, v.position) for k, v in mapping.entries) if mapping is not None else ()
    node = root.get("policy")
    policy = read_policy(reader, node) if node is not None else ()
    rows = reader.entries(root, "instances")
    reader.lacking(rows)
    instances = tuple(i for k, v in rows if (i := reader.instance(k, v)) is not None)
    manifest = Manifest(path, system or "", description.text if description else "", config, memory,
                        reader.video(root), defaults, instances, root.position, config_position, memory_position,
                        policy, default_places, reader.speed(root),
                        reader.mode(mapping) if mapping is not None else None, reader.requires(root))
    return manifest, reader.errors
