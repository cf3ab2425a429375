# SPDX-License-Identifier: BSD-2-Clause
"""The stacks of a system's threads against what the compiled code can need: TSS-090 to TSS-093.

Disassembling is slow, so what was found of an ELF file is kept beside it, with the file's digest (`NAME.code.json`).
"""
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.check import System
from generator.functions import Code, digest, from_json, read_code, to_json
from generator.component import FACTORY, Component
from generator.diagnostics import Diagnostic, Position
from generator.fields import size_text
from generator.files import write_if_changed
from generator.stack import Bound, Stacks, measure, page_up, plain, strangers, too_small


@functools.lru_cache(maxsize=64)
def _code(path: Path, of: str) -> Code:
    """What is kept of the file, or found now."""
    kept = path.with_suffix(".code.json")
    found = from_json(kept.read_text(errors="replace"), of) if kept.is_file() else None
    return found or read_code(str(path), path.read_bytes())


def keep(path: Path, data: bytes) -> None:
    """Writes what was found of the ELF file for the next run."""
    of = digest(data)
    write_if_changed(path.with_suffix(".code.json"), to_json(_code(path, of), of).encode())


def measure_files(elfs: Mapping[str, bytes], paths: Mapping[str, Path],
                  components: Mapping[str, Component],
                  words: Callable[[str], frozenset[str]]) -> tuple[dict[str, Stacks], list[Diagnostic]]:
    """The threads of each component that is built; `words` are those in a component's sources."""
    found: dict[str, Stacks] = {}
    errors: list[Diagnostic] = []
    for name in sorted(elfs.keys() & components.keys()):
        code, component = _code(paths[name], digest(elfs[name])), components[name]
        found[name] = measure(code, component.stacks)
        errors += strangers(code, component.stacks, lambda: words(name))
        errors += _unknown(component, found[name])
    return found, errors


HINTS = {"TSS-091": "make it a loop, or write `stacks: {recursion: {FUNCTION: N}}` in component.yaml, N activations at "
                    "most; name with `calls` where indirect calls go",
         "TSS-092": "if it does that on purpose, write `stacks: {leaves: [FUNCTION]}` in component.yaml"}


def _unknown(component: Component, stacks: Stacks) -> Iterator[Diagnostic]:
    """What cannot be known of a component's stacks."""
    for code, text in dict.fromkeys(u for b in (stacks.main, *(b for _, _, b in stacks.threads)) for u in b.unknown):
        yield Diagnostic(code, component.position, f"the stack of {component.name} is not known: {text}", HINTS[code])


def check_stacks(system: System, stacks: Mapping[str, Stacks], components: Mapping[str, Component]) -> list[Diagnostic]:
    """Threads whose stack is smaller than what they may need."""
    errors: list[Diagnostic] = []
    for instance in (i for i in system.instances if i.component.name in stacks):
        found = stacks[instance.component.name].main
        errors += too_small(f'"{instance.name}"', instance.stack, found, instance.place("stack"),
                            size_text(instance.stack), f"write `stack: {size_text(page_up(found.bytes))}` or more")
    for name in sorted(stacks.keys() & components.keys()):
        for named, size, found in stacks[name].threads:
            errors += too_small(f"the thread {plain(named.name)} of {name}", size, found, named.position,
                                size_text(size), "give it more, and say so here")
    if "init" in stacks and "init" in components:
        size = components["init"].defaults.stack or FACTORY.stack or 0
        errors += too_small("init", size, stacks["init"].main, components["init"].position, size_text(size),
                            "raise TSS_INIT_STACK_PAGES with it")
    return errors


@dataclass(frozen=True)
class Thread:
    """A row of `tessera stack`."""

    instance: str
    entry: str  # empty: the first thread
    size: int
    bound: Bound
    place: Position


def threads(system: System, stacks: Mapping[str, Stacks]) -> list[Thread]:
    """All threads of all instances that are built."""
    rows: list[Thread] = []
    for instance in (i for i in system.instances if i.component.name in stacks):
        of = stacks[instance.component.name]
        rows.append(Thread(instance.name, "", instance.stack, of.main, instance.place("stack")))
        rows += [Thread(instance.name, plain(named.name), size, found, named.position)
                 for named, size, found in of.threads]
    return rows
