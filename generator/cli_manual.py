# SPDX-License-Identifier: BSD-2-Clause
"""The commands `doc` and `manual`: the reference of interfaces; that of everything, from the tree's tables."""
import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from generator import document, interface, kconfig, manual
from generator.abi import read_abi
from generator.codes import CODES
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, short
from generator.files import read_figures, write_if_changed
from generator.inputs import Inputs, load_components

PROFILES = ("DEV", "STANDARD", "HARDENED")


class Session(Protocol):
    """What the command needs of cli.Session."""

    arguments: argparse.Namespace
    root: Path
    inputs: Inputs


def _options(root: Path) -> list[manual.Option]:
    """The options of kernel/Kconfig that a person is asked for, with their values in each profile."""
    os.environ["srctree"] = str(root)
    os.environ.setdefault("TESSERA_EXTRA", "")
    kconf = kconfig.parse(root)
    asked: list[Any] = [s for s in kconf.unique_defined_syms
                        if s.nodes[0].prompt and s.nodes[0].filename.startswith("kernel/")]
    values: dict[str, dict[str, str]] = {s.name: {} for s in asked}
    for profile in PROFILES:
        if f"PROFILE_{profile}" not in values:
            raise Refused([Diagnostic("TSS-142", Position("Kconfig"), f"there is no option PROFILE_{profile}",
                                      "the manual says what each profile sets")])
        kconf.syms[f"PROFILE_{profile}"].set_value(2)
        for symbol in asked:
            values[symbol.name][profile] = symbol.str_value
    return [manual.Option(s.name, s.nodes[0].prompt[0], values[s.name], s.nodes[0].help or "") for s in asked]


def _figures(root: Path) -> dict[str, tuple[int, str]]:
    path = root / "tests" / "bench" / "figures.json"
    rows = read_figures(path, "median", "unit")
    if not rows:
        raise Refused([Diagnostic("TSS-098", Position(str(path)), "the manual's prices are not there",
                                  "make bench, then make bench-keep WHY='...'")])
    return {name: (int(row["median"]), str(row["unit"])) for name, row in rows.items()}


def interface_pages(inputs: Inputs, names: Iterable[str]) -> list[str]:
    """The reference of each of these interfaces as Markdown. Errors: Refused."""
    pages, components = [], load_components(inputs)
    for name in names:
        source = inputs.interfaces[name]
        read, errors = interface.read_interface(source.data, source.path)
        if errors:
            raise Refused(errors)
        pages.append(document.markdown(read, components))
    return pages


def command_doc(session: Session) -> int:
    """The reference of an interface, or of all."""
    wanted, known = session.arguments.interface, session.inputs.interfaces
    if wanted is not None and wanted not in known:
        raise Refused([Diagnostic("TSS-021", Position("doc"), f"there is no interface {short(wanted)}",
                                  did_you_mean(wanted, known))])
    pages = interface_pages(session.inputs, [wanted] if wanted is not None else sorted(known))
    print("\n".join(pages), end="")
    return 0


def command_manual(session: Session) -> int:
    """Prints the manual, or writes manual.md and manual.html."""
    abi = read_abi(session.root / "kernel" / "include" / "abi")
    interfaces = interface_pages(session.inputs, sorted(session.inputs.interfaces))
    text = manual.markdown(manual.Sources(abi, _figures(session.root), _options(session.root), interfaces, CODES,
                                          str(abi["TSS_ABI_VERSION"])))
    if session.arguments.out is None:
        print(manual.page(text) if session.arguments.html else text, end="")
        return 0
    folder = Path(session.arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    for name, written in (("manual.md", text), ("manual.html", manual.page(text))):
        write_if_changed(folder / name, written.encode())
        print(folder / name)
    return 0


def add_reference_commands(commands: Any) -> None:
    """`tessera doc` and `tessera manual`."""
    command = commands.add_parser("doc", help="the reference of an interface, or of all, as Markdown")
    command.add_argument("interface", nargs="?", help="such as echo")
    command.set_defaults(run=command_doc)
    command = commands.add_parser("manual", help="the reference manual from the tables: Markdown, or a page of HTML")
    command.add_argument("--html", action="store_true", help="print the page instead of Markdown")
    command.add_argument("--out", help="write manual.md and manual.html into this folder, such as build")
    command.set_defaults(run=command_manual)
