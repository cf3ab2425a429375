# SPDX-License-Identifier: BSD-2-Clause
"""Every shipped manifest with one token removed, doubled, swapped or replaced: a plan that verifies, or a coded error
with a place in the file. Never a traceback, never an error without a line.

`make test` tries a sample, drawn by seed; `make mutate-manifests` tries them all.
"""
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import REPOSITORY

from generator import load, verify
from generator.abi import Abi, read_abi
from generator.build import Checked, check_system, make
from generator.calls import names_of
from generator.codes import CODES
from generator.diagnostics import Refused, render, to_sarif
from generator.elf import read_image
from generator.inputs import Inputs, Source, read_inputs

TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z0-9_./]+|[ ]+|#[^\n]*|.|\n')
INSTEAD = ("no", "0x10", "010", "1:30", "1_000", "~", "-1", "0", "99999999999999999999", "none", "init", "log",
           "serial", "&a", "*a", "!!str", "<<", "{", "}", "[", "]", ":", ",", "- ", "\t", "'", '"', "\n", "%", "@",
           "\x00", "\u2028", "2M", "10ms", "true", "FAST", "PARANOID", "apps/echo", "a -> b", "extends", "\xe9")
SAMPLE = 60  # of each manifest
MANIFESTS = sorted((REPOSITORY / "manifests").glob("*.yaml"))


@pytest.fixture(scope="module")
def abi() -> Abi:
    return read_abi(REPOSITORY / "kernel" / "include" / "abi")


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs(REPOSITORY)


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """(what was done, the text), every one of them; comments are left alone."""
    tokens = TOKEN.findall(text)
    assert "".join(tokens) == text
    for at, token in enumerate(tokens):
        if token.startswith("#") or token.isspace() and token != "\n":
            continue
        before, after = "".join(tokens[:at]), "".join(tokens[at + 1:])
        place = f"line {before.count(chr(10)) + 1}: {token!r}"
        yield f"{place} removed", before + after
        yield f"{place} doubled", before + token + token + after
        yield f"{place} swapped", before + after[:1] + token + after[1:]
        for new in INSTEAD:
            yield f"{place} replaced by {new!r}", before + new + after


def outcome(inputs: Inputs, path: Path, text: str, elf: bytes, folder: Path, abi: Abi) -> str:
    """"valid", or the codes; asserts what must be true of both."""
    source = Source(f"manifests/{path.name}", text.encode(), path)
    checked = check_system(inputs, source, folder, None, False)
    if not checked.errors:
        return built(checked, source, elf, inputs, abi)
    assert all(e.code in CODES and e.position.line and e.position.column and e.hint for e in checked.errors), \
        checked.errors
    assert render(checked.errors, {source.path: text}) and to_sarif(checked.errors)
    return "+".join(sorted({e.code for e in checked.errors}))


def built(checked: Checked, source: Source, elf: bytes, inputs: Inputs, abi: Abi) -> str:
    """A system without errors goes on to a bundle that verify agrees with, or is too large."""
    assert checked.system is not None
    names = {i.component.name for i in checked.system.instances} | {"init"}
    image, _ = read_image(elf, "x.elf")
    assert image is not None
    files = {one.path: b"program" for instance in checked.system.instances for one in instance.files}
    images = replace(checked, images=dict.fromkeys(names, image), elfs=dict.fromkeys(names, elf), files=files)
    try:
        product = make(images, abi, False)
    except Refused as refused:
        assert {e.code for e in refused.diagnostics} <= {"TSS-035", "TSS-039"}
        return "too large"
    components = {name: c.data for name, c in inputs.components.items()}
    interfaces = {name: i.data for name, i in inputs.interfaces.items()}
    fragments = {name: one.data for name, one in checked.composed.files.items()} if checked.composed else {}
    given = verify.Inputs(source.data, components, images.elfs, fragments=fragments, files=files,
                          interfaces=interfaces, calls=names_of(abi))
    assert verify.verify(product.bundle, given, "b")[1] == []
    return "valid"


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_one_token_at_a_time(path: Path, inputs: Inputs, elf: bytes, abi: Abi, tmp_path: Path) -> None:
    every = list(mutants(path.read_text()))
    chosen = every if os.environ.get("TESSERA_MUTATIONS") == "all" else random.Random(path.stem).sample(every, SAMPLE)
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    for what, text in chosen:
        try:
            seen[outcome(inputs, path, text, elf, tmp_path, abi)] += 1
        except Exception as error:
            wrong.append(f"{path.name}, {what}: {type(error).__name__}: {str(error)[:300]}")
    print(f"{path.name}: {len(chosen)} of {len(every)}: {dict(seen.most_common())}")
    assert wrong == [], f"{len(wrong)} of {len(chosen)}"
    assert len(seen) > 5 and sum(seen.values()) == len(chosen)


def test_both_parsers_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fast one accepts, the other one accepts with the same tree."""
    chance, taken = random.Random(9), 0
    files = [*MANIFESTS, *(REPOSITORY / "components").glob("*/*/component.yaml"),
             *(REPOSITORY / "components" / "interfaces").glob("*.yaml")]
    for path in files:
        every = list(mutants(path.read_text()))
        for what, text in [("as it is", path.read_text()), *chance.sample(every, min(15, len(every)))]:
            fast = load._fast(text, path.name) if load._ORDINARY.fullmatch(text) else None
            if fast is not None:
                with monkeypatch.context() as patch:
                    patch.setattr(load, "_fast", lambda text, path: None)
                    assert load.load(text.encode(), path.name) == (fast, ()), (path, what)
                taken += 1
    assert taken > 5 * len(files)


def test_there_are_many() -> None:
    assert sum(len(list(mutants(path.read_text()))) for path in MANIFESTS) > 5000
