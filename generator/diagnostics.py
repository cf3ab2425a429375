# SPDX-License-Identifier: BSD-2-Clause
"""Errors with a stable code and a place: what they hold and how they are printed.

Every stage returns its errors as a list; the command line prints all of them, sorted by place, in one run.
"""
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_BUILD = "build it again; it is not what was planned, or was changed since"
ALWAYS = {"TSS-019": "leave one of them out", **{f"TSS-07{n}": _BUILD for n in range(5)}}  # if nothing better is said
LINE_WIDTH = 160  # a longer source line is cut; the caret stays right because only the end is lost


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text file: lines and columns count from 1; line 0 stands for the file as a whole."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True)
class Note:
    """A second place that belongs to an error, such as the other one of two that collide."""

    position: Position
    text: str = "first here"


@dataclass(frozen=True)
class Diagnostic:
    """One error: code of codes.py, place, what is wrong, what to do about it."""

    code: str
    position: Position
    message: str
    hint: str = ""
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        if not self.hint:
            object.__setattr__(self, "hint", ALWAYS.get(self.code, ""))


class Refused(Exception):
    """Ends the stages early: what follows makes no sense with these errors."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        super().__init__("refused")
        self.diagnostics = tuple(diagnostics)


Sources = Mapping[str, str]  # path as printed -> text of the file


def visible(text: str) -> str:
    """`text` with everything that a terminal could act on made visible; one column stays one column."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in text)


def short(text: str, limit: int = 60) -> str:
    """A value as it is quoted in a message."""
    text = visible(text)
    return f'"{text}"' if len(text) <= limit else f'"{text[:limit]}..."'


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint: the known word that is nearest, or all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.7)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known here: {', '.join(names)}" if names else "there are none"


def source_lines(position: Position, sources: Sources) -> list[str]:
    """The line at `position` and the caret below it; nothing if there is no such line."""
    lines = sources.get(position.path, "").split("\n")
    if not 1 <= position.line <= len(lines):
        return []
    line = visible(lines[position.line - 1].rstrip("\r"))
    if position.column > LINE_WIDTH:
        return []
    return [f"    {line[:LINE_WIDTH]}".rstrip(), f"    {' ' * (position.column - 1)}^"]


def render_one(diagnostic: Diagnostic, sources: Sources) -> str:
    """One error as text, several lines."""
    lines = [f"{diagnostic.position}: error {diagnostic.code}: {visible(diagnostic.message)}"]
    lines += source_lines(diagnostic.position, sources)
    for note in diagnostic.notes:
        lines.append(f"  note: {note.position}: {note.text}")
        lines += source_lines(note.position, sources)
    if diagnostic.hint:
        lines.append(f"  hint: {visible(diagnostic.hint)}")
    return "\n".join(lines)


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place, each once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: (d.position, d.code, d.message))


def render(diagnostics: Iterable[Diagnostic], sources: Sources) -> str:
    """All errors as text, sorted by place."""
    return "".join(render_one(d, sources) + "\n" for d in ordered(diagnostics))


def _region(position: Position) -> dict[str, Any]:
    """A place as SARIF has it; its lines and columns count from 1."""
    place: dict[str, Any] = {"artifactLocation": {"uri": position.path}}
    if position.line:
        place["region"] = {"startLine": position.line, "startColumn": max(position.column, 1)}
    return {"physicalLocation": place}


def to_sarif(diagnostics: Iterable[Diagnostic], titles: Mapping[str, tuple[str, str]] | None = None) -> dict[str, Any]:
    """All errors as a SARIF 2.1.0 log, for services that show them beside the code; `titles` as in codes.py."""
    found = ordered(diagnostics)
    rules = [{"id": code, "shortDescription": {"text": titles[code][0]}, "fullDescription": {"text": titles[code][1]}}
             if titles else {"id": code} for code in sorted({d.code for d in found})]
    results = [{"ruleId": d.code, "level": "error", "locations": [_region(d.position)],
                "message": {"text": visible(d.message) + (f" ({visible(d.hint)})" if d.hint else "")},
                "relatedLocations": [{**_region(n.position), "message": {"text": n.text}} for n in d.notes]}
               for d in found]
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
            "runs": [{"tool": {"driver": {"name": "tessera", "rules": rules}}, "results": results}]}


def to_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """All errors for --json, sorted by place."""
    return [{"code": d.code, "file": d.position.path, "line": d.position.line, "column": d.position.column,
             "message": d.message, "hint": d.hint,
             "notes": [{"file": n.position.path, "line": n.position.line, "column": n.position.column,
                        "text": n.text} for n in d.notes]} for d in ordered(diagnostics)]
