# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-path ROW=...`: which instructions a row of the bench executes: by function, and one by one.

The count is that of the plugin path.c: what runs between the two `rdtsc` of the row's last sample. The bench takes off
what reading the clock twice costs, so its figure is a few less; and it counts a faulting instruction as none.
"""
from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from elftools.elf.elffile import ELFFile  # noqa: E402
from elftools.elf.sections import SymbolTableSection  # noqa: E402

from bench.measure import BENCH_TIMEOUT_S, ROW  # noqa: E402
from lib import plugins  # noqa: E402
from lib.images import iso  # noqa: E402
from lib.plugins import output_folder  # noqa: E402
from lib.symbols import Symbols  # noqa: E402
from lib.vm import VM, primary_clock  # noqa: E402

CODE_BYTES = 48
IMAGE_BASE = 0x400000  # where the generator puts a component's image


@dataclass(frozen=True)
class Program:
    """An ELF file's code as it lies in memory: address of its first byte, the bytes, the names of its functions."""

    name: str
    start: int
    code: bytes
    symbols: Symbols

    def has(self, address: int, code: bytes) -> bool:
        """Is that instruction at that address?"""
        at = address - self.start
        return at >= 0 and self.code[at:at + len(code)] == code

    def begin(self, function: str) -> str:
        """ADDRESS:CODE of a function's first bytes, in hex."""
        address = self.symbols.addresses[self.symbols.names.index(function)]
        at = address - self.start
        return f"{address:x}:{self.code[at:at + CODE_BYTES].hex()}"

    def function(self, address: int) -> str:
        """unit:function."""
        return f"{self.name}:{self.symbols.name(address).partition('+')[0]}"


@dataclass(frozen=True)
class Step:
    """One executed instruction."""

    function: str
    address: int
    text: str


def program(path: Path, base: int) -> Program:
    """Reads an ELF file that is loaded at its own addresses plus base."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        text = elf.get_section_by_name(".text")
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        named = sorted((int(symbol["st_value"]) + base, symbol.name) for symbol in table.iter_symbols()
                       if symbol.name and isinstance(symbol["st_shndx"], int) and not symbol.name.startswith("image_"))
        return Program(path.stem, int(text["sh_addr"]) + base, bytes(text.data()),
                       Symbols(tuple(address for address, _ in named), tuple(name for _, name in named)))


def programs() -> list[Program]:
    """The kernel and the units whose instructions can be in a sample; several units lie at the same address."""
    folder = output_folder()
    units = [program(folder / "components" / "apps" / name / f"{name}.elf", IMAGE_BASE)
             for name in ("bench", "bench_echo")]
    return [program(folder / "kernel" / "kernel.elf", 0), *units]


def step(line: str, known: list[Program]) -> Step:
    """A line of the plugin's file, its row excepted."""
    address, code, text = line.split(" ", 2)
    at = int(address, 16)
    owner = next((each for each in known if each.has(at, bytes.fromhex(code))), None)
    return Step(owner.function(at) if owner else "?", at, text)


def ways() -> dict[str, list[Step]]:
    """Boots the bench under the plugin: the steps of the last sample of each row."""
    image = iso("bench")
    known = programs()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "path"
        reports = ",".join(f"report={known[1].begin(name)}" for name in ("report", "report_one"))
        machine = primary_clock(image)
        plugin = ("-plugin", f"{plugins.built('path')},out={out},{reports}")
        with VM(replace(machine, extra=(*machine.extra, "-serial", "null", *plugin))) as vm:
            vm.expect(r"bench done\n", BENCH_TIMEOUT_S)
            names = [match[1] for match in ROW.finditer(vm.console)]
        lines = [line.split(" ", 1) for line in out.read_text().splitlines()]
    return {names[int(row)]: [step(rest, known) for _, rest in group]
            for row, group in groupby(lines, key=lambda line: line[0])}


def summary(steps: list[Step]) -> str:
    """Stretches of one function after the other."""
    stretches = [(name, len(list(group))) for name, group in groupby(steps, key=lambda each: each.function)]
    return "\n".join([*(f"{count:6}  {name}" for name, count in stretches), f"{len(steps):6}  in all"])


def main() -> int:
    """Prints the way of one row, or the names of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("row", nargs="?", default="", help="a row of make bench")
    parser.add_argument("--list", action="store_true", help="every instruction as well")
    arguments = parser.parse_args()
    found = ways()
    if arguments.row not in found:
        print(f"ROW is one of: {' '.join(sorted(found))}", file=sys.stderr)
        return 1
    steps = found[arguments.row]
    if arguments.list:
        print("\n".join(f"{each.address:16x}  {each.function:40} {each.text}" for each in steps))
    print(summary(steps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
