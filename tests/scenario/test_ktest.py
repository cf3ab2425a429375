# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's conformance tests (components/apps/ktest): booted once a machine, each of its tests reported as one.

The names come from the sources, so a test that is not reached is missed. The machine `counted` has a clock that
counts instructions: there the component holds timeouts to a tick.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lib import symbols
from lib.images import TOP, iso
from lib.vm import VM, Machine, output_folder, primary_clock

# Without FSGSBASE calls and replies are those of obj/ipc.c, with it those of arch/x86_64/fast.S.
MACHINES = {"bios": Machine(), "counted": primary_clock(), "twin": Machine(cpu="max,-fsgsbase"),
            "two": Machine(cpus=2), "four": Machine(cpus=4)}
SYSTEMS = {"four": "ktest_there"}  # the others: ktest, whose instance runs on the boot CPU
SOURCES = sorted((TOP / "components/apps/ktest").glob("*.c"))
NAMES = [name for source in SOURCES for name in re.findall(r"\bTEST\((\w+)\)", source.read_text())]
RESULT = re.compile(r"^(ok|not ok) (\w+)(.*)$", re.M)
BOTH = [pytest.param(name, marks=pytest.mark.xdist_group(f"ktest-{name}")) for name in MACHINES]


@pytest.fixture(scope="module", params=BOTH)
def results(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Name of each test that ran -> "" or what was wrong; the console's end under the name "console"."""
    machine = replace(MACHINES[request.param], iso=iso(SYSTEMS.get(request.param, "ktest")))
    known = symbols.load(output_folder() / "kernel" / "kernel.sym")
    with VM(machine, output_folder() / "consoles" / f"ktest.{request.param}.txt", known) as vm:
        try:
            vm.expect(r"\ndone \d+ passed, \d+ failed\n", timeout=240)
            end = ""
        except AssertionError as error:
            end = str(error)
        found = {name: "" if word == "ok" else rest.lstrip(": ") or "failed"
                 for word, name, rest in RESULT.findall(vm.console)}
        yield {**found, "console": end}


def test_the_machine_gets_to_the_end(results: dict[str, str]) -> None:
    assert results["console"] == ""
    assert set(results) - {"console"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_kernel(name: str, results: dict[str, str]) -> None:
    assert name in results, "not reached\n" + results["console"]
    assert results[name] == "", results[name]
