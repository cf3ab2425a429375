# SPDX-License-Identifier: BSD-2-Clause
"""The commands about authority: why, why-not, diff, graph, report."""
import argparse
import json
import os
from pathlib import Path

from generator import compare, graph, report
from generator.abi import read_abi
from generator.build import check_system
from generator.check import System
from generator.diagnostics import Diagnostic, Note, Position, Refused, did_you_mean, short
from generator.files import read_figures, write_if_changed
from generator.inputs import manifest_path, read_inputs
from generator.reach import Flow, Graph, masters
from generator.session import Session


def _pair(session: Session) -> tuple[str, str, str, System, Graph]:
    """[SYSTEM] A B: names A and B must be instances of the system."""
    words = session.arguments.words
    if len(words) not in (2, 3):
        raise Refused([Diagnostic("TSS-011", Position(session.arguments.command), "two instances are needed",
                                  f"tessera {session.arguments.command} [SYSTEM] A B")])
    name = words[0] if len(words) == 3 else os.environ.get("SYSTEM") or "demo"
    source, checked = session.checked(False, name, configured=False)
    assert checked.system is not None and checked.graph is not None
    unknown = [word for word in words[-2:] if word not in checked.graph.names]
    if unknown:
        raise Refused([Diagnostic("TSS-023", Position(source.path), f"there is no instance {short(word)}",
                                  did_you_mean(word, checked.graph.names)) for word in unknown])
    return source.path, words[-2], words[-1], checked.system, checked.graph


def _steps(path: tuple[Flow, ...]) -> list[str]:
    return [f"  {n}. {flow}  # {flow.position}" for n, flow in enumerate(path, 1)]


def _trust(names: tuple[str, ...]) -> str:
    return f", as long as {' and '.join(names)} keep{'s' * (len(names) == 1)} clients apart" if names else ""


def _reaching_memory(system: System, names: tuple[str, ...]) -> list[str]:
    """A line for each device of these instances that reaches all memory: no flow, but trust."""
    return [f"{one.name} is trusted: its device {slot} can read and write all memory, there is no IOMMU"
            for one in system.instances if one.name in names for slot in masters(one)]


def command_why(session: Session) -> int:
    """By what steps A influences B, and what B tells A."""
    place, source, target, system, flows = _pair(session)
    found = False
    lines = [f"{place}: {source} and {target}"]
    for link in system.links:
        if (link.client, link.server) == (source, target):
            lines.append(f"{source} holds {link.name}, a connection to {target}.{link.provided}: "
                         f"{', '.join(link.rights)}  # {link.position}")
    for one, two in ((source, target), (target, source)):
        path, trusted = flows.verdict(one, two)
        found = found or bool(path)
        lines.append(f"{one} can influence {two}, which is also what {two} learns from {one}:" if path else
                     f"{one} cannot influence {two}{_trust(trusted)}")
        lines += _steps(path)
    print("\n".join(lines + _reaching_memory(system, (source, target))))
    return 0


def command_why_not(session: Session) -> int:
    """Proof that A does not influence B, or the path by which it does as an error."""
    place, source, target, _, flows = _pair(session)
    path, trusted = flows.verdict(source, target)
    if path:
        raise Refused([Diagnostic("TSS-086", path[0].position, f"{short(source)} can influence {short(target)}",
                                  f"see `tessera why {source} {target}`",
                                  tuple(Note(flow.position, str(flow)) for flow in path))])
    ahead = sorted(flows.reached(source) | {source})
    behind = sorted(name for name in flows.names if name == target or target in flows.reached(name))
    print(f"{place}: {source} cannot influence {target}{_trust(trusted)}")
    print(f"  {source} reaches: {', '.join(n for n in ahead if n != source) or 'nobody'}")
    print(f"  {target} is reached by: {', '.join(n for n in behind if n != target) or 'nobody'}")
    if not set(ahead) & set(behind):
        print(f"  it would take a connection between one of {', '.join(ahead)} and one of {', '.join(behind)}")
    return 0


def _other_system(session: Session, name: str, root: str | None) -> tuple[System, Graph]:
    """A system of another tree, which has its own components."""
    if root is None:
        _, checked = session.checked(False, name, configured=False)
    else:
        inputs = read_inputs(Path(os.path.abspath(root)))
        source = session.read(manifest_path(inputs, name))
        session.texts |= inputs.sources()
        checked = check_system(inputs, source, session.build_dir(), None, False, session.read)
        if checked.errors:
            raise Refused(checked.errors)
    assert checked.system is not None and checked.graph is not None
    return checked.system, checked.graph


def command_diff(session: Session) -> int:
    """What NEW may do that OLD may not, and the other way round."""
    arguments = session.arguments
    old, old_graph = _other_system(session, arguments.old, arguments.old_root)
    new, new_graph = _other_system(session, arguments.new, None)
    rows = compare.compare(old, new, (old_graph, new_graph))
    grown = compare.growth(rows) if arguments.fail_on_growth else []
    if grown:
        raise Refused(grown)
    print(json.dumps(compare.to_json(rows), indent=2) if arguments.json else compare.text(rows).rstrip("\n"))
    return 0


def _write(session: Session, text: str, default: str | None = None) -> int:
    out = session.arguments.out or default
    if out is None:
        print(text, end="")
    else:
        write_if_changed(Path(out), text.encode())
        print(out)
    return 0


def command_graph(session: Session) -> int:
    """The system as a picture: SVG, or DOT for graphviz."""
    _, checked = session.checked(False, configured=False)
    assert checked.system is not None
    text = graph.dot(checked.system)
    return _write(session, text if session.arguments.format == "dot" else graph.svg(text) + "\n")


def command_report(session: Session) -> int:
    """One page about the system, for a browser without a network."""
    _, checked = session.checked(False, configured=False)
    assert checked.system is not None
    measured = read_figures(session.build_dir() / "bench.json", "median", "max", "unit")
    page = report.page(checked, read_abi(session.root / "kernel" / "include" / "abi"), measured)
    return _write(session, page, str(session.build_dir() / checked.system.name / "report.html"))


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
                 system: argparse.ArgumentParser) -> None:
    """Their part of the parser."""
    for name, run, text in (("why", command_why, "by what steps instance A can influence B"),
                            ("why-not", command_why_not, "that A cannot influence B; an error if it can")):
        command = commands.add_parser(name, help=text)
        command.add_argument("words", nargs="+", metavar="[SYSTEM] A B", help="SYSTEM: $SYSTEM, else demo")
        command.set_defaults(run=run)
    command = commands.add_parser("diff", help="how authority differs between two systems")
    command.add_argument("old", metavar="OLD")
    command.add_argument("new", metavar="NEW")
    command.add_argument("--old-root", help="the tree in which OLD has its components (default: the same)")
    command.add_argument("--fail-on-growth", action="store_true", help="an error for each thing that there is more of")
    command.add_argument("--json", action="store_true", help="as a JSON list")
    command.set_defaults(run=command_diff)
    command = commands.add_parser("graph", parents=[system], help="the system as a picture")
    command.add_argument("--format", choices=("svg", "dot"), default="svg")
    command.add_argument("--out", help="the file to write (default: print it)")
    command.set_defaults(run=command_graph)
    command = commands.add_parser("report", parents=[system], help="one HTML page about the system")
    command.add_argument("--out", help="the file to write (default: BUILD_DIR/NAME/report.html)")
    command.set_defaults(run=command_report)
