# SPDX-License-Identifier: BSD-2-Clause
"""What a run reads: component descriptions, interfaces, manifests, found by their place under one root.

A second root (TESSERA_EXTRA) has the same folders and adds to the first; nothing in it can hide what is in the first.
"""
import functools
import os
from dataclasses import dataclass
from pathlib import Path

from generator.component import Component, read_component
from generator.diagnostics import Diagnostic, Note, Position, Refused, did_you_mean, short
from generator.files import read_file
from generator.load import load

GROUPS = ("drivers", "servers", "apps")


@dataclass(frozen=True)
class Source:
    """A file's bytes, the path it is called by in messages, and where it is."""

    path: str
    data: bytes
    file: Path = Path()

    @property
    def text(self) -> str:
        return self.data.decode("utf-8-sig", "replace")


@dataclass(frozen=True)
class Inputs:
    root: Path
    extra: Path | None
    components: dict[str, Source]  # folder -> component.yaml
    interfaces: dict[str, Source]  # name -> its file

    @property
    def roots(self) -> tuple[Path, ...]:
        return (self.root,) if self.extra is None else (self.root, self.extra)

    def sources(self, *more: Source) -> dict[str, str]:
        """Texts for printing errors."""
        return {s.path: s.text for s in (*self.components.values(), *self.interfaces.values(), *more)}

    def files(self, pattern: str) -> list[Path]:
        """What matches below any root."""
        return [path for root in self.roots for path in sorted(root.glob(pattern))]


def shown(path: Path, root: Path) -> str:
    """`path` as messages call it: relative to the root, or to the working directory, or as it is."""
    absolute = Path(os.path.abspath(path))
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(path)


def read_source(path: Path, root: Path, hint: str = "") -> Source:
    name = shown(path, root)
    try:
        return Source(name, read_file(path), path)
    except OSError as error:
        raise Refused([Diagnostic("TSS-001", Position(name), f"cannot be read: {error.strerror}",
                                  hint or "name a file that is there and may be read")]) from None


def _merged(root: Path, found: list[dict[str, Path]], what: str) -> dict[str, Source]:
    """Files of all roots by name; a name that two roots have is an error."""
    sources: dict[str, Source] = {}
    for name, path in ((name, path) for files in found for name, path in sorted(files.items())):
        source = read_source(path, root)
        if name in sources:
            raise Refused([Diagnostic("TSS-056", Position(source.path), f"there is {what} {short(name)} already",
                                      "give the one in TESSERA_EXTRA another name",
                                      (Note(Position(sources[name].path), "this is it"),))])
        sources[name] = source
    return dict(sorted(sources.items()))


def _descriptions(root: Path) -> dict[str, Path]:
    base = root / "components"
    files = {"init": base / "init" / "component.yaml"}
    files |= {f"{group}/{path.parent.name}": path
              for group in GROUPS for folder in (base / group).glob("*/") for path in (folder / "component.yaml",)}
    return {name: path for name, path in files.items() if os.path.lexists(path)}


def read_inputs(root: Path, extra: Path | None = None) -> Inputs:
    """All descriptions under `root` and `extra`."""
    if extra is not None and not extra.is_dir():
        raise Refused([Diagnostic("TSS-001", Position(str(extra)), "TESSERA_EXTRA is no folder",
                                  "it holds components/, manifests/, configs/; leave it empty for none")])
    if not root.is_dir():
        raise Refused([Diagnostic("TSS-001", Position(str(root)), "there is no such folder",
                                  "it is the top of a tree, with components/ and manifests/")])
    roots = (root,) if extra is None else (root, extra)
    interfaces = [{path.stem: path for path in (r / "components" / "interfaces").glob("*.yaml")} for r in roots]
    return Inputs(root, extra, _merged(root, [_descriptions(r) for r in roots], "a component"),
                  _merged(root, interfaces, "an interface"))


def manifest_path(inputs: Inputs, name: str) -> Path:
    """The file of a system given as a name, or as a path if it looks like one."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    found = inputs.files(f"manifests/{name}.yaml") if name and not set(name) & set("*?[") else []
    if not found:
        known = [path.stem for path in inputs.files("manifests/*.yaml")]
        raise Refused([Diagnostic("TSS-001", Position(f"manifests/{name}.yaml"), f"there is no system {short(name)}",
                                  did_you_mean(name, known))])
    if len(found) > 1:
        first, second = (Position(shown(path, inputs.root)) for path in found)
        raise Refused([Diagnostic("TSS-056", second, f"there is a system {short(name)} already",
                                  "give the one in TESSERA_EXTRA another name", (Note(first, "this is it"),))])
    return found[0]


def find_fragment(inputs: Inputs, manifest: Path, name: str) -> Path | None:
    """The file that `extends` of that manifest means: beside it, or in a folder manifests/."""
    places = (manifest.parent, *(root / "manifests" for root in inputs.roots))
    return next((place / name for place in places if (place / name).is_file()), None)


@functools.lru_cache(maxsize=1024)
def _component(data: bytes, path: str, name: str,
               interfaces: frozenset[str]) -> tuple[Component | None, tuple[Diagnostic, ...]]:
    """A description read once, however many systems of one run use it."""
    try:
        tree, errors = load(data, path)
    except Refused as refused:
        return None, refused.diagnostics
    component, more = read_component(tree, name, interfaces)
    return component, (*errors, *more)


def load_component(inputs: Inputs, name: str) -> tuple[Component | None, list[Diagnostic]]:
    source = inputs.components[name]
    component, errors = _component(source.data, source.path, name, frozenset(inputs.interfaces))
    return component, list(errors)


def load_components(inputs: Inputs) -> dict[str, Component]:
    """Every component by its folder. Errors: Refused, with all that is wrong in any of them."""
    found: dict[str, Component] = {}
    errors: list[Diagnostic] = []
    for name in inputs.components:
        component, more = load_component(inputs, name)
        errors += more
        if component is not None:
            found[name] = component
    if errors:
        raise Refused(errors)
    return found
