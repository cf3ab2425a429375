# SPDX-License-Identifier: BSD-2-Clause
"""The command line: the only part, with files.py, that writes files."""
import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from generator import attached, image, new, parameters, schema, show, slots, stack_check, stubs, terminal
from generator.abi import read_abi
from generator.build import (Checked, check_system, interfaces_of, make, methods_of, read_composed,
                             verify_files)
from generator.cli_authority import add_commands
from generator.cli_figures import add_commands as add_figures_commands
from generator.cli_manual import add_reference_commands
from generator.cli_product import add_commands as add_product_commands
from generator.cli_product import rewritten
from generator.cli_trace import add_command as add_trace_command
from generator.codes import CODES
from generator.component import Component
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, render, short, to_json, to_sarif
from generator.files import read_file, write_if_changed
from generator.inputs import Inputs, load_components, manifest_path, read_source, shown
from generator.load import load
from generator.model import Manifest, read_manifest
from generator.record import add_audit
from generator.session import Session

REPOSITORY = Path(os.path.abspath(__file__)).parent.parent


def _interface_headers(inputs: Inputs) -> dict[str, str]:
    """Typed stubs of the interfaces: file name -> contents."""
    files = [source.file for source in inputs.interfaces.values()]
    if not files or importlib.util.find_spec("generator.interface") is None:
        return {}
    return dict(importlib.import_module("generator.interface").generate(files))


def _called(component: Component, methods: dict[str, dict[str, int]]) -> list[tuple[int, int]]:
    """Slot and methods, as bits, of each connection on which component.yaml lists what is called."""
    return [(component.layout.connection(need.name).number,
             sum(1 << methods.get(need.interface, {}).get(method.name, 0) for method in need.methods))
            for need in component.needs if need.methods is not None]


def command_stubs(session: Session) -> int:
    """slots.h of every component, system call stubs, interface stubs."""
    out, methods = Path(session.arguments.out), methods_of(interfaces_of(session.inputs))
    for name, component in load_components(session.inputs).items():
        windows = [(d.name, d.count) for d in component.devices if d.kind in ("mmio", "dma")]
        more = [*parameters.header(component.parameters), *attached.header(component.files),
                *slots.mailbox_lines([(p.name, p.depth) for p in component.mailboxes])]
        text = slots.header(name, component.layout, windows, more)
        if twice := slots.defined_twice(text):
            raise Refused([Diagnostic("TSS-108", component.position, f"two things of {name} would both be {twice[0]} "
                                      "in slots.h", "rename one of those that this is made of")])
        write_if_changed(out / "slots" / name / "slots.h", text.encode())
        write_if_changed(out / "slots" / name / "granted.h", slots.granted(name, _called(component, methods)).encode())
    abi = read_abi(session.root / "kernel" / "include" / "abi")
    write_if_changed(out / "include" / "tessera" / "syscalls.h", stubs.syscalls_header(abi).encode())
    for file, text in sorted(_interface_headers(session.inputs).items()):
        write_if_changed(out / "interfaces" / file, text.encode())
    return 0


def _nothing(arguments: argparse.Namespace) -> str:
    """No errors, for machines."""
    return json.dumps(to_sarif([], CODES), indent=2) if arguments.sarif else "[]"


def command_check(session: Session) -> int:
    """All errors of a system, or one line that says it is fine."""
    source, checked = session.checked(required=False)
    assert checked.system is not None
    if session.arguments.json or session.arguments.sarif:
        print(_nothing(session.arguments))
    else:
        system = checked.system
        print(f"{source.path}: fine: {len(system.instances)} instances, {len(system.links)} connections")
        for verdict in checked.verdicts:
            trust = f", trusting {', '.join(verdict.trusted)} to keep clients apart" if verdict.trusted else ""
            print(f"  holds: {verdict.rule}{trust}")
    return 0


def _inputs(image_file: Path, checked: Checked) -> str:
    """Rules for make: what the manifest extends, and the files it names.

    A file that is gone is no error; the manifest no longer extends it.
    """
    files = [source.path for source in checked.composed.files.values()] if checked.composed else []
    files += sorted({one.path for i in (checked.system.instances if checked.system else ()) for one in i.files
                     if not one.path.startswith("build/")})
    return "".join(f"{image_file}: {file}\n{file}: ;\n" for file in files)


def command_build(session: Session) -> int:
    """plan.json, bundle.bin and the ISO."""
    arguments = session.arguments
    image.check_append(arguments.append)
    source, checked = session.checked(required=True)
    product = make(checked, read_abi(session.root / "kernel" / "include" / "abi"), arguments.dump)
    for name, path in checked.paths.items():
        stack_check.keep(path, checked.elfs[name])
    out = Path(arguments.out) if arguments.out else session.build_dir() / product.plan.system
    write_if_changed(out / "plan.json", product.plan_json.encode())
    write_if_changed(out / "bundle.bin", product.bundle)
    write_if_changed(out / "inputs.mk", _inputs(out / f"{product.plan.system}.iso", checked).encode())
    errors = verify_files((out / "bundle.bin").read_bytes(), (out / "plan.json").read_text(), source.data,
                          session.inputs, checked, arguments.dump, shown(out, session.root))
    if errors:
        raise Refused(errors)
    if not arguments.no_image:
        kernel = session.build_dir() / "kernel" / "kernel.elf"
        read_source(kernel, session.root, "build the kernel first: `make image`")
        template = read_source(session.root / "images" / "grub.cfg.in", session.root).text
        assert checked.manifest is not None
        config = image.grub_config(template, product.root.hex(), arguments.append, checked.manifest.video)
        with tempfile.TemporaryDirectory(prefix="tessera-") as work:
            contents = image.iso(Path(work), image.Contents(kernel, product.bundle, config))
        write_if_changed(out / f"{product.plan.system}.iso", contents)
    if arguments.json or arguments.sarif:
        print(_nothing(arguments))
    elif not arguments.quiet:
        print(f"{shown(out, session.root)}: {len(product.plan.rows)} instances, {len(product.plan.objects)} objects, "
              f"{len(product.plan.grants)} capabilities, {len(product.bundle) >> 10} KiB, root "
              f"{product.root.hex()[:16]}")
    return 0


def _manifest(session: Session) -> Manifest:
    source = session.read(manifest_path(session.inputs, session.arguments.system))
    composed = read_composed(session.inputs, source, session.read)
    manifest, more = read_manifest(composed.tree, source.path)
    if composed.errors or more:
        raise Refused(composed.explained([*composed.errors, *more]))
    return manifest


def command_run(session: Session) -> int:
    """The system's ISO in QEMU, its serial line on this terminal."""
    manifest = _manifest(session)
    path = session.build_dir() / manifest.system / f"{manifest.system}.iso"
    if not path.exists():
        raise Refused([Diagnostic("TSS-001", Position(shown(path, session.root)), "the system is not built",
                                  f"make image SYSTEM={manifest.system}")])
    command = ["qemu-system-x86_64", "-machine", "q35", "-m", f"{manifest.memory >> 20}M", "-cdrom", str(path),
               "-boot", "d", "-nic", "none", "-nographic", "-no-reboot", *session.arguments.qemu]
    try:
        return subprocess.call(command)
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position(command[0]), f"cannot be run: {error.strerror}",
                                  "run `make setup`")]) from None


def command_list(session: Session) -> int:
    """Components, interfaces and systems, one line each."""
    components = load_components(session.inputs)
    print("components")
    for name, component in components.items():
        print(f"  {name:24}{component.description}")
    interfaces = {n: s.data for n, s in session.inputs.interfaces.items()}
    systems = {path.stem: read_file(path) for path in session.inputs.files("manifests/*.yaml")}
    for title, texts in (("interfaces", interfaces), ("systems", systems)):
        print(title)
        for name, data in texts.items():
            tree, _ = load(data, name)
            print(f"  {name:24}{getattr(tree.get('description'), 'text', '')}")
    return 0


def command_schema(session: Session) -> int:
    """The JSON Schema of manifests, printed or written."""
    for name, text in schema.files().items():
        if session.arguments.out is None:
            print(text, end="")
            return 0
        write_if_changed(Path(session.arguments.out) / name, text.encode())
    return 0


def command_show(session: Session) -> int:
    """Every value of a system with its origin."""
    arguments = session.arguments
    source = session.read(manifest_path(session.inputs, arguments.system))
    checked = check_system(session.inputs, source, session.build_dir(), None, False, session.read)
    if checked.composed is None or checked.manifest is None:
        raise Refused(checked.errors)
    abi = read_abi(session.root / "kernel" / "include" / "abi")
    rows = [v for v in show.values(checked.composed, checked.system, checked.images, abi)
            if arguments.path is None or f"{v.path}.".startswith(f"{arguments.path}.")]
    if not rows:
        raise Refused([Diagnostic("TSS-010", Position(source.path), f"nothing lies at {short(arguments.path)}",
                                  "write keys joined by dots, such as instances.shell.priority")])
    width = max(len(f"{v.path}: {v.text}") for v in rows if len(v.text) < 60 or len(rows) == 1)
    for v in rows:
        print(v.text if arguments.bare else f"{f'{v.path}: {v.text}':{width}}  # {v.origin}")
    return 0


def command_new(session: Session) -> int:
    """The files of something new, in TESSERA_EXTRA if there is one, with what to do next."""
    arguments, inputs = session.arguments, session.inputs
    name = arguments.name
    if arguments.kind == "component":
        files = new.component(name, inputs)
        following = f"generator/tessera new manifest {name.split('/')[-1][:15]} --of {name}"
    elif arguments.kind == "manifest":
        files = new.manifest(name, arguments.of or f"apps/{name}", load_components(inputs), inputs)
        following = f"make run SYSTEM={name}"
    else:
        system = read_composed(inputs, session.read(manifest_path(inputs, name)), session.read)
        instances = read_manifest(system.tree, name)[0].instances
        files = new.scenario(name, instances[-1].name if instances else "init", inputs)
        following = (f"/usr/bin/python3 -m pytest {next(iter(files))}" if inputs.extra is None else
                     f"make test TESSERA_EXTRA={inputs.extra}")
    for path, text in files.items():
        write_if_changed(inputs.roots[-1] / path, text.encode())
        print(f"written: {shown(inputs.roots[-1] / path, session.root)}")
    print(f"next: {following}")
    return 0


def command_explain(session: Session) -> int:
    """What an error code means; without a code, all of them with their titles."""
    code = session.arguments.code
    if code is None:
        print("\n".join(f"{name}  {title}" for name, (title, _) in CODES.items()))
        return 0
    name = code.upper() if code.upper().startswith("TSS-") else f"TSS-{code}"
    if name not in CODES:
        raise Refused([Diagnostic("TSS-015", Position("explain"), f"there is no code {short(code)}",
                                  did_you_mean(name, CODES))])
    title, text = CODES[name]
    print(f"{name}: {title}\n\n{textwrap.fill(text, 100)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tessera", description="Check, build and run systems made of components.")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="the tree to work on (default: this one)")
    parser.add_argument("--extra", help="a tree of your own beside it (default: $TESSERA_EXTRA)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    system = argparse.ArgumentParser(add_help=False)
    system.add_argument("system", metavar="NAME|FILE", help="manifests/NAME.yaml, or the file itself")
    system.add_argument("--build-dir", help="where kernel and components were built (default: build)")
    system.add_argument("--json", action="store_true", help="errors as a JSON list")
    system.add_argument("--sarif", action="store_true", help="errors as a SARIF log")
    command = commands.add_parser("check", parents=[system], help="find everything that is wrong with a system")
    command.set_defaults(run=command_check)
    command = commands.add_parser("build", parents=[system], help="make plan, bundle and ISO, and verify them")
    command.add_argument("--out", help="folder for the results (default: BUILD_DIR/NAME)")
    command.add_argument("--append", default="", help="more words for the kernel's command line")
    command.add_argument("--dump", action="store_true", help="init prints all capability tables")
    command.add_argument("--no-image", action="store_true", help="stop before the ISO; needs no kernel")
    command.add_argument("--quiet", action="store_true", help="print nothing if all is fine")
    command.set_defaults(run=command_build)
    command = commands.add_parser("run", parents=[system], help="boot a built system in QEMU; its arguments after --")
    command.set_defaults(run=command_run)
    command = commands.add_parser("list", help="components, interfaces and systems")
    command.set_defaults(run=command_list)
    command = commands.add_parser("explain", help="what an error code means")
    command.add_argument("code", nargs="?", metavar="CODE", help="such as TSS-026, or 026")
    command.set_defaults(run=command_explain)
    add_reference_commands(commands)
    add_product_commands(commands)
    add_trace_command(commands)
    command = commands.add_parser("show", parents=[system], help="every value of a system and where it comes from")
    command.add_argument("path", nargs="?", metavar="PATH", help="only what lies there, such as instances.shell")
    command.add_argument("--bare", action="store_true", help="values alone")
    command.set_defaults(run=command_show)
    add_commands(commands, system)
    add_figures_commands(commands, system)
    add_audit(commands)
    command = commands.add_parser("schema", help="print the JSON Schema of manifests, for editors")
    command.add_argument("--out", help="write it and the fragments' into this folder, such as build/schema")
    command.set_defaults(run=command_schema)
    command = commands.add_parser("new", help="the files of a new component, manifest or scenario")
    command.add_argument("kind", choices=new.KINDS)
    command.add_argument("name", metavar="NAME", help="such as apps/hi for a component, hi for a manifest or scenario")
    command.add_argument("--of", metavar="COMPONENT", help="what a new manifest adds to the demo (default: apps/NAME)")
    command.set_defaults(run=command_new)
    command = commands.add_parser("stubs", help="write the C headers that components are compiled with")
    command.add_argument("--out", required=True, help="folder for the headers, such as build/gen")
    command.set_defaults(run=command_stubs)
    return terminal.with_examples(parser)


def _refused(errors: tuple[Diagnostic, ...], arguments: argparse.Namespace, session: Session | None) -> int:
    """Prints the errors in the form that was asked for; returns the exit status."""
    if getattr(arguments, "sarif", False):
        print(json.dumps(to_sarif(errors, CODES), indent=2))
    elif getattr(arguments, "json", False):
        print(json.dumps(to_json(errors), indent=2))
    else:
        text = render(errors, session.sources() if session else {})
        sys.stderr.write(terminal.painted(text, sys.stderr))
    return 1


def main(argv: list[str]) -> int:
    """Runs one command; returns the exit status: 0 fine, 1 refused with coded errors."""
    argv = rewritten(argv)
    end = argv.index("--") if "--" in argv else len(argv)
    arguments = _parser().parse_args(argv[:end])
    arguments.qemu = argv[end + 1:]
    if arguments.command == "completion":
        print(terminal.completion(_parser(), arguments.shell), end="")
        return 0
    session: Session | None = None
    try:
        session = Session(arguments)
        return int(arguments.run(session))
    except Refused as refused:
        return _refused(refused.diagnostics, arguments, session)
    except BrokenPipeError:  # an OSError too, but nobody is left to hear of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        name = shown(Path(os.fsdecode(error.filename)), session.root) if session and error.filename else "tessera"
        return _refused((Diagnostic("TSS-001", Position(name), f"cannot be read or written: {error.strerror}",
                                    "name another place, or make room for it there"),), arguments, session)
