# SPDX-License-Identifier: BSD-2-Clause
"""Where the guest's instructions go: counted by function between two marks, under the clock of `make bench`.

    tests/bench/profile.py                              the demo, from the kernel's entry to the prompt
    tests/bench/profile.py --to init:_start             to init's first instruction
    tests/bench/profile.py --system bench --from bench:rows_ipc --to bench:rows_schedule
    tests/bench/profile.py --system bench --from kernel:arch_syscall_entry:600 --to kernel:arch_syscall_entry:2
                                                        one system call and the way to the next
    tests/bench/profile.py --list init:main             each instruction of one function too, with its source line

A mark is MODULE:SYMBOL or MODULE:SYMBOL:N, the N-th time it is reached, from the first mark on for the second; a module
is `kernel` or a component. The plugin lib/profile.c counts; code that the compiler put into another function counts as
that function's. An instruction that faults counts each time it is tried.
"""
from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from elftools.elf.elffile import ELFFile  # noqa: E402

from lib import plugins  # noqa: E402
from lib.images import image  # noqa: E402
from lib.symbols import KERNEL_BASE, Symbols  # noqa: E402
from lib.vm import PROMPT, VM, output_folder, primary_clock  # noqa: E402

PAGE = 4096
CODE_BYTES = 64
MARK_TIMEOUT_S = 300
SETTLE_S = 0.3
ENTRY = "kernel:boot_entry"
BUNDLE_HEADER = struct.Struct("<8sIIQQ32s")
BUNDLE_SECTION = struct.Struct("<IIQQQQ32s32s")
FILE_HEADER = struct.Struct("<QQ")
FILE_ROW = struct.Struct("<QQQQQ")
EXECUTE, SEGMENT = 4, 2


@dataclass(frozen=True)
class Module:
    """A program: its ELF file, and the functions in it by address."""

    name: str
    path: Path
    symbols: Symbols

    def address(self, symbol: str) -> int:
        """Where a function starts."""
        if symbol not in self.symbols.names:
            raise SystemExit(f"profile: {self.name} has no function {symbol}")
        return self.symbols.addresses[self.symbols.names.index(symbol)]

    @property
    def base(self) -> int:
        """Where its image is linked."""
        return self.address("_start") & -PAGE

    def code(self, address: int) -> bytes:
        """The bytes there, as many as tell a function from another and not past its page."""
        size = min(CODE_BYTES, PAGE - address % PAGE)
        with self.path.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_LOAD"):
                offset = address - segment["p_vaddr"]
                if 0 <= offset < segment["p_filesz"]:
                    return bytes(segment.data()[offset:offset + size])
        raise SystemExit(f"profile: {self.name} has no code at {address:#x}")


@dataclass(frozen=True)
class Place:
    """An instruction: an address of a module as it was linked, and how often it was executed."""

    module: Module
    address: int
    count: int

    @property
    def function(self) -> str:
        return self.module.symbols.name(self.address).split("+")[0]


def module(name: str) -> Module:
    """The kernel or a component, as it was built."""
    root = output_folder()
    found = [root / "kernel" / "kernel.elf"] if name == "kernel" else list((root / "components").rglob(f"{name}.elf"))
    if not found or not found[0].exists():
        raise SystemExit(f"profile: there is no program {name}")
    with found[0].open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        rows = sorted((s["st_value"], s.name) for s in table.iter_symbols()
                      if s["st_info"]["type"] in ("STT_FUNC", "STT_NOTYPE") and s.name and s["st_shndx"] != "SHN_UNDEF")
    return Module(name, found[0], Symbols(tuple(a for a, _ in rows), tuple(n for _, n in rows)))


def page_hash(page: bytes) -> int:
    """As the plugin hashes a page of code."""
    value = 0xCBF29CE484222325
    for word in struct.unpack(f"<{PAGE // 8}Q", page):
        value = (value ^ word) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def component_pages(bundle: bytes) -> dict[int, tuple[Module, int]]:
    """Which page of which component has that hash; the page by the address it is linked at."""
    found = {}
    for index in range(BUNDLE_HEADER.unpack_from(bundle)[2]):
        kind, flags, offset, size, _, address, name, _ = BUNDLE_SECTION.unpack_from(
            bundle, BUNDLE_HEADER.size + index * BUNDLE_SECTION.size)
        if kind != SEGMENT or not flags & EXECUTE:
            continue
        program = module(name.rstrip(b"\0").decode().rsplit(".", 1)[0])
        for at in range(0, size, PAGE):
            page = bundle[offset + at:offset + at + PAGE]
            found[page_hash(page)] = (program, program.base + address + at)
    return found


class Marks:
    """Two marks as the plugin's arguments. Components lie where the plan has put them, the kernel as linked."""

    def __init__(self, plan: Path, first: str, last: str | None) -> None:
        bases = {row["component"].rsplit("/")[-1]: int(row["image_base"])
                 for row in json.loads(plan.read_text())["instances"]}
        self.arguments = ""
        for name, text in (("from", first), ("to", last)):
            if text is None:
                continue
            words = [*text.split(":"), "1"]
            if len(words) < 3:
                raise SystemExit(f"profile: {text} is not MODULE:SYMBOL")
            program = module(words[0])
            address = program.address(words[1])
            seen = address & ~KERNEL_BASE & 0xFFFFFFFF if text.startswith(ENTRY) else address
            seen += bases[words[0]] - program.base if words[0] != "kernel" else 0
            self.arguments += (f",{name}={seen:x},{name}_nth={int(words[2]):x},"
                               f"{name}_code={program.code(address).hex()}")


def wait(vm: VM, file: Path, to_mark: bool) -> None:
    """Until the second mark; without one until the machine waits for input at the prompt and counts no more."""
    end = time.monotonic() + MARK_TIMEOUT_S
    if not to_mark:
        vm.expect(PROMPT, MARK_TIMEOUT_S)
    last = -1
    while time.monotonic() < end:
        with file.open("rb") as counts:
            rows, marks = FILE_HEADER.unpack(counts.read(FILE_HEADER.size))
            if to_mark and marks < 2:
                vm.quiet(SETTLE_S)
                continue
            total = sum(row[4] for row in FILE_ROW.iter_unpack(counts.read(rows * FILE_ROW.size)))
        if to_mark or total == last:
            return
        last = total
        vm.quiet(SETTLE_S)
    raise SystemExit("profile: the second mark is never reached")


def run(system: str, first: str, last: str | None) -> list[tuple[int, int, int]]:
    """(address, hash of its page, executions) of all instructions between the marks."""
    built = image(system)
    marks = Marks(built / "plan.json", first, last)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "profile"
        file.write_bytes(bytes(FILE_HEADER.size))
        machine = primary_clock(built / f"{system}.iso")
        extra = tuple(word.replace("sleep=off", "sleep=on") for word in machine.extra)
        plugin = ("-plugin", f"{plugins.built('profile')},out={file}{marks.arguments}", "-serial", "null")
        with VM(replace(machine, extra=(*extra, *plugin))) as vm:
            wait(vm, file, last is not None)
        with file.open("rb") as counts:
            rows, _ = FILE_HEADER.unpack(counts.read(FILE_HEADER.size))
            data = counts.read(rows * FILE_ROW.size)
    return [(address, page, (after if last else count) - before)
            for address, page, before, after, count in FILE_ROW.iter_unpack(data)]


def places(system: str, rows: list[tuple[int, int, int]]) -> list[Place]:
    """The instructions with their modules; what is nobody's is left out (there is no firmware after the entry)."""
    kernel = module("kernel")
    components = component_pages((image(system) / "bundle.bin").read_bytes())
    high = kernel.address("boot_entry") & ~0xFFFFF
    found = []
    for address, page, count in rows:
        if address >= KERNEL_BASE:
            found.append(Place(kernel, address, count))
        elif page in components:
            program, base = components[page]
            found.append(Place(program, base + address % PAGE, count))
        elif address < 1 << 32 and count:
            found.append(Place(kernel, high | address & 0xFFFFF, count))
    return found


def print_functions(found: list[Place], most: int) -> None:
    """The table, the most expensive function first."""
    total = sum(place.count for place in found)
    by_module: Counter[str] = Counter()
    by_function: Counter[tuple[str, str]] = Counter()
    for place in found:
        if place.count:
            by_module[place.module.name] += place.count
            by_function[place.module.name, place.function] += place.count
    print(f"{total:>12,}  all")
    for name, count in by_module.most_common():
        print(f"{count:>12,}  {count / total:6.1%}  {name}")
    print()
    for (name, function), count in by_function.most_common(most):
        print(f"{count:>12,}  {count / total:6.1%}  {name}:{function}")


def print_instructions(found: list[Place], wanted: str) -> None:
    """Each instruction of one function that was executed, with its source line."""
    chosen: Counter[int] = Counter()
    for place in found:
        if f"{place.module.name}:{place.function}" == wanted:
            chosen[place.address] += place.count
    program = module(wanted.split(":")[0])
    addresses = sorted(address for address, count in chosen.items() if count)
    lines = subprocess.run(["addr2line", "-e", str(program.path), *map(hex, addresses)], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    print(f"\n{wanted}")
    for address, line in zip(addresses, lines):
        print(f"{chosen[address]:>12,}  {address:#x}  {line}")


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", default="demo", help="the system to boot (default: demo)")
    parser.add_argument("--from", dest="first", default=ENTRY, help=f"first mark (default: {ENTRY})")
    parser.add_argument("--to", dest="last", help="second mark (default: the demo's prompt)")
    parser.add_argument("--list", dest="wanted", help="MODULE:FUNCTION to print instruction by instruction")
    parser.add_argument("--most", type=int, default=40, help="functions to print (default: 40)")
    arguments = parser.parse_args()
    found = places(arguments.system, run(arguments.system, arguments.first, arguments.last))
    print_functions(found, arguments.most)
    if arguments.wanted:
        print_instructions(found, arguments.wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
