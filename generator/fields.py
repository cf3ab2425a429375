# SPDX-License-Identifier: BSD-2-Clause
"""Typed reading of nodes: each method returns the value, or None after noting an error with its place.

YAML readers disagree about `no`, `010`, `0x10`, `1:30` and `1_000`, so none of these is ever accepted bare, and a
number in quotes is not a number.
"""
import re
from collections.abc import Callable, Collection, Sequence as Items
from dataclasses import dataclass
from typing import Any

from generator import suggestions
from generator.diagnostics import Diagnostic, Position, did_you_mean, short
from generator.load import Mapping, Node, Scalar, Sequence

NAME = re.compile(r"[a-z][a-z0-9_]{0,14}")  # instances and systems: fits TSS_NAME_SIZE
WORD = re.compile(r"[a-z][a-z0-9_-]{0,30}")  # what a component calls its connections: fits 32 bytes
_AMBIGUOUS_WORD = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null|~|)|"
                             r"[-+]?\.?[0-9][0-9_.:eExXa-fA-F+-]*|\.(?i:inf|nan)")
_NUMBER = re.compile(r"0|[1-9][0-9]*")
_NUMBER_LIKE = re.compile(r"[-+]?[0-9][0-9a-fA-FxXoO_.:+-]*")
C_WORDS = frozenset(  # no member or parameter of a function can be called so: words of C, and what the headers define
    """auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool true false
    asm typeof typeof_unqual nullptr constexpr alignas alignof thread_local static_assert linux unix
    size_t cap_t uint8_t uint16_t uint32_t uint64_t int32_t int64_t""".split())
DIGITS_MAX = 40  # of a number that is read, to be told that it is out of range
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_TIMES = {"us": 1, "ms": 1000, "s": 1000000}


@dataclass(frozen=True)
class Shape:
    """What the value of a key may be. Tables of them are what `Reader.value` reads and schema.py prints.

    kind: text, integer, size, duration, boolean, choice or choices.
    """

    kind: str
    low: int = 0
    high: int = 0
    words: tuple[str, ...] = ()  # of choice and choices


def size_text(value: int) -> str:
    """Bytes as the manifest writes them."""
    for unit in ("G", "M", "K"):
        if value and value % _UNITS[unit] == 0:
            return f"{value // _UNITS[unit]}{unit}"
    return str(value)


def time_text(us: int) -> str:
    """Microseconds as the manifest writes them."""
    return next(f"{us // n}{unit}" for unit, n in reversed(_TIMES.items()) if us % n == 0)


class Reader:
    """Reads one file's nodes and collects what is wrong with them."""

    def __init__(self) -> None:
        self.errors: list[Diagnostic] = []

    def error(self, code: str, position: Position, message: str, hint: str = "") -> None:
        self.errors.append(Diagnostic(code, position, message, hint))

    def mapping(self, node: Node, what: str) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        if isinstance(node, Scalar) and node.plain and node.text == "":
            self.error("TSS-012", node.position, f"{what} is empty", "write `key: value` lines below it, or remove it")
        else:
            self.error("TSS-012", node.position, f"{what} must be `key: value` lines, not {_kind(node)}",
                       suggestions.lines(what))
        return None

    def sequence(self, node: Node, what: str) -> tuple[Node, ...]:
        if isinstance(node, Sequence):
            return node.items
        self.error("TSS-012", node.position, f"{what} must be a list, not {_kind(node)}", "write it as [a, b]")
        return ()

    def text(self, node: Node, what: str) -> Scalar | None:
        """Any text; bare words that some YAML readers take for something else are refused."""
        if not isinstance(node, Scalar):
            self.error("TSS-012", node.position, f"{what} must be text, not {_kind(node)}", suggestions.text(what))
            return None
        if node.plain and node.text == "":
            self.error("TSS-012", node.position, f"{what} is empty", suggestions.text(what))
            return None
        if node.plain and _AMBIGUOUS_WORD.fullmatch(node.text):
            self.error("TSS-008", node.position, f"{what} {short(node.text)} means different things to different YAML "
                       "readers", "put it in quotes if it is meant as text, or choose another word")
            return None
        return node

    def name(self, node: Node, what: str, pattern: re.Pattern[str] = WORD) -> str | None:
        value = self.text(node, what)
        if value is None:
            return None
        if not pattern.fullmatch(value.text):
            limit, more = (15, "") if pattern is NAME else (31, " and -")
            self.error("TSS-014", value.position, f"{what} {short(value.text)} is not a name",
                       f"a name has 1 to {limit} characters: a-z first, then a-z 0-9 _{more}")
            return None
        return value.text

    def choice(self, node: Node, what: str, known: Collection[str]) -> str | None:
        value = self.text(node, what)
        if value is not None and value.text not in known:
            self.error("TSS-015", value.position, f"{what} {short(value.text)} is not known",
                       did_you_mean(value.text, known))
            return None
        return value.text if value else None

    def choices(self, node: Node, what: str, known: Collection[str]) -> tuple[str, ...] | None:
        """A list of known words, each at most once; None if one of them is not."""
        found: list[str] = []
        before = len(self.errors)
        for item in self.sequence(node, what):
            word = self.choice(item, what, known)
            if word in found:
                self.error("TSS-019", item.position, f"{what} {short(str(word))} is listed twice")
            elif word is not None:
                found.append(word)
        return tuple(found) if len(self.errors) == before else None

    def boolean(self, node: Node, what: str) -> bool | None:
        if isinstance(node, Scalar) and node.plain and node.text in ("true", "false"):
            return node.text == "true"
        bad = isinstance(node, Scalar) and _AMBIGUOUS_WORD.fullmatch(node.text)
        found = short(node.text) if isinstance(node, Scalar) else _kind(node)
        self.error("TSS-008" if bad else "TSS-012", node.position, f"{what} must be true or false, not {found}",
                   "write true or false, without quotes")
        return None

    def _scaled(self, node: Node, what: str, units: dict[str, int], example: str) -> int | None:
        """A plain decimal number followed by one of `units`, multiplied out."""
        if not isinstance(node, Scalar):
            self.error("TSS-012", node.position, f"{what} must be {example}, not {_kind(node)}", f"write {example}")
            return None
        match = re.fullmatch(r"([0-9]+)([A-Za-z]*)", node.text)
        if match and _NUMBER.fullmatch(match[1]) and match[2] in units and len(match[1]) <= DIGITS_MAX:
            if node.plain or match[2]:
                return int(match[1]) * units[match[2]]
        bare = match is not None and match[2] == "" and _NUMBER.fullmatch(match[1]) is not None and node.plain
        ambiguous = not bare and _NUMBER_LIKE.fullmatch(node.text) is not None and node.text[0] not in "+-"
        reason = "is text, because it is in quotes" if not node.plain and ambiguous else \
            "means different things to different YAML readers" if ambiguous and len(node.text) < 20 else ""
        if reason:
            self.error("TSS-008", node.position, f"{what} {short(node.text)} {reason}",
                       f"write {example}, decimal and without quotes")
        else:
            found = "is empty" if node.plain and node.text == "" else f"must be {example}, not {short(node.text)}"
            self.error("TSS-012", node.position, f"{what} {found}", f"write {example}")
        return None

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        value = self._scaled(node, what, {"": 1}, "a number")
        return self._range(node, what, value, low, high, str)

    def bytes(self, node: Node, what: str, low: int, high: int) -> int | None:
        value = self._scaled(node, what, _UNITS, "a size such as 64K or 2M")
        return self._range(node, what, value, low, high, size_text)

    def size(self, node: Node, what: str, low: int, high: int) -> int | None:
        """Bytes, a multiple of the page size."""
        value = self.bytes(node, what, low, high)
        if value is not None and value % 4096:
            self.error("TSS-013", node.position, f"{what} {value} is not a whole number of 4K pages",
                       f"the next one is {size_text((value + 4095) // 4096 * 4096)}")
            return None
        return value

    def duration(self, node: Node, what: str, low: int, high: int) -> int | None:
        """Microseconds."""
        value = self._scaled(node, what, _TIMES, "a time such as 500us, 10ms or 1s")
        return self._range(node, what, value, low, high, time_text)

    def _range(self, node: Node, what: str, value: int | None, low: int, high: int,
               show: Callable[[int], str]) -> int | None:
        if value is not None and not low <= value <= high:
            self.error("TSS-013", node.position, f"{what} {show(value)} is out of range",
                       f"it can be {show(low)} to {show(high)}")
            return None
        return value

    def value(self, node: Node, what: str, shape: Shape) -> Any:
        """A value of that shape: str, int (bytes, microseconds), bool or a tuple of words; None after an error."""
        if shape.kind == "text":
            text = self.text(node, what)
            return None if text is None else text.text
        if shape.kind == "boolean":
            return self.boolean(node, what)
        if shape.kind in ("choice", "choices"):
            return (self.choice if shape.kind == "choice" else self.choices)(node, what, shape.words)
        read = {"integer": self.integer, "size": self.size, "duration": self.duration}[shape.kind]
        return read(node, what, shape.low, shape.high)

    def keys(self, mapping: Mapping, what: str, known: Collection[str], required: Items[str] = (),
             future: Collection[str] = ()) -> None:
        """Unknown, missing and not-yet keys of `mapping`."""
        for key, _ in mapping.entries:
            if key.text in future:
                self.error("TSS-042", key.position, f"{short(key.text)} has no effect in this version yet",
                           "remove it; it is refused so that nobody relies on it unknowingly")
            elif key.text not in known:
                self.error("TSS-010", key.position, f"unknown key {short(key.text)} in {what}",
                           did_you_mean(key.text, known))
        for name in required:
            if mapping.get(name) is None:
                self.error("TSS-011", mapping.position, f"{what} lacks the key {short(name)}", suggestions.key(name))


def _kind(node: Node) -> str:
    if isinstance(node, Mapping):
        return "`key: value` lines"
    return "a list" if isinstance(node, Sequence) else short(node.text)
