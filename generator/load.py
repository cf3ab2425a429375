# SPDX-License-Identifier: BSD-2-Clause
"""load: bytes of a YAML file -> a tree of nodes that know their place.

The subset is YAML 1.2 without anchors, aliases, tags, merge keys and several documents, at most MAX_BYTES long and
MAX_DEPTH deep. The tree is built from the library's parser events, not by its composer, so that a hostile file
costs a bounded amount of work and a repeated key can be reported with both places.

What is right goes through libyaml, which is ten times as fast; it reads printable ASCII that the pure parser accepts
in the same way (test_mutations.py). Whatever is wrong, or is no such text, is for the pure parser to judge.
"""
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from generator.diagnostics import Diagnostic, Note, Position, Refused, short

_ORDINARY = re.compile(r"[ -~\n]*")
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")  # the last three end lines for some readers
MAX_BYTES = 256 * 1024
MAX_DEPTH = 16


@dataclass(frozen=True)
class Scalar:
    text: str
    plain: bool  # written without quotes
    position: Position


@dataclass(frozen=True)
class Sequence:
    items: tuple["Node", ...]
    position: Position


@dataclass(frozen=True)
class Mapping:
    entries: tuple[tuple[Scalar, "Node"], ...]
    position: Position

    def get(self, name: str) -> "Node | None":
        return next((value for key, value in self.entries if key.text == name), None)

    def key(self, name: str) -> Scalar:
        return next(key for key, _ in self.entries if key.text == name)


Node = Scalar | Sequence | Mapping


def _decode(data: bytes, path: str) -> str:
    if len(data) > MAX_BYTES:
        raise Refused([Diagnostic("TSS-004", Position(path), f"{len(data)} bytes are too many, the limit: {MAX_BYTES}",
                                  "split the system, or remove what is not a description")])
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[:error.start]
        line = before.count(b"\n") + 1
        column = len(before.rsplit(b"\n", 1)[-1].decode("utf-8")) + 1
        raise Refused([Diagnostic("TSS-002", Position(path, line, column),
                                  f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")]) from None


class _Builder:
    """Turns the event stream of one file into nodes; keeps the errors it can go on after."""

    def __init__(self, path: str, events: Iterator[Any]) -> None:
        self.path = path
        self.events = events
        self.errors: list[Diagnostic] = []

    def position(self, event: Any) -> Position:
        return Position(self.path, event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(self, code: str, event: Any, message: str, hint: str) -> Refused:
        return Refused([*self.errors, Diagnostic(code, self.position(event), message, hint)])

    def node(self, event: Any, depth: int) -> Node:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor:
            raise self.refuse("TSS-006", event, "anchors and aliases are not part of the format",
                              "write the value out where it is needed")
        if event.tag and event.tag != "!":
            raise self.refuse("TSS-006", event, f"tag {short(str(event.tag))} is not part of the format",
                              "remove the tag")
        if kind == "ScalarEvent":
            return Scalar(event.value, not event.style, self.position(event))
        if depth == MAX_DEPTH:
            raise self.refuse("TSS-004", event, f"nested more than {MAX_DEPTH} deep",
                              "nothing in the format is nested that deep")
        return self.mapping(event, depth) if kind == "MappingStartEvent" else self.sequence(event, depth)

    def sequence(self, start: Any, depth: int) -> Sequence:
        items: list[Node] = []
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            items.append(self.node(event, depth + 1))
        return Sequence(tuple(items), self.position(start))

    def mapping(self, start: Any, depth: int) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                break
            key = self.node(event, depth + 1)
            if not isinstance(key, Scalar) or key.text == "<<":
                raise self.refuse("TSS-006", event, "a key must be a plain word", "write `name: value`")
            value = self.node(next(self.events), depth + 1)
            if isinstance(value, Scalar) and value.plain and value.text == "":
                value = Scalar("", True, key.position)  # nothing is there to point at
            if key.text in entries:
                self.errors.append(Diagnostic("TSS-007", key.position, f"key {short(key.text)} appears twice",
                                              "keep one of the two", (Note(entries[key.text][0].position),)))
            else:
                entries[key.text] = (key, value)
        return Mapping(tuple(entries.values()), self.position(start))

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            kind = type(event).__name__
            if kind in ("StreamStartEvent", "DocumentEndEvent", "StreamEndEvent", "CommentEvent"):
                continue
            if kind != "DocumentStartEvent":
                root = self.node(event, 0)
            elif root is not None:
                raise self.refuse("TSS-006", event, "a second document starts here", "one file holds one document")
        return root


def _syntax(error: YAMLError, path: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = Position(path, mark.line + 1, mark.column + 1) if mark else Position(path, 1, 1)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    hint = ("indent with spaces, never with tabs" if "\\t" in problem else
            "check indentation, colons, quotes and brackets")
    return Diagnostic("TSS-003", position, f"not valid YAML: {' '.join(str(problem).split())}", hint)


def _fast(text: str, path: str) -> Mapping | None:
    """The top mapping by libyaml's parser; None if there is anything to complain about."""
    parser = CParser(text)
    builder = _Builder(path, iter(parser.get_event, None))
    try:
        root = builder.document()
    except (Refused, YAMLError):
        return None
    return root if isinstance(root, Mapping) and not builder.errors else None


def load(data: bytes, path: str) -> tuple[Mapping, tuple[Diagnostic, ...]]:
    """The file's top mapping and the errors met on the way; raises Refused when there is no tree to go on with."""
    text = _decode(data, path)
    for number, line in enumerate(text.split("\n"), 1):
        bad = _CONTROL.search(line.removesuffix("\r"))
        if bad is not None:
            hint = "end lines with LF, or with CR and LF" if bad[0] in "\r\x85\u2028\u2029" else "remove it"
            raise Refused([Diagnostic("TSS-003", Position(path, number, bad.start() + 1),
                                      f"not valid YAML: control character 0x{ord(bad[0]):02x}", hint)])
    if _ORDINARY.fullmatch(text) and (fast := _fast(text, path)) is not None:
        return fast, ()
    builder = _Builder(path, iter(()))
    try:
        builder.events = iter(YAML(typ="safe", pure=True).parse(text))
        root = builder.document()
    except MarkedYAMLError as error:
        raise Refused([*builder.errors, _syntax(error, path)]) from None
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        problem = error if isinstance(error, YAMLError) else YAMLError(str(error))
        raise Refused([*builder.errors, _syntax(problem, path)]) from None
    hint = "write `key: value` lines; manifests/README.md shows a whole file"
    if root is None or isinstance(root, Scalar) and root.plain and root.text == "":
        raise Refused([Diagnostic("TSS-005", Position(path), "the file is empty", hint)])
    if not isinstance(root, Mapping):
        found = "a list" if isinstance(root, Sequence) else "a single value"
        raise Refused([*builder.errors, Diagnostic("TSS-005", root.position, f"the file holds {found}", hint)])
    return root, tuple(builder.errors)
