# SPDX-License-Identifier: BSD-2-Clause
"""The command line: the only part, with files.py, that touches files."""
import argparse
import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

from generator import slots, stubs
from generator.abi import read_abi
from generator.component import Component
from generator.diagnostics import Diagnostic, Refused, render, to_json
from generator.files import write_if_changed
from generator.inputs import Inputs, load_component, read_inputs

REPOSITORY = Path(os.path.abspath(__file__)).parent.parent


def _components(inputs: Inputs) -> tuple[dict[str, Component], list[Diagnostic]]:
    """All component descriptions, and the errors in them."""
    found: dict[str, Component] = {}
    errors: list[Diagnostic] = []
    for name in inputs.components:
        component, more = load_component(inputs, name)
        errors += more
        if component is not None:
            found[name] = component
    return found, errors


def _interface_headers(inputs: Inputs) -> dict[str, str]:
    """Typed stubs of the interfaces: file name -> contents."""
    files = sorted((inputs.root / "components" / "interfaces").glob("*.yaml"))
    if not files or importlib.util.find_spec("generator.interface") is None:
        return {}
    module = importlib.import_module("generator.interface")
    return dict(module.generate(files))


def command_stubs(arguments: argparse.Namespace, inputs: Inputs) -> int:
    """slots.h of every component, system call stubs, interface stubs."""
    components, errors = _components(inputs)
    if errors:
        raise Refused(errors)
    out = Path(arguments.out)
    for name, component in components.items():
        windows = [d.name for d in component.devices if d.kind == "mmio"]
        text = slots.header(name, component.layout, windows)
        write_if_changed(out / "slots" / name / "slots.h", text.encode())
    abi = read_abi(inputs.root / "kernel" / "include" / "abi")
    write_if_changed(out / "include" / "tessera" / "syscalls.h", stubs.syscalls_header(abi).encode())
    for file, text in sorted(_interface_headers(inputs).items()):
        write_if_changed(out / "interfaces" / file, text.encode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera", description="Check, build and run systems made of components.")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the tree to work on (default: this one)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("stubs", help="write the C headers that components are compiled with")
    command.add_argument("--out", required=True, help="folder for the headers, such as build/gen")
    command.set_defaults(run=command_stubs)
    return parser


def main(argv: list[str]) -> int:
    arguments = _parser().parse_args(argv)
    inputs = read_inputs(Path(os.path.abspath(arguments.root)))
    try:
        return int(arguments.run(arguments, inputs))
    except Refused as refused:
        if getattr(arguments, "json", False):
            print(json.dumps(to_json(refused.diagnostics), indent=2))
        else:
            sys.stderr.write(render(refused.diagnostics, inputs.sources()))
        return 1
