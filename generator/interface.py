# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces: components/interfaces/<name>.yaml -> <name>.h with typed client stubs and a dispatcher.

Wire format of a request or a reply: each scalar or enum is one 64-bit word in file order, then one length word for each
text and array, then the structs, then the texts, bytes and arrays, each padded to 8 bytes with zeros. Capabilities take
the capability places in file order. A buffer is memory that is shared: two words (offset, size) and a capability.
The message type is the method's number in a request, 0 or the interface's error in a reply.
"""
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator import interface_code, interface_types
from generator.diagnostics import Diagnostic, Note, Position, Refused, short
from generator.interface_code import Field, Method
from generator.interface_reader import CAPS_MAX, MESSAGE_MAX, InterfaceReader
from generator.interface_types import Defined, Enum
from generator.load import Mapping, Node, Scalar, load

METHODS_MAX = 63
VERSIONS = (1, 65535)

CODES: dict[str, tuple[str, str]] = {
    "TSS-100": ("a word that generated C cannot use",
                "Interfaces, methods, arguments, errors and parameters become names in C. They are lower case (errors "
                "upper case), do not end in an underscore, and are neither words of C nor names the generated code "
                "needs."),
    "TSS-101": ("a method number is used twice",
                "The number is the method's name on the wire and a bit of the connection's method bitmap."),
    "TSS-102": ("a message does not fit",
                "A request or reply has at most 256 bytes: 8 for each scalar, 8 for each length of bytes, texts and "
                "arrays, these padded to 8; and at most 4 capabilities. A buffer that is shared is 16 bytes and a "
                "capability."),
    "TSS-103": ("two arguments have one name", "Request and reply arguments are parameters of one C function."),
    "TSS-104": ("a reply with several arrays",
                "A server writes bytes, a text or an array where it is sent from, so a reply has one at most."),
    "TSS-105": ("a one-way method with a reply", "`oneway: true` is for methods whose reply carries nothing."),
    "TSS-106": ("an interface file of another name", "components/interfaces/x.yaml describes the interface x."),
    "TSS-107": ("a type that cannot be",
                "`types:` of an interface defines enums (1 to 256 values, numbered from 0) and structs (of scalars, "
                "enums and texts). Their names are none of those that the language or the generated code has."),
    "TSS-108": ("two things with one name in C",
                "Names in C are made of the interface's name and others, joined by underscores: the method `m` of `a` "
                "is a_m and, if it is one-way, a_m_send; its server has a_m_serve and a_m_reply. So what is called "
                "differently here may be called the same there, within an interface or between two."),
    "TSS-109": ("a buffer that cannot be shared",
                "A `buffer` is the client's memory, for as long as its request takes: it stands in requests, and is "
                "read, or read and written, by the server."),
}


class InterfaceError(Refused, ValueError):
    """Everything that is wrong with the interface files, each with its place."""


@dataclass(frozen=True)
class Interface:
    name: str
    description: str
    methods: tuple[Method, ...]
    errors: tuple[str, ...]
    version: int = 1
    types: tuple[Defined, ...] = ()  # enums first, else in file order
    places: dict[str, Position] = field(default_factory=dict, repr=False, compare=False)  # of "the method x" and so on

    @property
    def fingerprint(self) -> str:
        """Of all that two sides must agree on; texts for people do not count."""
        wire = (self.methods, self.errors, self.version, self.types)
        return blake2b(repr(wire).encode(), digest_size=4).hexdigest()

    @property
    def carriers(self) -> frozenset[str]:
        """The methods whose requests or replies carry memory; what a `cap` without `of` carries is not known."""
        return frozenset(m.name for m in self.methods for cap in interface_code.caps((*m.request, *m.reply))
                         if cap.object == "memory")


def c_names(interface: Interface) -> Iterator[tuple[str, str]]:
    """The names in C that are made of several words, and what each is made for."""
    lower, upper = interface.name, interface.name.upper()
    for method in interface.methods:
        made = interface_code.code(lower, method)
        names = [*made.stubs, f"{lower}_{method.name}_serve", f"{lower}_{method.name}_reply",
                 f"{upper}_METHOD_{method.name.upper()}", *(f"{upper}_{name}" for name, _ in made.maxima)]
        yield from ((name, f"the method {method.name}") for name in names)
    for one in interface.types:
        names = [f"{upper}_{one.name.upper()}_{value}" for value in one.values] if isinstance(one, Enum) else \
            [f"{lower}_{one.name}_good", f"{lower}_{one.name}_clean"]
        yield from ((name, f"the type {one.name}") for name in (*names, f"enum or struct {lower}_{one.name}"))
    names = [f"{lower}_dispatch", f"enum or struct {lower}_operations"]
    yield from ((name, f"the interface {lower}") for name in names)


def collisions(interfaces: Sequence[Interface]) -> list[Diagnostic]:
    """Names that two things of one interface, or of two, would both have; one for each two things."""
    seen: dict[str, tuple[Interface, str]] = {}
    found: dict[tuple[Position, Position], Diagnostic] = {}
    for one in interfaces:
        for name, what in c_names(one):
            other, before = seen.setdefault(name, (one, what))
            place, first = one.places.get(what), other.places.get(before)
            if (one is not other or what != before) and place is not None and first is not None:
                whose = f" of {other.name}" * (one is not other and not before.startswith("the interface"))
                found.setdefault((place, first), Diagnostic(
                    "TSS-108", place, f"{what} and {before}{whose} would both be {name} in C", "rename one of them",
                    (Note(first),)))
    return list(found.values())


class _InterfaceReader(InterfaceReader):
    """Reads one interface file."""

    def fields(self, method: Mapping, key: str) -> tuple[Field, ...]:
        node = method.get(key)
        if node is None:
            return ()
        found = tuple(f for f in map(self.field, self.sequence(node, key)) if f is not None)
        size = interface_code.most_bytes(found)
        caps = len(interface_code.caps(found))
        if size > MESSAGE_MAX or caps > CAPS_MAX:
            self.error("TSS-102", node.position, f"the {key} can have {size} bytes and {caps} capabilities",
                       f"a message has at most {MESSAGE_MAX} bytes and {CAPS_MAX} capabilities")
        if key == "reply" and len(interface_code.variable(found)) > 1:
            self.error("TSS-104", node.position, "a reply has at most one of bytes, string and array",
                       "make two methods of it, or a struct with texts")
        if key == "reply" and interface_code.shared(found):
            self.error("TSS-109", node.position, "a reply shares no buffer", "let the client share one that the server "
                       "writes, or reply with a `cap` of memory")
        return found

    def check_method(self, method: Method, place: Position) -> None:
        seen: set[str] = set()
        for name in (n for f in (*method.request, *method.reply) for n in interface_code.parameter_names(f)):
            if name in seen:
                self.error("TSS-103", place, f"method {short(method.name)} has two arguments that need the C name "
                           f"{short(name)}", "rename one of them")
            seen.add(name)
        if method.oneway and method.reply:
            self.error("TSS-105", place, f"method {short(method.name)} is one-way, but has a reply",
                       "remove `oneway: true` or `reply:`")

    def method(self, key: Scalar, node: Node) -> Method | None:
        mapping = self.mapping(node, f"method {short(key.text)}")
        name = self.word(key, "method")
        if mapping is None:
            return None
        self.keys(mapping, f"method {short(key.text)}", ("number", "doc", "request", "reply", "oneway", "idempotent"),
                  ("number",))
        number_node, oneway_node, again_node = (mapping.get(k) for k in ("number", "oneway", "idempotent"))
        number = self.integer(number_node, "number", 1, METHODS_MAX) if number_node is not None else None
        oneway = self.boolean(oneway_node, "oneway") if oneway_node is not None else False
        again = self.boolean(again_node, "idempotent") if again_node is not None else False
        self.places[f"the method {key.text}"] = key.position
        method = Method(name or "", number or 0, self.text_of(mapping, "doc"), bool(oneway), bool(again),
                        self.fields(mapping, "request"), self.fields(mapping, "reply"))
        self.check_method(method, key.position)
        return method if name and number else None

    def methods(self, root: Mapping) -> tuple[Method, ...]:
        node = root.get("methods")
        mapping = self.mapping(node, "methods") if node is not None else None
        found: dict[int, Method] = {}
        for key, value in mapping.entries if mapping else ():
            method = self.method(key, value)
            if method is not None and method.number in found:
                other = found[method.number].name
                self.error("TSS-101", key.position, f"method {short(method.name)} has the number {method.number} of "
                           f"{short(other)}", "give each method a number of its own, 1 to 63")
            elif method is not None:
                found[method.number] = method
        return tuple(found[number] for number in sorted(found))

    def interface(self, root: Mapping, stem: str) -> Interface:
        self.keys(root, "an interface", ("interface", "description", "version", "types", "methods", "errors"),
                  ("interface", "methods"))
        node, errors, version, types = (root.get(key) for key in ("interface", "errors", "version", "types"))
        name = self.word_of(node, "interface") if node is not None else None
        if node is not None and name and name != stem:
            self.error("TSS-106", node.position, f"interface {short(name)} is described in {stem}.yaml",
                       f"rename the file to {name}.yaml")
        self.interface_name = name or stem
        self.places[f"the interface {self.interface_name}"] = node.position if node is not None else root.position
        if types is not None:
            self.define(types)
        words = self.error_names(errors) if errors is not None else ()
        number = self.integer(version, "version", *VERSIONS) if version is not None else 1
        found = Interface(name or "", self.text_of(root, "description"), self.methods(root), words, number or 1,
                          tuple(self.types.values()), self.places)
        self.errors += collisions([found])
        return found


def _shown(path: Path) -> str:
    """The path as messages print it: from the tree's root if it lies where interfaces do."""
    return "/".join(path.parts[-3:]) if path.parts[-3:-1] == ("components", "interfaces") else str(path)


def read_interface(data: bytes, path: str) -> tuple[Interface, list[Diagnostic]]:
    """The interface in one file, and the errors in it; without errors the interface is complete."""
    root, errors = load(data, path)
    reader = _InterfaceReader()
    interface = reader.interface(root, Path(path).stem)
    return interface, [*errors, *reader.errors]


def render(interface: Interface) -> str:
    """The header of one interface."""
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), trim_blocks=True,
                              lstrip_blocks=True, undefined=StrictUndefined, keep_trailing_newline=True)
    methods = [interface_code.code(interface.name, method) for method in interface.methods]
    text: str = environment.get_template("interface.h.j2").render(
        interface=interface, upper=interface.name.upper(), methods=methods,
        description=interface_types.said(interface.description),
        types=[interface_types.declaration(interface.name, one) for one in interface.types],
        shares=any(interface_code.shared(method.request) for method in interface.methods))
    return text


def generate(files: Sequence[Path]) -> dict[str, str]:
    """Header name -> contents; raises InterfaceError with everything that is wrong in any of the files."""
    errors: list[Diagnostic] = []
    good: list[Interface] = []
    for path in sorted(files):
        try:
            interface, more = read_interface(path.read_bytes(), _shown(path))
        except Refused as refused:
            errors += refused.diagnostics
            continue
        errors += more
        if not more:
            good.append(interface)
    errors += collisions(good) if not errors else []
    if errors:
        raise InterfaceError(errors)
    return {f"{interface.name}.h": render(interface) for interface in good}
