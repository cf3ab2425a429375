# SPDX-License-Identifier: BSD-2-Clause
"""manual: the reference manual, made from the tables that the kernel and this generator are made from.

templates/manual.md.j2 has the prose and names rows by calling a function of `Tables` for each; the rows' texts are
those of kernel/include/abi/*.def, Kconfig, component interfaces, codes.py and the kept figures of the bench. A row of
any of these that the template does not name is an error (TSS-142), and so is a name that no row has: a manual that
lacks something, or tells of what is gone, is not printed.
"""
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import markdown as markdown_library

from generator.abi import Abi, Call
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean

TEMPLATE = Path(__file__).parent / "templates" / "manual.md.j2"
WORST = "worst_"  # rows of the bench: the longest stretches with interrupts off


@dataclass(frozen=True)
class Option:
    """An option of the kernel's Kconfig: its prompt, its value in each profile, its help."""

    name: str
    prompt: str
    values: Mapping[str, str]
    help: str


@dataclass(frozen=True)
class Sources:
    """What the manual is made of. `figures`: row of the bench -> its median and unit."""

    abi: Abi
    figures: Mapping[str, tuple[int, str]]
    options: Sequence[Option]
    interfaces: Sequence[str]  # each as Markdown
    codes: Mapping[str, tuple[str, str]]
    version: str


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _call_name(call: Call) -> str:
    return f"{call.object}_{call.verb}"


@dataclass
class Tables:
    """The functions of the template. Each notes which rows it has shown, by kind."""

    sources: Sources
    shown: dict[str, set[str]] = field(default_factory=dict)

    def _take(self, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
        every = set(known)
        for name in names:
            if name not in every:
                raise Refused([Diagnostic("TSS-142", Position(TEMPLATE.name), f"there is no {kind} `{name}`",
                                          did_you_mean(name, every))])
            if name in self.shown.setdefault(kind, set()):
                raise Refused([Diagnostic("TSS-142", Position(TEMPLATE.name), f"{kind} `{name}` is there twice")])
            self.shown[kind].add(name)

    def known(self) -> dict[str, list[str]]:
        """Kind -> names of all rows that the manual must have."""
        abi, figures = self.sources.abi, self.sources.figures
        return {"system call": [_call_name(call) for call in abi.calls],
                "row of the bench": [name for name in figures if not name.startswith(WORST)],
                "option": [option.name for option in self.sources.options],
                **{kind: [name for at, name, _ in abi.texts if at == kind]
                   for kind in ("error", "right", "object", "fault", "event", "category")}}

    def lacking(self) -> list[str]:
        """Rows that no function has shown."""
        return [f"{kind} `{name}`" for kind, names in self.known().items() for name in names
                if name not in self.shown.get(kind, set())]

    def calls(self, *names: str) -> str:
        """System calls by name, each with its number, what it needs of its first argument, and its text."""
        self._take("system call", names, self.known()["system call"])
        by_name = {_call_name(call): call for call in self.sources.abi.calls}

        def needs(call: Call) -> str:
            kind = {"NONE": "nothing", "ANY": "any capability"}.get(call.type, call.type.lower())
            return kind if call.right == "NONE" else f"{kind}, {call.right}"

        rows = [(f"`{name}`", f"{by_name[name].number:#x}", needs(by_name[name]), by_name[name].text) for name in names]
        return _table(("call", "number", "on", "arguments, and what it does"), rows)

    def calls_of(self, *objects: str) -> str:
        """All calls whose names begin with these and that no earlier function has shown."""
        taken = self.shown.get("system call", set())
        return self.calls(*[_call_name(c) for c in self.sources.abi.calls
                            if c.object in objects and _call_name(c) not in taken])

    def prices(self, *names: str) -> str:
        """Rows of the bench."""
        self._take("row of the bench", names, self.known()["row of the bench"])
        return _table(("row of `make bench`", "median", "unit"),
                      [(f"`{name}`", f"{self.sources.figures[name][0]:,}", self.sources.figures[name][1])
                       for name in names])

    def worst(self) -> str:
        """The longest stretches, the longest first."""
        rows = sorted(((value, name.removeprefix(WORST)) for name, (value, _) in self.sources.figures.items()
                       if name.startswith(WORST)), reverse=True)
        return _table(("way in", "instructions with interrupts off, at most"),
                      [(f"`{name}`", f"{value:,}") for value, name in rows])

    def options(self, *names: str) -> str:
        """Options of Kconfig, with the value that each profile gives them."""
        self._take("option", names, self.known()["option"])
        by_name = {option.name: option for option in self.sources.options}
        profiles = list(self.sources.options[0].values)
        return _table(("option", *profiles, "what it does"),
                      [(f"`{name}`", *by_name[name].values.values(), f"{by_name[name].prompt}. {by_name[name].help}")
                       for name in names])

    def rows(self, kind: str, head: str) -> str:
        """All rows of a table without more columns than a name and a text."""
        names = self.known()[kind]
        self._take(kind, names, names)
        texts = {name: text for at, name, text in self.sources.abi.texts if at == kind}
        return _table((head, "meaning"), [(f"`{name}`", texts[name]) for name in names])

    def interfaces(self) -> str:
        """Each interface one level deeper than it is by itself."""
        return "\n".join(re.sub(r"^#", "##", page, flags=re.M) for page in self.sources.interfaces)

    def codes(self) -> str:
        return _table(("code", "title", "what to do"),
                      [(f"`{code}`", title, text) for code, (title, text) in self.sources.codes.items()])


def markdown(sources: Sources, template: str | None = None) -> str:
    """The manual. Errors: Refused with TSS-142, if a row is not in it, or what is in it is no row."""
    tables = Tables(sources)
    functions: dict[str, Callable[..., str]] = {name: getattr(tables, name) for name in (
        "calls", "calls_of", "prices", "worst", "options", "rows", "interfaces", "codes")}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    text = environment.from_string(TEMPLATE.read_text() if template is None else template).render(
        **functions, version=sources.version)
    lacking = tables.lacking()
    if lacking:
        raise Refused([Diagnostic("TSS-142", Position(TEMPLATE.name), f"the manual says nothing of {what}",
                                  "name it where its mechanism is told") for what in lacking])
    return text


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
table {{ border-collapse: collapse; margin: 1em 0; }} td, th {{ border: 1px solid #ccc; padding: .2em .6em; }}
td, th {{ text-align: left; vertical-align: top; }} code {{ background: #f4f4f4; }}
</style></head><body>
{body}
</body></html>
"""


def page(text: str) -> str:
    """The same as one HTML page, which needs nothing else, with a table of contents behind its first paragraph."""
    title = text.partition("\n")[0].lstrip("# ")
    head, rule, rest = text.partition("\n## ")
    body = markdown_library.markdown(f"{head}\n\n[TOC]\n{rule}{rest}", extensions=["tables", "toc", "fenced_code"])
    return PAGE.format(title=html.escape(title), body=body)
