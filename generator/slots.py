# SPDX-License-Identifier: BSD-2-Clause
"""Which capability slot holds what, worked out from component.yaml alone, and the slots.h that says so to C.

From SLOT_FIRST up, in file order: for each provided interface its port and then its reply objects, for each needed
interface its connection, for each device, for each event, then the page of parameters, the memory of each mailbox, and
each file. One layout serves every instance of a component.
"""
import re
from collections import Counter
from dataclasses import dataclass

SLOT_FIRST = 16  # TSS_SLOT_FIRST; a test compares it with abi.h
WINDOW_BASE = 0x300000000  # device memory is mapped here, one window for each mmio device of the component
WINDOW_SIZE = 0x1000000
MAILBOX_BASE = 0x290000000  # the queue of each provided mailbox is mapped here, one after the other
MAILBOX_SIZE = 0x100000
MAILBOX_ENTRIES = 15  # TSS_MAILBOX_PER_PAGE; a test compares it with mailbox.h


@dataclass(frozen=True)
class Slot:
    """One planned slot. kind: port, reply, connection, device, event, parameters, mailbox, file; name: as declared."""

    number: int
    kind: str
    name: str
    macro: str
    index: int = 0  # of a reply


@dataclass(frozen=True)
class Layout:
    slots: tuple[Slot, ...]
    replies: tuple[tuple[str, int], ...]  # provided interface -> number of reply objects

    @property
    def end(self) -> int:
        """First slot after the planned ones."""
        return SLOT_FIRST + len(self.slots)

    def find(self, kind: str, name: str, index: int = 0) -> Slot:
        return next(s for s in self.slots if (s.kind, s.name, s.index) == (kind, name, index))

    def connection(self, name: str) -> Slot:
        """Of a need, or of a device that is one."""
        return next(s for s in self.slots if s.kind in ("connection", "device") and s.name == name)


def upper(name: str) -> str:
    return name.upper().replace("-", "_")


def layout(provides: list[tuple[str, int]], needs: list[str], devices: list[str], events: list[str],
           parameters: bool = False, mailboxes: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> Layout:
    """The rule above; `provides` gives each name with its number of reply objects, `mailboxes` those that are one."""
    rows: list[tuple[str, str, str, int]] = []
    for name, replies in provides:
        rows.append(("port", name, f"SLOT_PORT_{upper(name)}", 0))
        rows += [("reply", name, f"SLOT_REPLY_{upper(name)}_{i}", i) for i in range(replies)]
    rows += [("connection", name, f"SLOT_{upper(name)}", 0) for name in needs]
    rows += [("device", name, f"SLOT_{upper(name)}", 0) for name in devices]
    rows += [("event", name, f"SLOT_EVENT_{upper(name)}", 0) for name in events]
    rows += [("parameters", "parameters", "SLOT_PARAMETERS", 0)] if parameters else []
    rows += [("mailbox", name, f"SLOT_MAILBOX_{upper(name)}", 0) for name in mailboxes]
    rows += [("file", name, f"SLOT_FILE_{upper(name)}", 0) for name in files]
    slots = tuple(Slot(SLOT_FIRST + i, kind, name, macro, index)
                  for i, (kind, name, macro, index) in enumerate(rows))
    return Layout(slots, tuple(provides))


def mailbox_pages(depth: int) -> int:
    """TSS_MAILBOX_PAGES: the header, and the entries."""
    return 1 + -(-depth // MAILBOX_ENTRIES)


def mailbox_lines(mailboxes: list[tuple[str, int]]) -> list[str]:
    """Lines of slots.h: where the queue of each mailbox is, and how many messages it holds."""
    return [line for i, (name, depth) in enumerate(mailboxes) for line in (
        f"#define MAILBOX_{upper(name)} ((void *){MAILBOX_BASE + i * MAILBOX_SIZE:#x}ull)",
        f"#define DEPTH_{upper(name)} {depth}u")]


def collisions(planned: Layout) -> list[tuple[Slot, Slot]]:
    """Pairs of slots that would have one macro name."""
    seen: dict[str, Slot] = {}
    return [(first, slot) for slot in planned.slots if (first := seen.setdefault(slot.macro, slot)) is not slot]


def header(component: str, planned: Layout, windows: list[tuple[str, int]], more: list[str]) -> str:
    """slots.h; `windows` has name and pages of each mmio device in file order, `more` further lines."""
    lines = ["/* SPDX-License-Identifier: BSD-2-Clause */",
             f"/* slots.h - made from components/{component}/component.yaml by `tessera stubs`; do not edit. */",
             "#pragma once", ""]
    lines += [f"#define {slot.macro} {slot.number}u" for slot in planned.slots]
    lines += [f"#define REPLIES_{upper(name)} {count}u" for name, count in planned.replies]
    lines += [f"#define ADDRESS_{upper(name)} {WINDOW_BASE + i * WINDOW_SIZE:#x}ull"
              for i, (name, _) in enumerate(windows)]
    lines += [f"#define {upper(name)}_PAGES {pages}ull" for name, pages in windows]
    lines += [f"#define SLOTS_END {planned.end}u", *more]
    return "\n".join(lines) + "\n"


def defined_twice(text: str) -> list[str]:
    """Names that a header defines more than once."""
    names = re.findall(r"^#define (\w+)", text, re.MULTILINE)
    return [name for name, count in Counter(names).items() if count > 1]


def granted(component: str, called: list[tuple[int, int]]) -> str:
    """granted.h, by which calling any other method through these slots does not compile: slot, methods as bits."""
    lines = ["/* SPDX-License-Identifier: BSD-2-Clause */",
             f"/* granted.h - made from components/{component}/component.yaml by `tessera stubs`; do not edit. */",
             "#pragma once"]
    if called:
        rows = "".join(f"(slot_) == {slot} ? {bits:#x}ull : " for slot, bits in called)
        lines += ["", f"#define TSS_SLOT_METHODS(slot_) ({rows}~0ull)"]
    return "\n".join(lines) + "\n"
