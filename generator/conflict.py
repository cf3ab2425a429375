# SPDX-License-Identifier: BSD-2-Clause
"""A manifest wants what the configuration does not have: which option, on what it depends, where that stands, and a
smallest set of changes that mends it. Looked up only when there is such an error, since reading Kconfig takes time.
"""
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import kconfiglib

from generator import kconfig
from generator.diagnostics import Diagnostic, Note, Position, Refused, did_you_mean

CODES = ("TSS-051", "TSS-141")


def _place(text: str) -> Position:
    path, _, line = text.rpartition(":")
    return Position(path, int(line), 1)


def _loaded(root: Path, dot_config: Path) -> Any:
    os.environ["srctree"] = str(root)
    os.environ.setdefault("TESSERA_EXTRA", "")
    kconf = kconfig.parse(root)
    if dot_config.is_file():
        kconf.load_config(str(dot_config))
    return kconf


def _explained(error: Diagnostic, kconf: Any, requests: Iterable[kconfig.Request]) -> Diagnostic:
    match = re.search(r"CONFIG_(\w+)", error.message)
    symbol = kconf.syms.get(match[1]) if match else None
    if match is None or symbol is None or not symbol.nodes:
        known = [f"CONFIG_{s.name}" for s in kconf.unique_defined_syms]
        return replace(error, hint=did_you_mean(match[0], known)) if match else error
    notes = [Note(_place(kconfig.where(symbol)), f"CONFIG_{symbol.name} depends on {kconfig.text_of(part)}")
             for part in kconfig.conditions(symbol) if not kconfiglib.expr_value(part)]
    changes = kconfig.mending(symbol)
    if changes is None:
        return replace(error, notes=(*error.notes, *notes), hint="no choice of options was found that has it")
    said = {request.name: request for request in requests}
    notes += [Note(_place(said[c.name].place), f"CONFIG_{c.name} is {said[c.name].value} here")
              for c in changes if c.name in said and said[c.name].value != c.wanted]
    wanted = ", ".join(f"CONFIG_{c.name}={c.wanted}" for c in changes)
    return replace(error, notes=(*error.notes, *notes), hint=f"set {wanted} (`make menuconfig`)")


def explained(errors: Iterable[Diagnostic], root: Path, dot_config: Path,
              read: Callable[[Path], Any]) -> list[Diagnostic]:
    """The errors, those about options with what Kconfig says; `read` makes a file's lines known for printing."""
    found = list(errors)
    if not (root / "Kconfig").is_file() or not any(error.code in CODES for error in found):
        return found
    try:
        kconf = _loaded(root, dot_config)
    except Refused as refused:
        return [*found, *refused.diagnostics]
    shown = str(dot_config.relative_to(root)) if dot_config.is_relative_to(root) else str(dot_config)
    requests = kconfig.read_fragment(shown, dot_config.read_text(errors="replace"))[0] if dot_config.is_file() else []
    found = [_explained(error, kconf, requests) if error.code in CODES else error for error in found]
    for path in {note.position.path for error in found if error.code in CODES for note in error.notes}:
        if (root / path).is_file():
            read(root / path)
    return found
