# SPDX-License-Identifier: BSD-2-Clause
"""What a run reads: component descriptions, interfaces, manifests, found by their place under one root."""
import os
from dataclasses import dataclass
from pathlib import Path

from generator.component import Component, read_component
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, short
from generator.load import Mapping, load

GROUPS = ("drivers", "servers", "apps")


@dataclass(frozen=True)
class Source:
    """A file's bytes and the path it is called by in messages."""

    path: str
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


@dataclass(frozen=True)
class Inputs:
    root: Path
    components: dict[str, Source]  # folder -> component.yaml
    interfaces: dict[str, Source]  # name -> its file

    def sources(self, *more: Source) -> dict[str, str]:
        """Texts for printing errors."""
        return {s.path: s.text for s in (*self.components.values(), *self.interfaces.values(), *more)}


def shown(path: Path, root: Path) -> str:
    """`path` as messages call it: relative to the root, or to the working directory, or as it is."""
    absolute = Path(os.path.abspath(path))
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(path)


def read_source(path: Path, root: Path, hint: str = "") -> Source:
    name = shown(path, root)
    try:
        return Source(name, path.read_bytes())
    except OSError as error:
        raise Refused([Diagnostic("TSS-001", Position(name), f"cannot be read: {error.strerror}", hint)]) from None


def read_inputs(root: Path) -> Inputs:
    """All descriptions under `root`."""
    base = root / "components"
    files = {"init": base / "init" / "component.yaml"}
    files |= {f"{group}/{path.parent.name}": path
              for group in GROUPS for path in (base / group).glob("*/component.yaml")}
    interfaces = {path.stem: read_source(path, root) for path in sorted((base / "interfaces").glob("*.yaml"))}
    components = {name: read_source(path, root) for name, path in sorted(files.items()) if path.exists()}
    return Inputs(root, components, interfaces)


def manifest_path(inputs: Inputs, name: str) -> Path:
    """The file of a system given as a name, or as a path if it looks like one."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    path = inputs.root / "manifests" / f"{name}.yaml"
    if not path.exists():
        known = [p.stem for p in (inputs.root / "manifests").glob("*.yaml")]
        raise Refused([Diagnostic("TSS-001", Position(f"manifests/{name}.yaml"), f"there is no system {short(name)}",
                                  did_you_mean(name, known))])
    return path


def load_component(inputs: Inputs, name: str) -> tuple[Component | None, list[Diagnostic]]:
    source = inputs.components[name]
    try:
        tree, errors = load(source.data, source.path)
    except Refused as refused:
        return None, list(refused.diagnostics)
    component, more = read_component(tree, name, frozenset(inputs.interfaces))
    return component, [*errors, *more]


def load_tree(source: Source) -> tuple[Mapping, tuple[Diagnostic, ...]]:
    return load(source.data, source.path)
