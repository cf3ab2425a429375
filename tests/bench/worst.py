# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-worst`: for each way into the kernel the longest stretch with interrupts off, and the state that made it.

The system `worst` (components/apps/worst) makes the states, the plugin ../lib/worst.c counts instructions from each
entry to the return to a unit, or to idle: all that runs with interrupts off. With two CPUs the same states are made
again, and the longer of the two counts.
"""
from __future__ import annotations

import argparse
import re
import struct
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich import box  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from lib import plugins, symbols  # noqa: E402
from lib.images import TOP, iso  # noqa: E402
from lib.plugins import output_folder  # noqa: E402
from lib.vm import VM, primary_clock  # noqa: E402

BOUND = 20_000
CPUS = (1, 2)
TIMEOUT_S = 600
ROW_SIZE = 24
SYSCALL = re.compile(r"^SYSCALL\((0x[0-9a-f]+), (\w+), \w+, (\w+),", re.M)
SCENE = re.compile(r'^SCENE\((\w+), "([^"]*)"\)', re.M)
FIRST_CALL = 0x1000
CALLS, VECTORS, LAST_ROW = 1, 129, 512  # rows of the plugin's file; row 0: a call that never got to its handler
# What leads to a row although it is no handler: entries in assembly, and calls that tables redirect.
OTHER_NAMES = {"arch_syscall_version": "self_version", "arch_syscall_call": "connection_call",
               "arch_syscall_reply_receive": "port_reply_receive"}
EXTRA_ROWS = {"sys_asked": ("asked", 120), "sys_denied": ("denied", 121)}
SLICE_ROW = 122  # what the scheduler goes on with by itself: the end of a unit that a thread of its own began
VECTOR_NAMES = {14: "page_fault", 0xf0: "timer", 0xf1: "kick", 0xff: "spurious"}
FIRST_LINE = 32

NEVER = {"spurious"}  # an interrupt that the emulated controllers never send; its way is a kick's, without work
# Not below the bound yet: what they are to stay below. A row that gets below the bound leaves this list.
AHEAD: dict[str, int] = {}


class Unplanned(AssertionError):
    """The system could not make a state that it was to make."""


@dataclass(frozen=True)
class Stretch:
    """The longest one of a way into the kernel; how often that way was taken at all."""

    instructions: int
    scene: str
    count: int


def calls() -> dict[str, int]:
    """The rows of syscalls.def: name -> row of the plugin's file."""
    text = (TOP / "kernel" / "include" / "abi" / "syscalls.def").read_text()
    return {f"{match[2]}_{match[3]}": CALLS + int(match[1], 16) - FIRST_CALL for match in SYSCALL.finditer(text)}


def scenes() -> dict[int, str]:
    """The scenes by number, as scenes.def has them; 0 is before the first."""
    text = (TOP / "components" / "apps" / "worst" / "scenes.def").read_text()
    return dict(enumerate(["boot", *(match[2] for match in SCENE.finditer(text))]))


def vector_name(vector: int) -> str:
    """The row of the table that a vector belongs to."""
    return VECTOR_NAMES.get(vector, "exception" if vector < FIRST_LINE else "line")


def marks() -> list[str]:
    """What the plugin has to know about this kernel."""
    known = symbols.load(output_folder() / "kernel" / "kernel.sym")
    at = dict(zip(known.names, known.addresses))
    rows = calls()
    found = [f"enter={at[name]:x}:0" for name in ("arch_syscall_entry", "arch_syscall_entry_plain")]
    found += [f"enter={at['arch_between_slices']:x}:{SLICE_ROW}"]
    found += [f"enter={at['arch_vector_stubs'] + 16 * vector:x}:{VECTORS + vector}" for vector in range(256)]
    found += [f"name={at[f'sys_{name}']:x}:{row}" for name, row in rows.items()]
    found += [f"name={at[name]:x}:{rows[call]}" for name, call in OTHER_NAMES.items()]
    return found + [f"name={at[name]:x}:{row}" for name, (_, row) in EXTRA_ROWS.items()]


def row_names() -> dict[int, str]:
    """Which row of the table each of the file belongs to."""
    names = {row: name for name, row in calls().items()} | {row: name for name, row in EXTRA_ROWS.values()}
    return names | {0: "refused", SLICE_ROW: "slice"} | {VECTORS + vector: vector_name(vector) for vector in range(256)}


def read(path: Path) -> dict[str, Stretch]:
    """The plugin's file."""
    known, names, data = scenes(), row_names(), path.read_bytes()
    result: dict[str, Stretch] = {}
    for row, name in names.items():
        most, scene, count = struct.unpack_from("<QQQ", data, row * ROW_SIZE)
        before = result.get(name, Stretch(0, "", 0))
        longest = max(before, Stretch(most, known[scene], count), key=lambda each: each.instructions)
        if count:
            result[name] = replace(longest, count=before.count + count)
    return result


def run(cpus: int, system: str = "worst") -> tuple[dict[str, Stretch], str]:
    """Boots the system under the plugin: the stretches, and the console."""
    image = iso(system)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "worst"
        plugin = ("-plugin", ",".join([f"{plugins.built('worst')},out={out}", *marks()]))
        machine = replace(primary_clock(image), memory="192M", cpus=cpus)
        with VM(replace(machine, extra=(*machine.extra, "-serial", "null", *plugin))) as vm:
            vm.expect(r"worst done\n", TIMEOUT_S)
            return read(out), vm.console


def worst(cpus: Iterable[int] = CPUS) -> dict[str, Stretch]:
    """Of each row the longest stretch with any of those numbers of CPUs. What did not go as planned is an error."""
    found: dict[str, Stretch] = {}
    for number in cpus:
        stretches, console = run(number)
        wrong = [line for line in console.splitlines() if line.startswith("worst: ")]
        if wrong:
            raise Unplanned("\n".join(wrong))
        found = longer(found, stretches)
    return found


def excess(found: dict[str, int]) -> list[str]:
    """What is missing, above the bound though it should not be, or below though it is listed as above; as sentences."""
    wrong = [f"worst_{name}: no row" for name in sorted(rows_wanted() - found.keys())]
    for name, value in sorted(found.items()):
        if name in AHEAD and value < BOUND:
            wrong.append(f"worst_{name}: {value} is below {BOUND} now: it leaves the list AHEAD in worst.py")
        elif value >= AHEAD.get(name, BOUND):
            wrong.append(f"worst_{name}: {value}, bound {AHEAD.get(name, BOUND)}")
    return wrong


def rows_wanted() -> set[str]:
    """Each system call, each kind of vector, and what tables of calls lead to."""
    return {*calls(), *VECTOR_NAMES.values(), *(name for name, _ in EXTRA_ROWS.values()), "line", "exception",
            "refused", "slice"} - NEVER


def longer(one: dict[str, Stretch], other: dict[str, Stretch]) -> dict[str, Stretch]:
    """Of each row the longer stretch."""
    none = Stretch(0, "", 0)
    return {name: max(one.get(name, none), other.get(name, none), key=lambda each: each.instructions)
            for name in one.keys() | other.keys()}


def table(found: dict[str, Stretch]) -> Table:
    """The longest first."""
    result = Table(box=box.SIMPLE, title=f"longest stretches with interrupts off, in instructions (bound {BOUND:,})")
    for title in ("entry", "worst", "state", "taken"):
        result.add_column(title, justify="left" if title in ("entry", "state") else "right")
    for name, each in sorted(found.items(), key=lambda item: -item[1].instructions):
        mark = "[red]" if each.instructions >= BOUND else ""
        result.add_row(name, f"{mark}{each.instructions:,}", each.scene, f"{each.count:,}")
    return result


def main() -> int:
    """Measures and prints; status 1 if something is above the bound."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cpus", type=int, action="append", help="with so many; again for more (default: 1 and 2)")
    arguments = parser.parse_args()
    found = worst(arguments.cpus or CPUS)
    Console(width=110).print(table(found))
    wrong = excess({name: each.instructions for name, each in found.items()})
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
