# SPDX-License-Identifier: BSD-2-Clause
"""Reading an interface file: names, the types it defines, arguments. Notes errors and goes on.

    types:
      life: {enum: [RUNNING, WAITING, DEAD]}
      row: {struct: [{name: life, type: life}, {name: restarts, type: u64}, {name: label, type: string, max: 15}]}
"""
import re

from generator.diagnostics import Position, short
from generator.fields import C_WORDS, Reader
from generator.interface_code import BUFFERS, Field
from generator.interface_types import OBJECTS, SCALARS, Defined, Enum, Member, Struct, c_name
from generator.load import Mapping, Node, Scalar, Sequence

MESSAGE_MAX = 256  # TSS_MESSAGE_MAX, TSS_MESSAGE_CAPS; a test compares them with message.h
CAPS_MAX = 4
VALUES_MAX = 256
ERRORS_MAX = 4095  # below TSS_REPLY_METHOD
WORD = re.compile(r"[a-z]([a-z0-9_]{0,22}[a-z0-9])?")
UPPER = re.compile(r"[A-Z]([A-Z0-9_]{0,22}[A-Z0-9])?")
_TAKEN = C_WORDS | frozenset(  # and the names that the generated functions use themselves
    """connection timeout_us state request reply status operations dispatch send memcpy memchr memset strnlen at
    tss""".split())
_BUILT_IN = (*SCALARS, *BUFFERS, "array", "buffer", "cap")
SHARED_MAX = 32 << 20  # bytes: as large as memory can be, MEMORY_PAGES_MAX; a test compares them
_RESERVED = (*_BUILT_IN, "operations", "error", "method", "version")  # no names of types


class InterfaceReader(Reader):
    """What an interface file is made of; `interface` and `types` are known before methods are read."""

    def __init__(self) -> None:
        super().__init__()
        self.interface_name = ""
        self.types: dict[str, Defined] = {}
        self.structs: frozenset[str] = frozenset()  # names of those to come, too
        self.places: dict[str, Position] = {}  # of what becomes names in C, called as C_names calls it

    def word(self, scalar: Scalar, what: str, pattern: re.Pattern[str] = WORD) -> str | None:
        if pattern.fullmatch(scalar.text) and scalar.text not in _TAKEN:
            return scalar.text
        why = "is taken by C or by the generated code" if scalar.text in _TAKEN else "is not a name"
        case = "A-Z 0-9 _" if pattern is UPPER else "a-z 0-9 _"
        self.error("TSS-100", scalar.position, f"{what} {short(scalar.text)} {why}",
                   f"use 1 to 24 characters of {case}, a letter first and no underscore last")
        return None

    def word_of(self, node: Node, what: str, pattern: re.Pattern[str] = WORD) -> str | None:
        scalar = self.text(node, what)
        return self.word(scalar, what, pattern) if scalar else None

    def text_of(self, mapping: Mapping, key: str) -> str:
        node = mapping.get(key)
        scalar = self.text(node, key) if node is not None else None
        return scalar.text if scalar else ""

    # types

    def define(self, node: Node) -> None:
        """`types:`; a struct may use the enums of the file, wherever they stand."""
        mapping = self.mapping(node, "types")
        rows = [(key, m) for key, value in (mapping.entries if mapping else ())
                if (m := self.mapping(value, f"type {short(key.text)}")) is not None and self.type_name(key)]
        self.structs = frozenset(key.text for key, row in rows if row.get("struct") is not None)
        for key, row in rows:
            self.places[f"the type {key.text}"] = key.position
            self.keys(row, "a type", ("enum", "struct", "doc"))
            if (row.get("enum") is None) == (row.get("struct") is None):
                self.error("TSS-107", key.position, f"type {short(key.text)} must be either an enum or a struct",
                           "write `{enum: [A, B]}` or `{struct: [{name: x, type: u64}]}`")
            elif (values := row.get("enum")) is not None:
                self.types[key.text] = Enum(key.text, self.values(values), self.text_of(row, "doc"))
        for key, row in rows:
            if (members := row.get("struct")) is not None and row.get("enum") is None:
                self.types[key.text] = self.struct(key, members, self.text_of(row, "doc"))

    def type_name(self, key: Scalar) -> bool:
        if self.word(key, "type") is None:
            return False
        if key.text in _RESERVED:
            self.error("TSS-107", key.position, f"{short(key.text)} cannot be the name of a type, it has a meaning",
                       "choose another name")
        return key.text not in _RESERVED

    def values(self, node: Node) -> tuple[str, ...]:
        items = self.sequence(node, "enum")
        if isinstance(node, Sequence) and not 1 <= len(items) <= VALUES_MAX:
            self.error("TSS-107", node.position, f"an enum has 1 to {VALUES_MAX} values, not {len(items)}",
                       "leave the type out, or divide it")
        found: list[str] = []
        for item in items:
            value = self.word_of(item, "value", UPPER)
            if value in found:
                self.error("TSS-019", item.position, f"value {short(value or '')} is listed twice")
            elif value is not None:
                found.append(value)
        return tuple(found)

    def struct(self, key: Scalar, node: Node, doc: str) -> Struct:
        found: list[Member] = []
        for item in self.sequence(node, "struct"):
            member = self.member(item)
            if member is not None and member.name in [m.name for m in found]:
                self.error("TSS-103", item.position, f"struct {short(key.text)} has two members {short(member.name)}",
                           "rename one of them")
            elif member is not None:
                found.append(member)
        struct = Struct(key.text, tuple(found), doc)
        if isinstance(node, Sequence) and not node.items:
            self.error("TSS-107", node.position, f"struct {short(key.text)} has no members",
                       "give it one, or leave it out")
        if struct.size > MESSAGE_MAX:
            self.error("TSS-102", node.position, f"struct {short(key.text)} has {struct.size} bytes",
                       f"a message has at most {MESSAGE_MAX}")
        return struct

    def member(self, node: Node) -> Member | None:
        mapping = self.mapping(node, "a member")
        if mapping is None:
            return None
        self.keys(mapping, "a member", ("name", "type", "max"), ("name", "type"))
        enums = {name: one for name, one in self.types.items() if isinstance(one, Enum)}
        name_node, type_node = mapping.get("name"), mapping.get("type")
        name = self.word_of(name_node, "member") if name_node is not None else None
        if isinstance(type_node, Scalar) and type_node.text in self.structs:
            self.error("TSS-107", type_node.position, "a struct cannot be a member of one, neither another nor itself",
                       f"write the members of {short(type_node.text)} here, or make them an argument of their own")
            return None
        kind = self.choice(type_node, "type of a member", (*SCALARS, "string", *enums)) \
            if type_node is not None else None
        size = self.bound(mapping, kind, kind == "string", "a text") if kind else 0
        if not name or not kind:
            return None
        return Member(name, "enum" if kind in enums else kind, size, enums.get(kind))

    def error_names(self, node: Node) -> tuple[str, ...]:
        """`errors:`, numbered from 1."""
        items = self.sequence(node, "errors")
        found: list[str] = []
        for item in items[:ERRORS_MAX]:
            word = self.word_of(item, "error", UPPER)
            if word in found:
                self.error("TSS-019", item.position, f"error {short(word or '')} is listed twice")
            elif word is not None:
                found.append(word)
        if len(items) > ERRORS_MAX:
            self.error("TSS-013", node.position, f"{len(items)} errors are too many",
                       f"an interface has at most {ERRORS_MAX}")
        return tuple(found)

    # arguments

    def bound(self, mapping: Mapping, kind: str, wanted: bool, what: str) -> int:
        """`max`, which stands only where something has a length."""
        node = mapping.get("max")
        size = self.integer(node, "max", 1, MESSAGE_MAX - 8) if node is not None else None
        if wanted and node is None:
            self.error("TSS-011", mapping.position, f'{what} lacks the key "max"', "say how many elements it can have"
                       if what == "an array" else "say how many bytes it can have")
        elif not wanted and node is not None:
            self.error("TSS-010", mapping.key("max").position, f'"max" has no meaning for {short(kind)}', "remove it")
        return size or 0

    def field(self, node: Node) -> Field | None:
        mapping = self.mapping(node, "an argument")
        if mapping is None:
            return None
        self.keys(mapping, "an argument", ("name", "type", "max", "of", "rights"), ("name", "type"))
        name_node, type_node = mapping.get("name"), mapping.get("type")
        name = self.word_of(name_node, "argument") if name_node is not None else None
        kind = self.choice(type_node, "type", (*_BUILT_IN, *self.types)) if type_node is not None else None
        if kind is None:
            return None
        for key, owners in (("of", ("array", "cap")), ("rights", ("buffer", "cap"))):
            if mapping.get(key) is not None and kind not in owners:
                self.error("TSS-010", mapping.key(key).position, f'"{key}" has no meaning for {short(kind)}',
                           "remove it")
        if kind == "buffer":
            return self.shared(mapping, name or "")
        many = kind in BUFFERS or kind == "array"
        most = self.bound(mapping, kind, many, "an array" if kind == "array" else "a buffer")
        if kind == "array":
            return self.array(mapping, name or "", most)
        return self.single(mapping, name, kind, most) if name else None

    def single(self, mapping: Mapping, name: str, kind: str, most: int) -> Field:
        if kind == "cap":
            return Field(name, kind, 0, "cap_t", object=self.named_object(mapping), rights=self.rights(mapping))
        if kind in BUFFERS:
            return Field(name, kind, most, BUFFERS[kind])
        of = self.types.get(kind)
        general = kind if of is None else "enum" if isinstance(of, Enum) else "struct"
        return Field(name, general, 0, c_name(self.interface_name, kind, of), of)

    def array(self, mapping: Mapping, name: str, most: int) -> Field | None:
        node = mapping.get("of")
        if node is None:
            self.error("TSS-011", mapping.position, 'an array lacks the key "of"', "say what its elements are")
            return None
        element = self.choice(node, "type of elements", (*SCALARS, *self.types))
        if element is None or not name:
            return None
        of = self.types.get(element)
        general = element if of is None else "enum" if isinstance(of, Enum) else "struct"
        return Field(name, "array", most, c_name(self.interface_name, element, of), of, general)

    def shared(self, mapping: Mapping, name: str) -> Field | None:
        """A `buffer`: `max` bytes, and what the server does with them."""
        before = len(self.errors)
        self.keys(mapping, "a buffer", ("name", "type", "max", "of", "rights"), ("max", "rights"))
        most_node, rights_node = mapping.get("max"), mapping.get("rights")
        most = self.bytes(most_node, "max", 1, SHARED_MAX) if most_node is not None else None
        rights = self.choices(rights_node, "right", ("read", "write")) if rights_node is not None else None
        if rights is not None and rights_node is not None and "read" not in rights:
            self.error("TSS-109", rights_node.position, "a buffer that is not read",
                       "write `rights: [read]` or `rights: [read, write]`")
        if len(self.errors) > before or not name:
            return None
        return Field(name, "buffer", most or 0, "struct tss_buffer", rights=tuple(sorted(rights or ())))

    def named_object(self, mapping: Mapping) -> str:
        node = mapping.get("of")
        if node is None and mapping.get("rights") is not None:
            self.error("TSS-011", mapping.position, 'rights lack the key "of"', "say what the capability names")
        return self.choice(node, "object", OBJECTS) or "" if node is not None else ""

    def rights(self, mapping: Mapping) -> tuple[str, ...]:
        node, of = mapping.get("rights"), mapping.get("of")
        known = OBJECTS.get(of.text, ()) if isinstance(of, Scalar) else ()
        return self.choices(node, "right", known) or () if node is not None and known else ()
