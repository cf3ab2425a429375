# SPDX-License-Identifier: BSD-2-Clause
"""show: every value of a system and where it comes from: a file's line, component.yaml, or the factory."""
from collections.abc import Iterator
from collections.abc import Mapping as Tree
from dataclasses import dataclass

from generator.abi import Abi
from generator.calls import allowed, mask, names_in, names_of
from generator.check import System
from generator.compose import Composed
from generator.component import SETTINGS
from generator.diagnostics import Position
from generator.elf import Image
from generator.fields import size_text, time_text
from generator.load import Mapping, Node, Scalar, Sequence


@dataclass(frozen=True)
class Value:
    """One value: `path` is keys joined by dots, as `remove` takes them."""

    path: str
    text: str
    origin: str


def _flow(node: Node) -> str:
    """A list as it could be written on one line."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return f"[{', '.join(_flow(item) for item in node.items)}]"
    return f"{{{', '.join(f'{key.text}: {_flow(value)}' for key, value in node.entries)}}}"


def _written(node: Node, path: str, composed: Composed) -> Iterator[Value]:
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield from _written(value, f"{path}.{key.text}" if path else key.text, composed)
        return
    before = composed.replaced.get(node.position)
    yield Value(path, _flow(node), f"{node.position}" + (f", overrides {before}" if before else ""))


def _setting(name: str, value: int) -> str:
    kind = SETTINGS[name].kind
    return size_text(value) if kind == "size" else time_text(value) if kind == "duration" else str(value)


def _settled(system: System) -> Iterator[Value]:
    """The settings that an instance has without writing them."""
    defaults: dict[str, Position] = dict(system.manifest.default_places)
    for instance in system.instances:
        component = f"components/{instance.component.name}/component.yaml"
        for name in SETTINGS:
            if name in dict(instance.places):
                continue
            origin = (f"{defaults[name]}" if getattr(system.manifest.defaults, name) is not None and name in defaults
                      else component if getattr(instance.component.defaults, name) is not None else "factory")
            yield Value(f"instances.{instance.name}.{name}", _setting(name, getattr(instance, name)), origin)
        given = {s.name for i in system.manifest.instances if i.name == instance.name for s in i.parameters}
        for parameter, value in zip(instance.component.parameters, instance.parameters):
            if parameter.name not in given:
                yield Value(f"instances.{instance.name}.parameters.{parameter.name}", str(value), component)


def _called(system: System, images: Tree[str, Image], abi: Abi) -> Iterator[Value]:
    """The system calls that each instance may make whose component is built."""
    for instance in system.instances:
        image = images.get(instance.component.name)
        if image is not None:
            may = allowed(image.calls, instance.component.calls, instance.denied, names_of(abi))
            yield Value(f"instances.{instance.name}.may_call", f"[{', '.join(names_in(abi, mask(may)))}]",
                        "its program and component.yaml" + (", without what is denied" if instance.denied else ""))


def values(composed: Composed, system: System | None, images: Tree[str, Image] | None = None,
           abi: Abi | None = None) -> list[Value]:
    """All values below their paths, sorted by instance as the manifest has them."""
    written = list(_written(composed.tree, "", composed))
    order = {v.path.rsplit(".", 1)[0]: n for n, v in reversed(list(enumerate(written)))}
    more = list(_settled(system)) if system is not None else []
    more += list(_called(system, images, abi)) if system is not None and images and abi is not None else []
    return sorted([*written, *more], key=lambda v: order.get(v.path.rsplit(".", 1)[0], len(order)))
