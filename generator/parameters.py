# SPDX-License-Identifier: BSD-2-Clause
"""Typed parameters: component.yaml declares them, an instance sets them, the program reads them from a page.

    parameters:
      greeting: {type: text, max: 31, default: "hello"}
      times:    {type: integer, min: 1, max: 9}          # no default: each instance must set it

The page is mapped read-only at ADDRESS; slots.h has `struct parameters` for it and PARAMETERS, a pointer to it. Each
number, truth value and chosen word (its index) is a uint64_t, sizes in bytes, times in microseconds; a text is its
bytes, zeros up to a multiple of eight, at least one.
"""
import re
from dataclasses import dataclass

from generator.diagnostics import Position, did_you_mean, short
from generator.fields import C_WORDS, Reader, Shape
from generator.load import Mapping, Node

TYPES = ("text", "integer", "size", "duration", "boolean", "choice")
NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
COUNT_MAX, TEXT_MAX, PAGE = 32, 255, 4096
ADDRESS = 0x280000000
NUMBER = (0, (1 << 63) - 1)
Value = str | int | bool


@dataclass(frozen=True)
class Parameter:
    """`default` None: an instance must set it. The shape's `high` is a text's longest length in bytes."""

    name: str
    shape: Shape
    default: Value | None
    position: Position

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return (self.shape.high + 8) // 8 * 8 if self.shape.kind == "text" else 8


@dataclass(frozen=True)
class Setting:
    """What an instance sets; typed only once the component is known."""

    name: str
    node: Node
    position: Position


def read_value(reader: Reader, node: Node, what: str, shape: Shape) -> Value | None:
    """A value of a parameter; None after an error."""
    value: Value | None = reader.value(node, what, shape)
    if isinstance(value, str) and not value.isprintable():
        reader.error("TSS-013", node.position, f"{what} holds what cannot be printed", "write it as one line of text")
        return None
    if shape.kind == "text" and isinstance(value, str) and len(value.encode()) > shape.high:
        reader.error("TSS-013", node.position, f"{what} has {len(value.encode())} bytes", f"it can have {shape.high}")
        return None
    return value


def _shape(reader: Reader, mapping: Mapping, name: str) -> Shape | None:
    node = mapping.get("type")
    kind = reader.choice(node, f"type of {name}", TYPES) if node is not None else None
    numeric = ("min", "max") if kind in ("integer", "size", "duration") else ()
    more = {"text": ("max",), "choice": ("words",)}.get(kind or "", numeric if kind else ("min", "max", "words"))
    reader.keys(mapping, f"parameter {short(name)}", ("type", "default", *more), ("type", *more[:1] * (
        kind in ("text", "choice"))))
    if kind is None:
        return None
    if kind == "choice":
        node = mapping.get("words")
        words = [reader.name(item, f"word of {name}", NAME) for item in reader.sequence(node, "words")] if node else []
        if len(set(words)) < len(words) and None not in words:
            reader.error("TSS-019", mapping.key("words").position, f"a word of {short(name)} is listed twice")
        return Shape(kind, words=tuple(word for word in words if word is not None)) if words else None
    low, high = (1, TEXT_MAX) if kind == "text" else NUMBER
    limits = Shape("integer" if kind == "text" else kind, low, high)
    found = {key: reader.value(value, f"{key} of {name}", limits) for key in ("min", "max")
             if kind != "boolean" and (value := mapping.get(key)) is not None}
    low = 0 if kind == "text" else found.get("min") or low
    high = most if (most := found.get("max")) is not None else high
    if low > high:
        reader.error("TSS-019", mapping.key("min").position, f"min of {short(name)} is more than its max",
                     "exchange them")
        return None
    return Shape(kind, low, high)


def read_parameters(reader: Reader, node: Node) -> tuple[Parameter, ...]:
    """`parameters:` of a component.yaml."""
    mapping = reader.mapping(node, "parameters")
    found = []
    for key, value in mapping.entries if mapping else ():
        inner = reader.mapping(value, f"parameter {short(key.text)}")
        if reader.name(key, "parameter", NAME) is None or inner is None:
            continue
        if key.text in C_WORDS:
            reader.error("TSS-100", key.position, f"parameter {short(key.text)} is taken by C",
                         f"it becomes a member of a struct; call it my_{key.text} or so")
            continue
        shape = _shape(reader, inner, key.text)
        default = inner.get("default")
        if shape is not None:
            start = read_value(reader, default, f"default of {key.text}", shape) if default is not None else None
            found.append(Parameter(key.text, shape, start, key.position))
    if len(found) > COUNT_MAX or sum(p.size for p in found) > PAGE:
        reader.error("TSS-039", node.position, f"{len(found)} parameters of {sum(p.size for p in found)} bytes are too "
                     "many", f"a component has at most {COUNT_MAX} in {PAGE} bytes")
    return tuple(found)


def read_given(reader: Reader, node: Node) -> tuple[Setting, ...]:
    """`parameters:` of an instance."""
    mapping = reader.mapping(node, "parameters")
    return tuple(Setting(key.text, value, key.position) for key, value in (mapping.entries if mapping else ()))


def resolve(reader: Reader, declared: tuple[Parameter, ...], settings: tuple[Setting, ...], component: str,
            instance: str, position: Position) -> tuple[Value, ...]:
    """The values in the order of component.yaml; errors go to `reader`."""
    given = {s.name: s for s in settings}
    for setting in settings:
        if setting.name not in [p.name for p in declared]:
            reader.error("TSS-057", setting.position, f"{component} has no parameter {short(setting.name)}",
                         did_you_mean(setting.name, [p.name for p in declared]))
    values: list[Value] = []
    for parameter in declared:
        setting_or_none = given.get(parameter.name)
        value = parameter.default
        if setting_or_none is not None:
            value = read_value(reader, setting_or_none.node, f"parameter {parameter.name}", parameter.shape)
        elif value is None:
            reader.error("TSS-058", position, f"{short(instance)} lacks the parameter {short(parameter.name)} that "
                         f"{component} requires", f"write `parameters: {{{parameter.name}: ...}}`")
        values.append(0 if value is None else value)
    return tuple(values)


def page(declared: tuple[Parameter, ...], values: tuple[Value, ...]) -> bytes:
    """The bytes of the page."""
    parts = []
    for parameter, value in zip(declared, values):
        if parameter.shape.kind == "text":
            parts.append(str(value).encode().ljust(parameter.size, b"\0"))
        else:
            number = parameter.shape.words.index(str(value)) if parameter.shape.words else int(value)
            parts.append(number.to_bytes(8, "little"))
    return b"".join(parts)


def header(declared: tuple[Parameter, ...]) -> list[str]:
    """Lines of slots.h."""
    if not declared:
        return []
    lines = ["#ifndef __ASSEMBLER__", "#include <stdint.h>", "struct parameters {"]
    for p in declared:
        unit = {"size": "bytes", "duration": "microseconds", "boolean": "0 or 1", "integer": "a number",
                "choice": f"PARAMETER_{p.name.upper()}_*"}.get(p.shape.kind, "")
        lines.append(f"\tchar {p.name}[{p.size}];" if p.shape.kind == "text" else f"\tuint64_t {p.name}; /* {unit} */")
    lines += ["};", f"#define PARAMETERS ((const struct parameters *){ADDRESS:#x}ull)"]
    for p in declared:
        lines += [f"#define PARAMETER_{p.name.upper()}_{word.upper()} {n}u" for n, word in enumerate(p.shape.words)]
    return [*lines, "#endif"]
