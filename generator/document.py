# SPDX-License-Identifier: BSD-2-Clause
"""document: the reference of an interface as Markdown, from its description: methods, arguments, sizes, errors.

Also who speaks it: the components that provide or need it.
"""
from collections.abc import Mapping

from generator import interface_code
from generator.component import Component
from generator.fields import size_text
from generator.interface import Interface
from generator.interface_code import Field, Method
from generator.interface_types import Enum, Struct

KINDS = {"bytes": "up to {0} bytes", "string": "text of up to {0} bytes", "cap": "a capability"}


def _argument(field: Field) -> str:
    kind = KINDS.get(field.kind, field.kind).format(field.most)
    if field.object:
        rights = f" with {', '.join(field.rights)}" if field.rights else ""
        kind = f"a capability: {field.object}{rights}"
    elif field.kind == "buffer":
        kind = f"up to {size_text(field.most)} of memory that is shared, to {' and '.join(field.rights)}"
    elif field.of is not None or field.kind == "array":
        name = field.of.name if field.of is not None else field.element
        kind = f"up to {field.most} of {name}" if field.kind == "array" else name
    return f"`{field.name}` ({kind})"


def _type(interface: Interface, of: Enum | Struct) -> list[str]:
    told = f" {of.doc}." if of.doc else ""
    head = f"{interface.name}_{of.name}"
    if isinstance(of, Enum):
        values = ", ".join(f"`{head.upper()}_{value}` {number}" for number, value in enumerate(of.values))
        return [f"- `enum {head}`: {values}.{told}"]
    kinds = [KINDS.get(m.kind, m.enum.name if m.enum is not None else m.kind).format(m.most) for m in of.members]
    members = ", ".join(f"`{m.name}` ({kind})" for m, kind in zip(of.members, kinds))
    return [f"- `struct {head}`, {of.size} bytes: {members}.{told}"]


def _types(interface: Interface) -> list[str]:
    rows = [line for of in interface.types for line in _type(interface, of)]
    return ["", "## Types", "", *rows] if rows else []


def _arguments(fields: tuple[Field, ...]) -> str:
    return ", ".join(map(_argument, fields)) or "nothing"


def _way(method: Method) -> str:
    """How the longest request travels."""
    size = interface_code.most_bytes(method.request)
    registers = interface_code.in_registers(method.request)
    return f"{size} bytes" + (", in registers" if registers else "")


def _method(interface: Interface, method: Method) -> list[str]:
    name = f"{interface.name}_{method.name}"
    answer = "One-way: nothing comes back." if method.oneway else f"Answers {_arguments(method.reply)}."
    notes = [f"Takes {_arguments(method.request)}. {answer}", f"A request has at most {_way(method)}."]
    if method.idempotent:
        notes.append("Idempotent: said again to a server that was restarted meanwhile.")
    if method.oneway:
        notes.append(f"`{name}_send` does not wait; the connection needs the right `send`.")
    told = [f"{method.doc}.", ""] if method.doc else []
    return ["", f"## {name}, method {method.number}", "", *told, " ".join(notes)]


def _users(interface: Interface, components: Mapping[str, Component]) -> list[str]:
    provide = sorted(n for n, c in components.items() if any(p.interface == interface.name for p in c.provides))
    need = sorted(n for n, c in components.items() if any(k.interface == interface.name for k in c.needs))
    return ["", f"Provided by {', '.join(provide) or 'nobody'}; used by {', '.join(need) or 'nobody'}."]


def markdown(interface: Interface, components: Mapping[str, Component]) -> str:
    """The whole page."""
    version = f" Version {interface.version}." if interface.version > 1 else ""
    lines = [f"# The interface {interface.name}", "", f"{interface.description}.{version}", "",
             f"`#include <interfaces/{interface.name}.h>`: a stub for each method, "
             f"`struct {interface.name}_operations` and `{interface.name}_dispatch` for servers."]
    lines += _users(interface, components) + _types(interface)
    for method in interface.methods:
        lines += _method(interface, method)
    errors = [f"`{interface.name.upper()}_ERROR_{word}`" for word in interface.errors]
    lines += ["", "## Errors", "", ", ".join(errors) if errors else "None of its own: those of the kernel's calls."]
    return "\n".join(lines) + "\n"
