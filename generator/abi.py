# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's contract as Python sees it: rows from the preprocessor, constants from the compiler.

Nothing here guesses at C: a tiny file defines each row macro to something that reads as a Python literal and
includes the tables; another has the compiler print the value of each constant into its assembly.
"""
import ast
import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from generator.diagnostics import Diagnostic, Position, Refused

_ROWS = """
#define SYSCALL(number, object, type, verb, right, argc, form, text) \
("SYSCALL", number, #object, #type, #verb, #right, argc, #form, text),
#define ERROR(code, name, text) ("ERROR", code, #name, text),
#define RIGHT(bit, name, letter, text) ("RIGHT", bit, #name, text),
#define OBJECT(number, name, lower, rights, text) ("OBJECT", number, #name, text),
#define FAULT(number, name, text) ("FAULT", number, #name, text),
#define TRACE_CATEGORY(bit, name, lower, text) ("CATEGORY", bit, #lower, text),
#define TRACE_EVENT(number, name, category, arguments, text) \
("EVENT", number, #name, #category, arguments, text),
#include "syscalls.def"
#include "errors.def"
#include "rights.def"
#include "objects.def"
#include "faults.def"
#include "trace.def"
"""

COMPILER_S = 60  # a second on a slow machine
_TABLE = "../../../components/lib/include/tessera/table.h"  # from kernel/include/abi

CONSTANTS = """
TSS_ABI_VERSION TSS_SLOTS_MAX TSS_SLOT_UNIT TSS_SLOT_THREAD TSS_SLOT_SCHED TSS_SLOT_TEXT TSS_SLOT_RODATA TSS_SLOT_DATA
TSS_SLOT_STACK TSS_SLOT_HEAP TSS_SLOT_DIRECTORY TSS_SLOT_SYSTEM TSS_SLOT_BUNDLE TSS_SLOT_FIRST TSS_PAGE_SIZE
TSS_NAME_SIZE TSS_BUNDLE_SECTIONS_MAX TSS_SECTION_TABLE TSS_SECTION_SEGMENT TSS_SECTION_DIRECTORY TSS_SECTION_READ
TSS_SECTION_WRITE TSS_SECTION_EXECUTE TSS_SECTION_INIT TSS_TABLE_MAGIC TSS_TABLE_DUMP TSS_INSTANCE_VECTORS
TSS_INSTANCE_MOVES
TSS_MEMORY_MAPPED TSS_MEMORY_COPIED TSS_MEMORY_ZERO TSS_MEMORY_DEVICE TSS_MEMORY_FIRMWARE TSS_LAYOUT_IMAGE
TSS_MEMORY_SECTIONS TSS_LAYOUT_IMAGES
TSS_LAYOUT_HEAP TSS_LAYOUT_DIRECTORY TSS_LAYOUT_STACK_TOP TSS_LAYOUT_IPC_PAGE TSS_LAYOUT_BUNDLE
TSS_INIT_STACK_PAGES TSS_INIT_PRIORITY TSS_TYPE_UNIT TSS_TYPE_THREAD TSS_TYPE_SCHED TSS_TYPE_PORT TSS_TYPE_CONNECTION
TSS_TYPE_REPLY TSS_TYPE_EVENT TSS_TYPE_MEMORY TSS_TYPE_IRQ TSS_TYPE_IOPORT TSS_TYPE_SYSTEM TSS_FIRMWARE_FACTS
TSS_FIRMWARE_FRAMEBUFFER TSS_FIRMWARE_DSDT TSS_FIRMWARE_PM1A TSS_FIRMWARE_PM1B TSS_FIRMWARE_SMI TSS_FIRMWARE_RESET
TSS_LAYOUT_PAGED
""".split()


@dataclass(frozen=True)
class Call:
    """A row of syscalls.def."""

    number: int
    object: str
    type: str
    verb: str
    right: str
    argc: int
    form: str
    text: str

    @property
    def arguments(self) -> list[str]:
        """Argument names: the text's leading "(a, b)", or argument1, argument2..."""
        match = re.match(r"\(([^)]*)\)", self.text)
        names = [re.sub(r"\W+", "_", n.strip()) for n in match[1].split(",")] if match and match[1].strip() else []
        return names if len(names) == self.argc else [f"argument{i + 1}" for i in range(self.argc)]

    @property
    def has_value(self) -> bool:
        return "value:" in self.text


@dataclass(frozen=True)
class Event:
    """A row of trace.def; `arguments` are the words that are used, in order."""

    number: int
    name: str
    category: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Abi:
    calls: tuple[Call, ...]
    errors: tuple[tuple[int, str, str], ...]
    rights: tuple[tuple[int, str], ...]  # bit, name
    types: tuple[tuple[int, str], ...]
    faults: tuple[tuple[int, str, str], ...]
    constants: tuple[tuple[str, int], ...]
    events: tuple[Event, ...] = ()
    texts: tuple[tuple[str, str, str], ...] = ()  # kind in lower case, name, what the row says of it

    def __getitem__(self, name: str) -> int:
        return dict(self.constants)[name]

    def right(self, name: str) -> int:
        return next(1 << bit for bit, right in self.rights if right == name)

    def right_names(self, mask: int) -> list[str]:
        return [name for bit, name in self.rights if mask >> bit & 1]

    def type_name(self, number: int) -> str:
        return dict(self.types)[number]


def _event(number: int, name: str, category: str, arguments: str, _: str) -> Event:
    return Event(number, name, category.lower(), tuple(arguments.split()))


def _compile(include: Path, arguments: list[str], source: str) -> str:
    compiler = os.environ.get("HOSTCC", "gcc")
    command = [compiler, "-std=gnu2x", f"-I{include}", f"-I{include.parent}", "-x", "c", *arguments, "-o", "-", "-"]
    try:
        result = subprocess.run(command, input=source, capture_output=True, encoding="utf-8", errors="replace",
                                check=False, timeout=COMPILER_S)
    except subprocess.TimeoutExpired:
        raise Refused([Diagnostic("TSS-080", Position(str(include)), f"the compiler did not end in {COMPILER_S} s",
                                  "is one of these headers a pipe?")]) from None
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position(compiler), f"cannot be run: {error.strerror}",
                                  "run `make setup`, or name a C compiler in HOSTCC")]) from None
    if result.returncode:
        lines = result.stderr.splitlines()
        first = next((line for line in lines if "error" in line), "no message")
        raise Refused([Diagnostic("TSS-080", Position(str(include)), f"the ABI headers do not compile: {first}")])
    return result.stdout


def _rows(include: Path) -> dict[str, list[tuple[object, ...]]]:
    """The rows of all tables, by the macro's name."""
    output = _compile(include, ["-E", "-P"], _ROWS)
    found: dict[str, list[tuple[object, ...]]] = {kind: [] for kind in re.findall(r'^.*\("([A-Z]+)",', _ROWS, re.M)}
    try:
        for row in ast.literal_eval("[" + output.replace("\n", " ") + "]"):
            found[row[0]].append(row[1:])
    except (ValueError, SyntaxError, TypeError, LookupError):
        raise Refused([Diagnostic("TSS-080", Position(str(include)), "its tables have lines that are no rows",
                                  "a row is such as ERROR(1, NAME, \"text\")")]) from None
    return found


@functools.lru_cache(maxsize=16)
def read_abi(include: Path) -> Abi:
    """The tables and constants under `include` (kernel/include/abi)."""
    by_kind = _rows(include)
    probes = "\n".join(f'__asm__("\\n@@{n} %0" : : "i"((long long){n}));' for n in CONSTANTS)
    assembly = _compile(include, ["-S", "-O1"],
                        f'#include "abi.h"\n#include "{_TABLE}"\nvoid p(void);\nvoid p(void)\n{{\n{probes}\n}}\n')
    constants = tuple((m[1], int(m[2])) for m in re.finditer(r"^@@(\w+) \$?(-?\d+)", assembly, re.MULTILINE))
    return Abi(tuple(Call(*r) for r in by_kind["SYSCALL"]),  # type: ignore[arg-type]
               tuple(by_kind["ERROR"]),  # type: ignore[arg-type]
               tuple((r[0], r[1]) for r in by_kind["RIGHT"]),  # type: ignore[misc]
               tuple((r[0], r[1]) for r in by_kind["OBJECT"]),  # type: ignore[misc]
               tuple(by_kind["FAULT"]), constants,  # type: ignore[arg-type]
               tuple(_event(*r) for r in by_kind["EVENT"]),  # type: ignore[arg-type]
               tuple((kind.lower(), str(r[1]), str(r[-1])) for kind in by_kind if kind != "SYSCALL"
                     for r in by_kind[kind]))
