# SPDX-License-Identifier: BSD-2-Clause
"""The commands about static figures: stack, size, response."""
import argparse
import json
from pathlib import Path
from typing import Any

from generator import response, size, stack_check
from generator.build import Checked, check_system
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, short
from generator.fields import time_text
from generator.inputs import manifest_path
from generator.session import Session
from generator.stack import plain


def _built(checked: Checked, path: str) -> None:
    """Refuses a system of which nothing is built."""
    if not checked.images:
        raise Refused([Diagnostic("TSS-065", Position(path), "no component of the system is built",
                                  "compile them first: `make image`")])


def _thread(row: stack_check.Thread) -> dict[str, Any]:
    return {"instance": row.instance, "thread": row.entry, "has": row.size, "needs": row.bound.bytes,
            "recursion": list(row.bound.circles), "indirect": list(row.bound.indirect),
            "chain": [{"function": plain(s.function.name), "depth": s.depth, "place": s.function.place}
                      for s in row.bound.chain]}


def _stack_lines(row: stack_check.Thread, frames: bool) -> list[str]:
    name = f"{row.instance} ({row.entry})" if row.entry else row.instance
    way = " > ".join(f"{plain(s.function.name)} {s.depth}" for s in row.bound.chain)
    lines = [f"{name:24} needs {row.bound.bytes:>7,} of {row.size:>9,}  {way}"]
    if row.bound.circles:
        lines.append(f"{'':24} recursion, as component.yaml bounds it: {', '.join(row.bound.circles)}")
    if row.bound.indirect:
        lines.append(f"{'':24} calls indirectly: {', '.join(row.bound.indirect)}")
    if frames:
        return [f"{name} needs {row.bound.bytes:,} of {row.size:,} bytes",
                *(f"  {s.depth:>7,}  {plain(s.function.name)}  # {s.function.place or '?'}" for s in row.bound.chain),
                *lines[1:]]
    return lines


def command_stack(session: Session) -> int:
    """The worst stack of each thread."""
    arguments = session.arguments
    source, checked = session.checked(False, configured=False)
    assert checked.system is not None
    _built(checked, source.path)
    rows = [row for row in stack_check.threads(checked.system, checked.stacks)
            if arguments.instance in (None, row.instance)]
    if not rows:
        raise Refused([Diagnostic("TSS-023", Position(source.path), "there is no instance "
                                  f"{short(arguments.instance)}, or it is not built",
                                  did_you_mean(arguments.instance, [i.name for i in checked.system.instances]))])
    if arguments.json:
        print(json.dumps([_thread(row) for row in rows], indent=2))
    else:
        print("\n".join(line for row in rows for line in _stack_lines(row, arguments.instance is not None)))
    return 0


def _files(session: Session, system: str) -> dict[str, int]:
    """Sizes of what is built."""
    build = session.build_dir()
    paths = {"kernel": build / "kernel" / "kernel.elf", "bundle": build / system / "bundle.bin",
             "image": build / system / f"{system}.iso"}
    return {name: path.stat().st_size for name, path in paths.items() if path.is_file()}


def _sizes(session: Session, word: str) -> dict[str, Any]:
    """Of a system, or what `tessera size --json` once wrote."""
    if word.endswith(".json"):
        text = session.read(Path(word)).text
        try:
            found: dict[str, Any] = json.loads(text)
            size.compare(found, found)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused([Diagnostic("TSS-094", Position(word), "is not what `tessera size --json` writes",
                                      "write it with `tessera size SYSTEM --json >old.json`")]) from None
        return found
    _, checked = session.checked(False, word, configured=False)
    assert checked.system is not None
    return size.facts(checked.system, checked.images, checked.files, _files(session, checked.system.name))


def command_size(session: Session) -> int:
    """Memory by component and kind; with --compare what differs between two systems."""
    arguments = session.arguments
    if len(arguments.words) != 1 + arguments.compare:
        raise Refused([Diagnostic("TSS-011", Position("size"), "one system is needed, or --compare and two of them",
                                  "tessera size SYSTEM, or tessera size --compare OLD NEW")])
    found = [_sizes(session, word) for word in arguments.words]
    if arguments.compare:
        rows = size.compare(*found)
        print(json.dumps([{"what": w, "old": o, "new": n} for w, o, n in rows], indent=2) if arguments.json else
              size.compared(rows).rstrip("\n"))
    else:
        text = json.dumps(found[0], indent=2) if arguments.json else size.text(found[0], arguments.instances)
        print(text.rstrip("\n"))
    return 0


def command_response(session: Session) -> int:
    """Response times and what they are made of; those beyond their deadlines too."""
    arguments = session.arguments
    source = session.read(manifest_path(session.inputs, arguments.system))
    checked = check_system(session.inputs, source, session.build_dir(), session.dot_config(), False, session.read)
    if [e for e in checked.errors if e.code != "TSS-096"]:
        raise Refused(checked.errors)
    if arguments.json:
        print(json.dumps([{"instance": r.instance, "period_us": r.period, "deadline_us": r.deadline, "time_ns": r.time,
                           "kept": r.kept, "terms": [{"what": t.text, "time_ns": t.time, "place": str(t.position)}
                                                     for t in r.terms]} for r in checked.responses], indent=2))
    elif not checked.responses:
        print(f"{source.path}: no instance has a period")
    for r in checked.responses if not arguments.json else ():
        time, deadline = response.us_text(r.time), time_text(r.deadline)
        print(f"{r.instance}: at most {time} of {deadline}, every {time_text(r.period)}" if r.kept else
              f"{r.instance}: {time} or more, beyond {deadline}")
        print("\n".join(f"  {response.us_text(t.time):>12}  {t.text}  # {t.position}" for t in r.terms))
    return 0


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
                 system: argparse.ArgumentParser) -> None:
    """Their part of the parser."""
    command = commands.add_parser("stack", parents=[system], help="how much stack each thread can need")
    command.add_argument("instance", nargs="?", help="only this one, with every frame and its place")
    command.set_defaults(run=command_stack)
    command = commands.add_parser("response", parents=[system], help="how long after its period an instance is done")
    command.set_defaults(run=command_response)
    command = commands.add_parser("size", help="memory by component and kind, and how two systems differ in it")
    command.add_argument("words", nargs="+", metavar="NAME|FILE", help="a system, or a file that --json once wrote")
    command.add_argument("--compare", action="store_true", help="what differs between two: OLD NEW")
    command.add_argument("--instances", action="store_true", help="a row for each instance, not for each component")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.add_argument("--build-dir", help="where kernel and components were built (default: build)")
    command.set_defaults(run=command_size)
