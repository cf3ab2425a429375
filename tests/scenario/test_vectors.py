# SPDX-License-Identifier: BSD-2-Clause
"""Units built with `fpu: true` keep their registers while they interrupt each other, with XSAVE and without."""
from __future__ import annotations

import json
import re

import pytest

from lib.images import image
from lib.vm import Machine
from scenario.conftest import Boot

CPUS = {"xsave": "max", "fxsave": "qemu64,-xsave"}
NAMES = ("one", "two", "three")


@pytest.mark.parametrize("cpu", list(CPUS))
def test_three_compute_at_once(cpu: str, boot: Boot) -> None:
    vm = boot("vectors", Machine(cpu=CPUS[cpu]))
    for _ in NAMES:
        vm.expect(r"\] begins [^\n]*\n", timeout=60)
    said = dict(re.findall(r"^\[(\w+)\] (begins .*)$", vm.console, re.M))
    assert said == {name: "begins initial, pi is right, many rounds, 0 wrong" for name in NAMES}


def test_who_has_them_is_in_the_plan() -> None:
    plan = json.loads((image("vectors") / "plan.json").read_text())
    assert {row["name"]: row["flags"] for row in plan["instances"]} == {
        "init": 0, "serial": 0, "log": 0, "one": 1, "two": 1, "three": 1}
