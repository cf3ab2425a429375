# SPDX-License-Identifier: BSD-2-Clause
"""The command `hardening`: a product's settings beside the recommended ones."""
import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator import hardening, kconfig
from generator.build import check_system
from generator.diagnostics import Diagnostic, Position, Refused
from generator.files import read_figures
from generator.inputs import manifest_path
from generator.session import Session

MODES = {"FAST": "ipc_rt_register_cross", "HARDENED": "ipc_rt_register_cross_hardened"}


def _options(session: Session, config: str | None) -> dict[str, str]:
    """The value of each option: those of --config, else of the defconfig that the manifest names, else the defaults."""
    os.environ["srctree"] = str(session.root)
    os.environ.setdefault("TESSERA_EXTRA", "")
    given = session.arguments.config
    folders = [session.root, *([session.inputs.extra] if session.inputs.extra else [])]
    paths = [Path(given)] if given else [folder / "configs" / config for folder in folders if config]
    path = next((path for path in paths if path.is_file()), None)
    if paths and path is None:
        raise Refused([Diagnostic("TSS-001", Position(str(paths[0])), "there is no such configuration",
                                  "name a file in configs/, such as dev_defconfig, or a path")])
    kconf = kconfig.parse(session.root)
    if path is not None:
        kconf.load_config(str(path))
    return {symbol.name: symbol.str_value for symbol in kconf.unique_defined_syms}


def command_hardening(session: Session) -> int:
    """What is not as recommended; status 1 if there is such a thing."""
    source = session.read(manifest_path(session.inputs, session.arguments.system))
    checked = check_system(session.inputs, source, session.build_dir(), None, False, session.read)
    if checked.errors or checked.system is None:
        raise Refused(checked.errors)
    bench = session.root / "tests" / "bench"
    rows = read_figures(bench / "figures.json", "median")
    trips = {mode: rows[row]["median"] for mode, row in MODES.items() if row in rows}
    values = _options(session, checked.system.manifest.config)
    prices = read_figures(bench / "hardening.json", part="prices")
    found = [*hardening.options(values, prices), *hardening.manifest(checked.system, trips)]
    if session.arguments.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        print(hardening.text(checked.system.name, found))
    return 0 if all(finding.good for finding in found) else 1


def add_command(commands: Any) -> None:
    """Adds the command to the parser."""
    build_dir = argparse.ArgumentParser(add_help=False)
    build_dir.add_argument("--build-dir", help="where components were built (default: build)")
    command = commands.add_parser("hardening", parents=[build_dir],
                                  help="a product's settings beside the recommended ones, why, and what they cost")
    command.add_argument("system", metavar="NAME|FILE")
    command.add_argument("--config", metavar="FILE", help="its configuration (default: what the manifest names)")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=command_hardening)
