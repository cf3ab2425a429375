# SPDX-License-Identifier: BSD-2-Clause
"""Files that a manifest puts into the image for an instance.

component.yaml lists names, an instance says which file each is:

    files: [program]                        # component.yaml
    files: {program: build/linux/hello}     # the instance

A path is relative to the tree, or to TESSERA_EXTRA; what begins with build/ lies in the output folder, whatever O=
calls it. The program finds each file at FILE_NAME (slots.h): a page with its size, then its bytes (tessera/file.h).
"""
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator.diagnostics import Diagnostic, Position, did_you_mean, short
from generator.fields import WORD, Reader
from generator.load import Node

ADDRESS, WINDOW = 0x800000000, 0x10000000  # of the first, and from one to the next
SIZE_MAX = 64 << 20
PATH = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)*")
PAGE = 4096


@dataclass(frozen=True)
class Attached:
    """One line under an instance's `files`."""

    name: str
    path: str  # empty: what stands there is none, which has been said
    position: Position  # of the name
    path_position: Position


def read_names(reader: Reader, node: Node) -> tuple[str, ...]:
    """`files:` of a component.yaml."""
    names: list[str] = []
    for item in reader.sequence(node, "files"):
        name = reader.name(item, "file", WORD)
        if name in names:
            reader.error("TSS-019", item.position, f"file {short(name or '')} is listed twice")
        elif name is not None:
            names.append(name)
    return tuple(names)


def read_files(reader: Reader, node: Node) -> tuple[Attached, ...]:
    """`files:` of an instance."""
    mapping = reader.mapping(node, "files")
    found = []
    for key, value in mapping.entries if mapping else ():
        text = reader.text(value, f"file {short(key.text)}")
        if text is not None and not PATH.fullmatch(text.text):
            reader.error("TSS-014", text.position, f"{short(text.text)} is no path of a file",
                         "write folders and a name joined by slashes, such as build/linux/hello; no .. and no "
                         "leading dot")
        good = text is not None and PATH.fullmatch(text.text)
        found.append(Attached(key.text, text.text if text and good else "", key.position, value.position))
    return tuple(found)


def check_files(declared: tuple[str, ...], given: tuple[Attached, ...], component: str, instance: str,
                position: Position, error: Callable[[str, Position, str, str], None]) -> tuple[Attached, ...]:
    """Those in the order of component.yaml, if each is there."""
    by_name = {a.name: a for a in given}
    for name, one in by_name.items():
        if name not in declared:
            error("TSS-099", one.position, f"{component} uses no file called {short(name)}",
                  did_you_mean(name, declared))
    for name in declared:
        if name not in by_name:
            error("TSS-099", position, f"{short(instance)} lacks the file {short(name)} that {component} requires",
                  f"write `files: {{{name}: PATH}}`")
    return tuple(by_name[name] for name in declared if name in by_name)


def load_file(one: Attached, build: Path, roots: tuple[Path, ...], required: bool) -> bytes | Diagnostic | None:
    """Its bytes; None: it is not built yet, which is no error unless `required`."""
    built = one.path.startswith("build/")
    places = [build / one.path.removeprefix("build/")] if built else [root / one.path for root in roots]
    path = next((place for place in places if place.is_file()), None)
    if not one.path or (path is None and built and not required):
        return None
    if path is None:
        return Diagnostic("TSS-099", one.path_position, f"there is no file {short(one.path)}",
                          "it is made by `make image`" if built else "paths are relative to the tree, or TESSERA_EXTRA")
    data = path.read_bytes()
    if len(data) > SIZE_MAX:
        return Diagnostic("TSS-099", one.path_position, f"{short(one.path)} has {len(data)} bytes",
                          f"a file in an image has at most {SIZE_MAX}")
    return data


def section(data: bytes) -> bytes:
    """What lies in the image: the size on a page of its own, then the bytes."""
    return len(data).to_bytes(8, "little").ljust(PAGE, b"\0") + data


def header(names: tuple[str, ...]) -> list[str]:
    """Lines of slots.h; whoever uses them includes <tessera/file.h>."""
    return [f"#define FILE_{name.upper().replace('-', '_')} ((const struct tss_file *){ADDRESS + i * WINDOW:#x}ull)"
            for i, name in enumerate(names)]
