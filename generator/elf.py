# SPDX-License-Identifier: BSD-2-Clause
"""A component's ELF file -> Image: its segments as they will lie in memory, or what is wrong with them.

The image moves itself (crt0 applies R_X86_64_RELATIVE to the read-write segment), so nothing is patched here.
"""
import io
from dataclasses import dataclass
from typing import Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from generator.diagnostics import Diagnostic, Position

PAGE = 4096
IMAGE_MAX = 1 << 30
KINDS = {5: "text", 4: "rodata", 6: "data"}  # PF_X 1, PF_W 2, PF_R 4
RELATIVE = 8
SECTION_HEADER, SEGMENT_HEADER = 64, 56  # bytes: Elf64_Shdr, Elf64_Phdr


@dataclass(frozen=True)
class Segment:
    kind: str  # text, rodata or data
    address: int  # bytes from the start of the image
    data: bytes
    memory_size: int  # bytes, page multiple


@dataclass(frozen=True)
class Image:
    segments: tuple[Segment, ...]  # sorted by address
    entry: int  # bytes from the start of the image
    calls: frozenset[int] = frozenset()  # numbers of the system calls that its stubs make
    interfaces: frozenset[str] = frozenset()  # "name version fingerprint" of those that it was compiled with


def pages(size: int) -> int:
    return (size + PAGE - 1) // PAGE


def _segments(elf: Any, position: Position) -> tuple[list[tuple[Any, str]], list[Diagnostic]]:
    """The loadable segments with their kind, and what is wrong with their shape."""
    errors: list[Diagnostic] = []
    found: list[tuple[Any, str]] = []
    for segment in (s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD" and s["p_memsz"]):
        flags = segment["p_flags"]
        name = "".join(letter if flags & bit else "-" for letter, bit in (("R", 4), ("W", 2), ("X", 1)))
        where = f"segment {name} at {segment['p_vaddr']:#x}"
        if flags & 3 == 3:
            errors.append(Diagnostic("TSS-062", position, f"{where} is writable and executable",
                                     "use components/lib's linker script"))
            continue
        kind = KINDS.get(flags, "")
        problem = ("is none of R-X, R-- and RW-" if not kind else
                   "is the second of its kind" if any(kind == k for _, k in found) else
                   "does not start at a page boundary" if segment["p_vaddr"] % PAGE else
                   "is larger in the file than in memory" if segment["p_filesz"] > segment["p_memsz"] else
                   "ends past the end of the file" if len(segment.data()) != segment["p_filesz"] else
                   "has no contents" if kind != "data" and pages(segment["p_filesz"]) != pages(segment["p_memsz"]) else
                   "")
        if problem:
            errors.append(Diagnostic("TSS-063", position, f"{where} {problem}", "use components/lib's linker script"))
        else:
            found.append((segment, kind))
    return found, errors


def _overlaps(found: list[tuple[Any, str]], position: Position) -> list[Diagnostic]:
    order = sorted((s["p_vaddr"], s["p_vaddr"] + pages(s["p_memsz"]) * PAGE, k) for s, k in found)
    hint = "use components/lib's linker script"
    errors = [Diagnostic("TSS-063", position, f"segments {a[2]} and {b[2]} share a page", hint)
              for a, b in zip(order, order[1:]) if b[0] < a[1]]
    if order and order[-1][1] - order[0][0] > IMAGE_MAX:
        errors.append(Diagnostic("TSS-063", position, "the image spans more than 1 GiB", hint))
    return errors


def tables(elf: Any) -> list[Any]:
    """All tables of relocations that stay in the finished image."""
    found = [s for s in elf.iter_sections() if isinstance(s, RelocationSection) and s["sh_flags"] & 2]
    return found + [t for s in elf.iter_segments() if isinstance(s, DynamicSegment)
                    for t in s.get_relocation_tables().values()]


def _relocations(elf: Any, found: list[tuple[Any, str]], position: Position) -> list[Diagnostic]:
    """Each relocation must be RELATIVE and lie whole in the read-write segment; the first of each kind is told."""
    ranges = [(s["p_vaddr"], s["p_vaddr"] + s["p_memsz"] - 8) for s, k in found if k == "data"]
    errors: dict[str, Diagnostic] = {}
    for table in tables(elf):
        for relocation in table.iter_relocations():
            offset, kind = relocation["r_offset"], relocation["r_info_type"]
            problem = (f"relocation type {kind} at {offset:#x} is not R_X86_64_RELATIVE" if kind != RELATIVE else
                       "" if any(low <= offset <= high for low, high in ranges) else
                       f"relocation at {offset:#x} lies outside the read-write segment")
            if problem:
                errors.setdefault(str(kind), Diagnostic(
                    "TSS-061", position, problem, "build with -fPIE and hidden visibility, link with -static-pie"))
    return list(errors.values())


def _calls(elf: Any) -> frozenset[int]:
    """What the marks of system calls say (components/lib, TSS_SYSCALL_MARKED)."""
    section = elf.get_section_by_name(".tessera.calls")
    data = section.data() if section is not None else b""
    return frozenset(int.from_bytes(data[at:at + 2], "little") for at in range(0, len(data) - 1, 2))


def _interfaces(elf: Any) -> frozenset[str]:
    """What the marks of interfaces say (generator/templates/interface.h.j2)."""
    section = elf.get_section_by_name(".tessera.interfaces")
    marks = section.data().decode("ascii", "replace").split("\0") if section is not None else []
    return frozenset(mark for mark in marks if len(mark.split()) == 3)


def _headers(elf: Any, size: int, position: Position) -> list[Diagnostic]:
    """The tables of headers must fit the file: the library would read what is not there one by one, for ever."""
    found = (("sections", elf.num_sections(), elf["e_shentsize"], SECTION_HEADER),
             ("segments", elf.num_segments(), elf["e_phentsize"], SEGMENT_HEADER))
    return [Diagnostic("TSS-060", position, f"names {count} {what} of {entry} bytes, for which it has no room",
                       "build it again")
            for what, count, entry, wanted in found if count and (entry != wanted or count * entry > size)]


def _read(elf: Any, size: int, position: Position) -> tuple[Image | None, list[Diagnostic]]:
    if elf["e_machine"] != "EM_X86_64" or elf.elfclass != 64 or elf["e_type"] != "ET_DYN":
        return None, [Diagnostic("TSS-060", position, f"is {elf['e_type']} for {elf['e_machine']}, not a "
                                 "position-independent x86-64 executable", "link with -static-pie")]
    if unreadable := _headers(elf, size, position):
        return None, unreadable
    found, errors = _segments(elf, position)
    errors += _overlaps(found, position) + _relocations(elf, found, position)
    start = min((s["p_vaddr"] for s, _ in found), default=0)
    entry = elf["e_entry"]
    if not errors and not any(k == "text" and s["p_vaddr"] <= entry < s["p_vaddr"] + s["p_memsz"] for s, k in found):
        errors.append(Diagnostic("TSS-064", position, f"the entry point {entry:#x} is not in the executable segment",
                                 "name it with ENTRY(_start) in the linker script"))
    segments = sorted((Segment(k, s["p_vaddr"] - start, bytes(s.data()), pages(s["p_memsz"]) * PAGE)
                       for s, k in found), key=lambda s: s.address)
    return Image(tuple(segments), entry - start, _calls(elf), _interfaces(elf)), errors


def read_image(data: bytes, path: str) -> tuple[Image | None, list[Diagnostic]]:
    """The image in the ELF file `data`, called `path` in messages."""
    position = Position(path)
    try:
        return _read(ELFFile(io.BytesIO(data)), len(data), position)
    except Exception as error:  # the library meets damaged files with whatever breaks first, recursion included
        reason = " ".join(str(error).split()) or type(error).__name__
        return None, [Diagnostic("TSS-060", position, f"cannot be read as ELF: {reason}", "build it again")]
