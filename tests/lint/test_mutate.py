# SPDX-License-Identifier: BSD-2-Clause
"""The defects of tests/mutate fit the sources as they are, and each names a test there is. `make mutate` tries them."""
from __future__ import annotations

import re
from collections import Counter

from lint.tree import text
from mutate.run import TOP, Defect, load

ENOUGH = 50
KTEST = re.compile(r"test_ktest\.py::test_kernel\[counted-(\w+)\]$")


def missing(defect: Defect) -> str:
    """What is wrong with the test it names, or ''."""
    path, _, name = defect.test.partition("::")
    in_image = KTEST.search(defect.test)
    if in_image:
        sources = "".join(p.read_text() for p in (TOP / "components/apps/ktest").glob("*.c"))
        return "" if re.search(rf"\bTEST\({in_image[1]}\)", sources) else f"ktest has no test {in_image[1]}"
    if not (TOP / path).exists():
        return f"{path} is not there"
    fixture = re.search(r"test_fixture\[(.+)\]$", name)
    if fixture:
        return "" if (TOP / f"tests/generator/fixtures/{fixture[1]}.txt").exists() else f"no fixture {fixture[1]}"
    function = name.rpartition("::")[2].partition("[")[0]
    return "" if not name or f"def {function}(" in text(path) else f"{path} has no {name}"


def test_there_are_enough_defects_with_names_of_their_own() -> None:
    defects = load()
    assert len(defects) >= ENOUGH
    assert [name for name, times in Counter(d.name for d in defects).items() if times > 1] == []


def test_each_defect_fits_and_names_a_test() -> None:
    wrong = [f"{d.name}: its text occurs {n} times in {d.file}" for d in load()
             if (n := text(d.file).count(d.old)) != 1]
    wrong += [f"{d.name}: {problem}" for d in load() if (problem := missing(d))]
    wrong += [f"{d.name}: changes nothing" for d in load() if d.old == d.new]
    assert wrong == []
