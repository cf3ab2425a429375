# SPDX-License-Identifier: BSD-2-Clause
"""The command `trace`: what servers/trace put out, for people or for Perfetto."""
from pathlib import Path
from typing import Any

from generator import trace, trace_json
from generator.abi import read_abi
from generator.inputs import read_source
from generator.interface import read_interface
from generator.session import Session


def _methods(session: Session) -> dict[str, dict[int, str]]:
    found = {}
    for name, source in session.inputs.interfaces.items():
        interface, errors = read_interface(source.data, source.path)
        if not errors:
            found[name] = {method.number: method.name for method in interface.methods}
    return found


def _plan(session: Session) -> str | None:
    """plan.json of the system that was named; without one, names of interfaces are missing from the trace."""
    if session.arguments.system is None:
        return None
    path = session.build_dir() / session.arguments.system / "plan.json"
    return read_source(path, session.root, f"make image SYSTEM={session.arguments.system}").text


def command_trace(session: Session) -> int:
    """The last trace in a console's log."""
    path = Path(session.arguments.file)
    abi = read_abi(session.root / "kernel" / "include" / "abi")
    source = session.read(path)
    found = trace.read(source.text, source.path, abi, _plan(session))
    names = trace.Names(found, abi, _methods(session))
    print(trace_json.chrome(names) if session.arguments.json else trace.text(names), end="")
    return 0


def add_command(commands: Any) -> None:
    """Adds the command to the parser."""
    command = commands.add_parser("trace", help="what servers/trace has put out on a console")
    command.add_argument("file", metavar="FILE", help="the console's log, whatever else is in it")
    command.add_argument("--system", metavar="NAME", help="the system that ran, for the names of interfaces")
    command.add_argument("--build-dir", help="where its plan is (default: build)")
    command.add_argument("--json", action="store_true", help="for Perfetto or chrome://tracing")
    command.set_defaults(run=command_trace)
