# SPDX-License-Identifier: BSD-2-Clause
"""Types that an interface defines itself, and the C of each: declaration, what makes a received one good, and what is
cleared before one is sent.

An enum's values are numbered from 0, and no other number is ever handed to a program. A struct travels as C lays it
out, with its padding as members that are sent as zeros; a text in it is an array of `max` + 1 characters that ends in a
zero. Neither holds capabilities, buffers or other structs.
"""
from dataclasses import dataclass, field

SCALARS = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i32": "int32_t",
           "i64": "int64_t", "bool": "bool"}
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i32": 4, "i64": 8, "bool": 1, "enum": 4}
# What a capability can be said to name, with the rights it can be said to have; tests compare with objects.def.
OBJECTS = {"unit": ("grant", "control", "install"), "thread": ("grant", "control"), "sched": ("grant", "control"),
           "port": ("grant", "control", "receive"), "connection": ("grant", "control", "call", "send"),
           "event": ("grant", "signal", "wait", "bind"), "memory": ("read", "write", "execute", "grant"),
           "irq": ("grant", "control"), "ioport": ("read", "write", "grant")}


@dataclass(frozen=True)
class Enum:
    name: str
    values: tuple[str, ...]
    doc: str = field(default="", repr=False)


@dataclass(frozen=True)
class Member:
    """kind: of SCALARS, "enum" or "string"."""

    name: str
    kind: str
    most: int = 0  # bytes of a string, without the zero
    enum: Enum | None = None

    @property
    def size(self) -> int:
        return self.most + 1 if self.kind == "string" else SIZES[self.kind]

    @property
    def alignment(self) -> int:
        return 1 if self.kind == "string" else self.size


@dataclass(frozen=True)
class Struct:
    name: str
    members: tuple[Member, ...]
    doc: str = field(default="", repr=False)

    @property
    def placed(self) -> tuple[tuple[int, Member | None, int], ...]:
        """(offset, member, size) of each member, and of each gap: member None."""
        found: list[tuple[int, Member | None, int]] = []
        at = 0
        for member in self.members:
            if gap := -at % member.alignment:
                found.append((at, None, gap))
            found.append((at + gap, member, member.size))
            at += gap + member.size
        if gap := -at % max((m.alignment for m in self.members), default=1):
            found.append((at, None, gap))
        return tuple(found)

    @property
    def size(self) -> int:
        return sum(size for _, _, size in self.placed)


Defined = Enum | Struct


def c_name(interface: str, kind: str, of: Defined | None) -> str:
    """The C type of a value."""
    if of is None:
        return SCALARS.get(kind, "cap_t")
    return f"{'enum' if isinstance(of, Enum) else 'struct'} {interface}_{of.name}"


def checked(of: Struct) -> bool:
    """Can one that was received be no good?"""
    return any(m.kind in ("enum", "bool", "string") for m in of.members)


def cleaned(of: Struct) -> bool:
    """Has it bytes that nobody sets?"""
    return any(member is None or member.kind == "string" for _, member, _ in of.placed)


def bad_value(kind: str, enum: Enum | None, at: str) -> str | None:
    """The condition under which what lies at the address `at` is no value of its type; None: it always is."""
    if enum is not None:
        return f"*(const uint32_t *)({at}) >= {len(enum.values)}"
    return f"*(const uint8_t *)({at}) > 1" if kind == "bool" else None


def _enum(interface: str, enum: Enum) -> list[str]:
    head = f"{interface}_{enum.name}"
    values = [f"\t{head.upper()}_{value} = {number}," for number, value in enumerate(enum.values)]
    return [*([f"/* {said(enum.doc)}. */"] if enum.doc else []), f"enum {head} {{", *values, "};",
            f'_Static_assert(sizeof(enum {head}) == 4, "an enum is 32 bits");']


def _member(interface: str, member: Member | None, offset: int, size: int) -> str:
    if member is None:
        return f"uint8_t pad{offset}_[{size}];"
    if member.kind == "string":
        return f"char {member.name}[{size}];"
    return f"{c_name(interface, member.kind, member.enum)} {member.name};"


def _good(interface: str, of: Struct) -> list[str]:
    bad = []
    for offset, member, size in of.placed:
        if member is None:
            continue
        if member.kind == "string":
            bad.append(f"at->{member.name}[{member.most}] != '\\0'")
        elif condition := bad_value(member.kind, member.enum, f"(const uint8_t *)at + {offset}"):
            bad.append(condition)
    head = f"struct {interface}_{of.name}"
    return ["", "/* Is one that was received what it is said to be? */",
            f"static inline bool {interface}_{of.name}_good(const {head} *at)", "{",
            f"\treturn !({' || '.join(bad)});", "}"]


def _clean(interface: str, of: Struct) -> list[str]:
    lines = []
    for offset, member, size in of.placed:
        if member is None:
            lines.append(f"memset(at->pad{offset}_, 0, {size});")
        elif member.kind == "string":
            lines += [f"for (size_t n_ = strnlen(at->{member.name}, {member.most}); n_ < {size}; n_++)",
                      f"\tat->{member.name}[n_] = '\\0';"]
    return ["", "/* Clears what its owner did not set, before it is sent. */",
            f"static inline void {interface}_{of.name}_clean(struct {interface}_{of.name} *at)", "{",
            *(f"\t{line}" for line in lines), "}"]


def _struct(interface: str, of: Struct) -> list[str]:
    head = f"struct {interface}_{of.name}"
    lines = [f"/* {said(of.doc)}. */"] if of.doc else []
    lines += [f"{head} {{", *(f"\t{_member(interface, member, offset, size)}" for offset, member, size in of.placed),
              "};", f'_Static_assert(sizeof({head}) == {of.size}, "no padding but what is named");']
    lines += _good(interface, of) if checked(of) else []
    return lines + (_clean(interface, of) if cleaned(of) else [])


def said(text: str) -> str:
    """A text for people as it can stand in a comment in C."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")


def declaration(interface: str, of: Defined) -> list[str]:
    """The lines of C that define the type."""
    return _enum(interface, of) if isinstance(of, Enum) else _struct(interface, of)
