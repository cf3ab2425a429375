# SPDX-License-Identifier: BSD-2-Clause
"""The reference manual: every row of every table is in it, once, and what it names is there."""
import dataclasses
import html.parser
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY

from generator import manual
from generator.abi import Abi, Call, read_abi
from generator.codes import CODES
from generator.diagnostics import Refused
from generator.manual import Option, Sources

ABI = REPOSITORY / "kernel" / "include" / "abi"
ROW = re.compile(r"^\| `([^`]+)` \|", re.M)


@pytest.fixture(scope="module")
def text() -> str:
    done = subprocess.run(["/usr/bin/python3", "generator/tessera", "manual"], cwd=REPOSITORY, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_row_of_each_table_is_there(text: str) -> None:
    """As the tables' own files have them, looked for without the generator's reader of the ABI."""
    rows = Counter(ROW.findall(text))
    calls = re.findall(r"^SYSCALL\((\w+), (\w+), \w+, (\w+),", (ABI / "syscalls.def").read_text(), re.M)
    assert len(calls) > 60
    shown = re.findall(r"^\| `(\w+)` \| (0x\w+) \|", text, re.M)
    assert sorted(shown) == sorted((f"{thing}_{verb}", number) for number, thing, verb in calls)
    for file, macro in (("errors", "ERROR"), ("rights", "RIGHT"), ("objects", "OBJECT"), ("faults", "FAULT"),
                        ("trace", "TRACE_EVENT")):
        names = re.findall(rf"^{macro}\(\d+, (\w+)", (ABI / f"{file}.def").read_text(), re.M)
        assert len(names) > 5 and set(names) <= set(rows), set(names) - set(rows)
    assert set(CODES) <= set(rows)


def test_the_worst_cases_are_in_order_and_below_the_bound(text: str) -> None:
    chapter = text[text.index("\n## Worst cases"):text.index("\n## Interfaces")]
    values = [int(m.replace(",", "")) for m in re.findall(r"^\| `\w+` \| ([\d,]+) \|", chapter, re.M)]
    assert len(values) > 60 and values == sorted(values, reverse=True) and values[0] < 20000


def test_options_have_the_values_of_each_profile(text: str) -> None:
    """As kernel/README.md has them."""
    assert re.search(r"^\| option \| DEV \| STANDARD \| HARDENED \|", text, re.M)
    for name, values in {"KASLR": "n y y", "PTI": "n n y", "POISON": "y n y", "SMEP": "y y y"}.items():
        assert f"\n| `{name}` | {' | '.join(values.split())} | " in text


def test_what_the_prose_names_is_there(text: str) -> None:
    """Files of the tree, constants of the headers, targets of make, in what stands before the references."""
    prose = text[:text.index("\n## Interfaces")]
    headers = "".join(path.read_text() for path in sorted(ABI.glob("*"))) + (REPOSITORY / "Makefile").read_text()
    paths = set(re.findall(r"`((?:kernel|components|manifests|servers|drivers|tests|generator)/[\w./-]+)`", prose))
    assert len(paths) > 8
    for path in paths:
        assert (REPOSITORY / path).exists() or (REPOSITORY / "components" / path).exists(), path
    for constant in set(re.findall(r"\bTSS_[A-Z_]*[A-Z]\b", prose)):
        error = constant.removeprefix("TSS_E_")
        assert constant in headers or re.search(rf"^ERROR\(\d+, {error},", headers, re.M), constant
    for target in set(re.findall(r"`make ([\w-]+)`", prose)):
        assert f"\n{target}:" in headers, target


class _Rows(html.parser.HTMLParser):
    """What each row of a table has in its first cell; the ids of headings; what links lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.first = tag == "td" if tag in ("tr", "td") and not self.first else self.first
        self.links += [named["href"] or ""] if tag == "a" else []
        self.ids |= {named["id"] or ""} if "id" in named else set()

    def handle_data(self, data: str) -> None:
        if self.first and data.strip():
            self.cells.append(data.strip())
            self.first = False


def test_the_page_has_the_same_tables(text: str) -> None:
    page = manual.page(text)
    assert "<title>Tessera: reference manual</title>" in page
    read = _Rows()
    read.feed(page)
    assert set(ROW.findall(text)) <= set(read.cells)
    assert len(read.links) > 20 and {link.removeprefix("#") for link in read.links} <= read.ids
    assert "src=" not in page and "://" not in page.replace("http://www.w3.org", "")


def test_out_writes_both(tmp_path: Path, text: str) -> None:
    done = subprocess.run(["/usr/bin/python3", "generator/tessera", "manual", "--out", str(tmp_path / "new")],
                          cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(tmp_path / "new" / "manual.md"), str(tmp_path / "new" / "manual.html")]
    assert (tmp_path / "new" / "manual.md").read_text() == text
    assert (tmp_path / "new" / "manual.html").read_text() == manual.page(text)


def few(**changes: object) -> Sources:
    """Tables of a row each."""
    call = Call(0x1000, "self", "NONE", "version", "NONE", 0, "VALUE", "value: the version | none")
    abi = Abi((call,), (), (), (), (), (), (), (("error", "OK", "success"),))
    sources = Sources(abi, {"null": (22, "instructions"), "worst_line": (208, "at most")},
                      [Option("SMEP", "Prevention", {"DEV": "y"}, "Of\nexecution.")], ["# echo\n\nwords\n"], {}, "1")
    return dataclasses.replace(sources, **changes)  # type: ignore[arg-type]


WHOLE = ('{{ calls_of("self") }}\n{{ prices("null") }}\n{{ rows("error", "code") }}\n{{ options("SMEP") }}\n'
         '{{ worst() }}\n{{ interfaces() }}\n{{ codes() }}\n')


def refusal(template: str, sources: Sources) -> list[str]:
    with pytest.raises(Refused) as refused:
        manual.markdown(sources, template)
    assert {error.code for error in refused.value.diagnostics} == {"TSS-142"}
    return [error.message for error in refused.value.diagnostics]


def test_rows_are_shown_as_they_are() -> None:
    shown = manual.markdown(few(), WHOLE)
    assert "| `self_version` | 0x1000 | nothing | value: the version \\| none |\n" in shown
    assert "| `null` | 22 | instructions |\n" in shown and "| `line` | 208 |\n" in shown
    assert "| `SMEP` | y | Prevention. Of execution. |\n" in shown and "| `OK` | success |\n" in shown
    assert "\n## echo\n" in shown


@pytest.mark.parametrize("lost, told", [
    ('{{ calls_of("self") }}', "the manual says nothing of system call `self_version`"),
    ('{{ prices("null") }}', "the manual says nothing of row of the bench `null`"),
    ('{{ rows("error", "code") }}', "the manual says nothing of error `OK`"),
    ('{{ options("SMEP") }}', "the manual says nothing of option `SMEP`")])
def test_a_row_that_is_left_out_is_an_error(lost: str, told: str) -> None:
    assert refusal(WHOLE.replace(lost, ""), few()) == [told]


@pytest.mark.parametrize("more, told", [
    ('{{ calls("self_version") }}', "system call `self_version` is there twice"),
    ('{{ calls("self_versoin") }}', "there is no system call `self_versoin`"),
    ('{{ prices("nul") }}', "there is no row of the bench `nul`"),
    ('{{ options("SMAP") }}', "there is no option `SMAP`")])
def test_what_is_not_there_is_an_error(more: str, told: str) -> None:
    assert refusal(WHOLE + more, few()) == [told]


def test_a_new_call_is_missed() -> None:
    abi = read_abi(ABI)
    more = dataclasses.replace(abi, calls=(*abi.calls, Call(0x1fff, "unit", "UNIT", "sing", "CONTROL", 0, "VALUE", "")))
    assert "the manual says nothing of system call `unit_sing`" in refusal(manual.TEMPLATE.read_text(), few(
        abi=more, figures=figures(), options=[Option(name, "", {"DEV": "y"}, "") for name in options()]))


def figures() -> dict[str, tuple[int, str]]:
    return {name: (1, "") for name in re.findall(r'"(\w+)"', "".join(
        re.findall(r"prices\(([^)]*)\)", manual.TEMPLATE.read_text())))}


def options() -> list[str]:
    return re.findall(r'"(\w+)"', "".join(re.findall(r"options\(([^)]*)\)", manual.TEMPLATE.read_text())))


def test_no_figures_no_manual(tree: Path, tessera: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """A tree of one's own without kept figures: an error that says which file."""
    done = tessera("manual")
    assert done.returncode == 1 and "figures.json" in done.stderr and "Traceback" not in done.stderr
