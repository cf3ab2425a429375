# SPDX-License-Identifier: BSD-2-Clause
"""document: the reference of an interface as Markdown, from its description: methods, arguments, sizes, errors.

Also who speaks it: the components that provide or need it.
"""
from collections.abc import Mapping

from generator import interface_code
from generator.component import Component
from generator.interface import Interface
from generator.interface_code import BUFFERS, Field, Method

KINDS = {"bytes": "up to {0} bytes", "string": "text of up to {0} bytes", "cap": "a capability"}


def _argument(field: Field) -> str:
    kind = KINDS.get(field.kind, field.kind).format(field.most)
    return f"`{field.name}` ({kind})"


def _arguments(fields: tuple[Field, ...]) -> str:
    return ", ".join(map(_argument, fields)) or "nothing"


def _way(method: Method) -> str:
    """How the longest request travels."""
    size = interface_code.most_bytes(method.request)
    registers = size <= 8 * interface_code.REGISTERS and not any(f.kind in (*BUFFERS, "cap") for f in method.request)
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
    lines = [f"# The interface {interface.name}", "", f"{interface.description}.", "",
             f"`#include <interfaces/{interface.name}.h>`: a stub for each method, "
             f"`struct {interface.name}_operations` and `{interface.name}_dispatch` for servers."]
    lines += _users(interface, components)
    for method in interface.methods:
        lines += _method(interface, method)
    errors = [f"`{interface.name.upper()}_ERROR_{word}`" for word in interface.errors]
    lines += ["", "## Errors", "", ", ".join(errors) if errors else "None of its own: those of the kernel's calls."]
    return "\n".join(lines) + "\n"
