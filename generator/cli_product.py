# SPDX-License-Identifier: BSD-2-Clause
"""The commands about configurations: `why CONFIG_X`, and `config`, which configs/kconfig.mk uses."""
import argparse
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Protocol

from generator import image, kconfig, sbom, terminal
from generator.build import Checked
from generator.cli_hardening import add_command as add_hardening_command
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, short
from generator.files import write_if_changed
from generator.inputs import Source, read_source


class Session(Protocol):
    """What these commands need of cli.Session."""

    arguments: argparse.Namespace
    root: Path

    def build_dir(self) -> Path: ...

    def checked(self, required: bool) -> tuple[Source, Checked]: ...


def rewritten(argv: list[str]) -> list[str]:
    """`why CONFIG_X` is a command of its own beside `why INSTANCE INSTANCE`."""
    for index, word in enumerate(argv[:-1]):
        if word == "why" and any(next_word.startswith("CONFIG_") for next_word in argv[index + 1:]):
            return [*argv[:index], "why-config", *argv[index + 1:]]
    return argv


def _dot_config(session: Session) -> Path:
    return session.build_dir() / ".config"


def _readable(path: Path) -> str:
    """A configuration's text. What is not text is dropped with a warning, and the file kept beside."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused([Diagnostic("TSS-001", Position(str(path)), f"cannot be read: {error.strerror}")]) from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        kept = path.with_name(f"{path.name}.broken")
        kept.write_bytes(data)
        good = [line for line in data.split(b"\n") if line.isascii()]
        print(f"{path}: {data.count(10) + 1 - len(good)} lines are not text and were left out; all of it is in {kept}",
              file=sys.stderr)
        return b"\n".join(good).decode()


def _loaded(session: Session) -> Any:
    """The options with the build's .config, whatever state it is in."""
    os.environ["srctree"] = str(session.root)
    os.environ.setdefault("TESSERA_EXTRA", "")
    kconf = kconfig.parse(session.root)
    path = _dot_config(session)
    if path.is_file():
        write_if_changed(path, _readable(path).encode())
        kconf.load_config(str(path))
    return kconf


def _warn(lines: list[str]) -> None:
    for line in lines:
        print(f"warning: {line}", file=sys.stderr)


def _save(session: Session, kconf: Any) -> None:
    """.config as kconfiglib writes it; the folder is made."""
    path = _dot_config(session)
    path.parent.mkdir(parents=True, exist_ok=True)
    kconf.write_config(str(path), save_old=False)


def _forget_defaults(kconf: Any) -> None:
    """What .config has only because it is the default may change with what it depends on, such as the profile."""
    with tempfile.TemporaryDirectory(prefix="tessera-") as work:
        kconf.write_min_config(f"{work}/defconfig")
        kconf.load_config(f"{work}/defconfig")


def command_merge(session: Session) -> int:
    """Fragments into .config."""
    kconf = _loaded(session)
    _forget_defaults(kconf)
    fragments = [(name, _readable(Path(name))) for name in session.arguments.files]
    warnings = kconfig.merge(kconf, fragments)
    _warn(warnings)
    _save(session, kconf)
    return 1 if warnings and session.arguments.strict else 0


def command_random(session: Session) -> int:
    """Options by chance into .config."""
    seed = session.arguments.seed
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "little")
    os.environ["srctree"] = str(session.root)
    kconf = kconfig.parse(session.root)
    kconfig.randomize(kconf, seed)
    _save(session, kconf)
    print(f"{_dot_config(session)}: KCONFIG_SEED={seed}")
    return 0


def command_mend(session: Session) -> int:
    """Whatever .config is, afterwards it is one that an editor opens; a missing one has the defaults."""
    kconf = _loaded(session)
    _warn([str(warning) for warning in kconf.warnings])
    _save(session, kconf)
    return 0


def command_display(session: Session) -> int:
    """Whether a window can be opened for guiconfig; says what is missing."""
    reasons = []
    if importlib.util.find_spec("tkinter") is None:
        reasons.append("Python has no tkinter here; on Debian it is in the package python3-tk")
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        reasons.append("there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
    for reason in reasons:
        print(f"guiconfig: {reason}", file=sys.stderr)
    if reasons:
        print("guiconfig: `make menuconfig` edits the same options in a terminal", file=sys.stderr)
    return 1 if reasons else 0


def _files(session: Session) -> list[tuple[str, str]]:
    paths = [*sorted((session.root / "configs").glob("*_defconfig")), _dot_config(session)]
    return [(str(path.relative_to(session.root)) if path.is_relative_to(session.root) else str(path),
             _readable(path) if path.is_file() else "") for path in paths]


def command_why(session: Session) -> int:
    """One option: what it is, its value and where from, what it needs, what it would change."""
    kconf = _loaded(session)
    texts = []
    for word in session.arguments.symbols:
        symbol = kconf.syms.get(word.removeprefix("CONFIG_"))
        if symbol is None or not symbol.nodes:
            known = [f"CONFIG_{s.name}" for s in kconf.unique_defined_syms]
            raise Refused([Diagnostic("TSS-015", Position("why"), f"there is no option {short(word)}",
                                      did_you_mean(word, known))])
        texts.append(kconfig.why(kconf, session.root, symbol, _files(session)))
    print("\n\n".join(texts))
    return 0


def command_image(session: Session) -> int:
    """Other images of a system that `build` has planned: raw disk, qcow2, or the ISO with signatures."""
    arguments = session.arguments
    _, checked = session.checked(required=False)
    assert checked.manifest is not None
    build, system = session.build_dir(), checked.manifest.system
    bundle = read_source(build / system / "bundle.bin", session.root, "build the system first: `make image`").data
    plan = json.loads(read_source(build / system / "plan.json", session.root).text)
    kernel = build / "kernel" / "kernel.elf"
    read_source(kernel, session.root, "build the kernel first: `make image`")
    template = read_source(session.root / "images" / "grub.cfg.in", session.root).text
    config = image.grub_config(template, plan["root_hash"], "", checked.manifest.video)
    maker, ending = image.FORMATS[arguments.format]
    with tempfile.TemporaryDirectory(prefix="tessera-") as work, tempfile.TemporaryDirectory(prefix="tessera-") as keys:
        key = image.make_key(Path(keys), Path(arguments.sign)) if arguments.sign else None
        contents = maker(Path(work), image.Contents(kernel, bundle, config, key))
    write_if_changed(build / system / f"{system}.{ending}", contents)
    return 0


def command_sbom(session: Session) -> int:
    """The bill of materials beside the image."""
    source, checked = session.checked(required=True)
    assert checked.manifest is not None
    build, system = session.build_dir(), checked.manifest.system
    plan = json.loads(read_source(build / system / "plan.json", session.root, "build it first: `make image`").text)
    material = sbom.Material(
        system, (source.path, source.data), plan["root_hash"], plan["abi_version"],
        read_source(build / "kernel" / "kernel.elf", session.root).data,
        read_source(build / system / "bundle.bin", session.root).data, checked.elfs,
        {name: sbom.package_version(name) for name in sbom.outside(checked.elfs)})
    write_if_changed(build / system / f"{system}.spdx.json", sbom.text_of(material).encode())
    return 0


def add_commands(commands: Any) -> None:
    """Adds the commands of this file to the parser."""
    terminal.add_command(commands)
    add_hardening_command(commands)
    build_dir = argparse.ArgumentParser(add_help=False)
    build_dir.add_argument("--build-dir", help="where .config is (default: build)")
    command = commands.add_parser("why-config", parents=[build_dir], help="about an option: `tessera why CONFIG_X`")
    command.add_argument("symbols", nargs="+", metavar="CONFIG_X")
    command.set_defaults(run=command_why)
    command = commands.add_parser("image", parents=[build_dir], help="raw disk, qcow2 or signed ISO of a built system")
    command.add_argument("system", metavar="NAME|FILE")
    command.add_argument("--format", choices=sorted(image.FORMATS), default="iso")
    command.add_argument("--sign", metavar="DIR", help="GRUB checks signatures; the key is in DIR, or is made there")
    command.set_defaults(run=command_image)
    command = commands.add_parser("sbom", parents=[build_dir], help="bill of materials of a built system (SPDX 2.3)")
    command.add_argument("system", metavar="NAME|FILE")
    command.set_defaults(run=command_sbom)
    command = commands.add_parser("config", help="merge fragments, choose options by chance; make uses it")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    action = actions.add_parser("merge", parents=[build_dir], help="fragments into .config, later ones win")
    action.add_argument("files", nargs="+", metavar="FRAGMENT")
    action.add_argument("--strict", action="store_true", help="exit status 1 if there is a warning")
    action.set_defaults(run=command_merge)
    action = actions.add_parser("random", parents=[build_dir], help="every option by chance")
    action.add_argument("--seed", type=int, help="the same seed gives the same options (default: a new one)")
    action.set_defaults(run=command_random)
    action = actions.add_parser("mend", parents=[build_dir], help="drop what is no option or no value from .config")
    action.set_defaults(run=command_mend)
    action = actions.add_parser("display", help="whether guiconfig can open a window")
    action.set_defaults(run=command_display)
