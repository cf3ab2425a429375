# SPDX-License-Identifier: BSD-2-Clause
"""Manners of the command line: examples and exit statuses in --help, completion for shells, colour on terminals."""
import argparse
import os
import re
from collections.abc import Iterator
from typing import Any, TextIO

EXIT_STATUSES = """exit status:
  0  all is well
  1  refused: each error has a code, a place and a hint on stderr (`tessera explain CODE`)
  2  the command line itself is wrong
  `run` ends with QEMU's status"""

EXAMPLES = {
    "check": ("tessera check demo", "tessera check manifests/demo.yaml --json"),
    "build": ("tessera build demo", "tessera build demo --dump --out build/dumping"),
    "image": ("tessera image demo --format qcow2", "tessera image vault --sign build/keys"),
    "sbom": ("tessera sbom demo",),
    "run": ("tessera run demo", "tessera run demo -- -snapshot"),
    "audit": ("tessera audit console.log", "tessera audit console.log --list --head HASH"),
    "list": ("tessera list",),
    "explain": ("tessera explain TSS-026", "tessera explain"),
    "doc": ("tessera doc echo", "tessera doc"),
    "manual": ("tessera manual --out build", "tessera manual --html"),
    "stubs": ("tessera stubs --out build/gen",),
    "why": ("tessera why shell serial", "tessera why CONFIG_SMEP"),
    "why-not": ("tessera why-not demo ping power",),
    "why-config": ("tessera why CONFIG_SMEP",),
    "diff": ("tessera diff demo console", "tessera diff old.yaml new.yaml --fail-on-growth"),
    "trace": ("tessera trace console.txt", "tessera trace console.txt --system traced --json"),
    "graph": ("tessera graph demo --out demo.svg",),
    "report": ("tessera report demo --out report.html",),
    "stack": ("tessera stack demo", "tessera stack demo shell"),
    "size": ("tessera size demo", "tessera size demo --json", "tessera size --compare old.json demo"),
    "response": ("tessera response controller",),
    "show": ("tessera show demo instances.shell",),
    "hardening": ("tessera hardening vault", "tessera hardening vault --config build/.config --json"),
    "schema": ("tessera schema --out manifests/schema",),
    "new": ("tessera new component apps/hi", "tessera new scenario hi"),
    "config": ("tessera config merge a.config b.config", "tessera config random --seed 7"),
    "completion": ("source <(tessera completion bash)",),
}
FIRST = ("check", "build", "run", "explain", "why-config")  # whose first examples the general help shows

RED, GREEN, CYAN, BOLD, PLAIN = "\033[31m", "\033[32m", "\033[36m", "\033[1m", "\033[0m"
PAINT = ((re.compile(r"^(\S+: )(error TSS-\d+:)", re.M), rf"{BOLD}\1{RED}\2{PLAIN}"),
         (re.compile(r"^(  note:)", re.M), rf"{CYAN}\1{PLAIN}"),
         (re.compile(r"^(  hint:)", re.M), rf"{GREEN}\1{PLAIN}"),
         (re.compile(r"^( +)(\^)$", re.M), rf"\1{RED}\2{PLAIN}"))

COMPLETION = """# Made by `tessera completion {shell}`.
_tessera_systems() {{
    local file
    for file in "$1"/manifests/*.yaml; do file=${{file##*/}}; echo "${{file%.yaml}}"; done
}}
# Candidates for the word after: the command as typed, tessera's command, the words it has.
_tessera_words() {{
    local root
    root=$(dirname "$(dirname "$(readlink -f "$(command -v "$1")")")")
    case "$2" in
{cases}
    *) echo "{commands}" ;;
    esac
}}
{wrapper}
"""
BASH = """_tessera() {
    local command=
    [ "$COMP_CWORD" -gt 1 ] && command=${COMP_WORDS[1]}
    COMPREPLY=($(compgen -W "$(_tessera_words "${COMP_WORDS[0]}" "$command")" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tessera tessera generator/tessera"""
ZSH = """_tessera() {
    local command=
    [ "$CURRENT" -gt 2 ] && command=${words[2]}
    compadd -- $(_tessera_words "${words[1]}" "$command") || _files
}
compdef _tessera tessera generator/tessera"""
WRAPPERS = {"bash": BASH, "zsh": ZSH}


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def with_examples(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds examples to the help of the parser and of each of its commands."""
    commands = _commands(parser)
    for name, command in commands.items():
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.epilog = "examples:\n" + "\n".join(f"  {line}" for line in EXAMPLES.get(name, ()))
    lines = [EXAMPLES[name][0] for name in FIRST if name in commands]
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "examples:\n" + "\n".join(f"  {line}" for line in lines) + "\n\n" + EXIT_STATUSES
    return parser


def _words(command: argparse.ArgumentParser) -> Iterator[str]:
    for action in command._actions:
        yield from (word for word in action.option_strings if word.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices
        elif action.choices:
            yield from (str(choice) for choice in action.choices)


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script that a shell sources."""
    cases = []
    for name, command in sorted(_commands(parser).items()):
        systems = any(str(action.metavar or "").startswith(("NAME|", "[SYSTEM]", "OLD")) for action in command._actions)
        more = '; _tessera_systems "$root"' if systems else ""
        cases.append(f'    {name}) echo "{" ".join(_words(command))}"{more} ;;')
    known = " ".join(sorted(name for name in _commands(parser) if name != "why-config"))
    return COMPLETION.format(shell=shell, cases="\n".join(cases), commands=known, wrapper=WRAPPERS[shell])


def painted(text: str, stream: TextIO) -> str:
    """Errors in colour, if they go to a terminal and NO_COLOR (no-color.org) does not forbid it."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    for pattern, replacement in PAINT:
        text = pattern.sub(replacement, text)
    return text


def add_command(commands: Any) -> None:
    """Adds `completion` to the parser."""
    command = commands.add_parser("completion", help="print a script for bash or zsh that completes commands")
    command.add_argument("shell", choices=sorted(WRAPPERS))
    command.set_defaults(run=None)
