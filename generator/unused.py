# SPDX-License-Identifier: BSD-2-Clause
"""Authority that a component asks for in component.yaml and that its sources never name is an error: TSS-044.

The sources are those beside component.yaml, comments included: what is used by number is named in one. Slots have
macros (slots.h); the rest is named by the ABI. Reply objects stand for their port.
"""
import re
from collections.abc import Iterator

from generator.component import Component
from generator.diagnostics import Diagnostic, Position
from generator.inputs import Inputs
from generator.slots import upper


def _asked(component: Component) -> Iterator[tuple[str, Position, str]]:
    """(what it asks for, where, pattern of what names it in C)."""
    places = {("port", p.name): p.position for p in component.provides}
    places |= {("connection", n.name): n.position for n in component.needs}
    places |= {("device", d.name): d.position for d in component.devices}
    for slot in component.layout.slots:
        if slot.kind != "reply":
            mapped = {"device": f"|ADDRESS_{upper(slot.name)}", "parameters": "|PARAMETERS",
                      "mailbox": f"|MAILBOX_{upper(slot.name)}",
                      "file": f"|FILE_{upper(slot.name)}"}.get(slot.kind, "")
            yield (f"the {slot.kind} {slot.name}", places.get((slot.kind, slot.name), component.position),
                   slot.macro + mapped)
    if component.system:
        yield f"system rights ({', '.join(component.system)})", component.position, "TSS_SLOT_SYSTEM"
    if component.own_unit:
        yield "its own unit (`self: true`)", component.position, "TSS_SLOT_UNIT"
    if component.directory:
        yield "a directory", component.position, "TSS_LAYOUT_DIRECTORY"


def source_words(component: str, inputs: Inputs) -> frozenset[str]:
    """All words in the component's sources."""
    files = sorted(inputs.components[component].file.parent.glob("*.[chS]"))
    return frozenset(word for path in files
                     for word in re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace")))


def unnamed_threads(component: Component, inputs: Inputs) -> list[Diagnostic]:
    """The error if the component starts threads and does not say what stacks they have; init starts others' alone."""
    files = inputs.components[component.name].file.parent.glob("*.c")
    starts = any("tss_thread_start(" in path.read_text(encoding="utf-8", errors="replace") for path in files)
    if component.name == "init" or component.stacks.threads or not starts:
        return []
    return [Diagnostic("TSS-095", component.position, f"{component.name} starts threads, but does not say what stacks "
                       "they have", "write `stacks: {threads: {FUNCTION: BYTES}}`, the function in which they begin")]


def unused(component: Component, inputs: Inputs) -> list[Diagnostic]:
    """One error for each thing that no source names; none for a component without sources (it cannot be built)."""
    files = sorted(inputs.components[component.name].file.parent.glob("*.[chS]"))
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    return [Diagnostic("TSS-044", position, f"unused grant: {component.name} asks for {what} and never uses it",
                       f"its sources do not name {pattern.partition('|')[0]}; remove it from component.yaml")
            for what, position, pattern in _asked(component) if text and not re.search(rf"\b(?:{pattern})\b", text)]
