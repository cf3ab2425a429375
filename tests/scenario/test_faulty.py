# SPDX-License-Identifier: BSD-2-Clause
"""The system faulty: each instance comes to the end that its manifest declares, and those beside them go on.

One boot under the clock that counts instructions: what happens when is the same in every run.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from lib import symbols
from lib.images import iso
from lib.vm import PROMPT, VM, output_folder, primary_clock

SAID = re.compile(r"^(?:tessera> )?\[(\w+)\] (.*)$", re.M)
UNIT = re.compile(r"^ *\d+ (\w+) +(\w+) +\d+ +\d+ +\d+ +\d+ +(\d+) (\S+)$", re.M)
FATES = {  # instance -> state and restarts in the end
    "crash": ("running", 2), "exit": ("running", 2), "buddy": ("running", 2), "quit": ("dead", 0),
    "spin": ("running", 2), "wait": ("running", 2), "leak": ("running", 2), "loop": ("dead", 4), "chain": ("dead", 4),
    "babble": ("dead", 2), "victim": ("running", 0), "wrong": ("running", 0), "peer": ("running", 0),
    "serial": ("running", 0), "log": ("running", 0), "shell": ("running", 0), "reincarnation": ("running", 0),
    "good": ("dead", 0), "doubter": ("dead", 0), "other": ("dead", 0), "forger": ("dead", 0),
}
COMES_BACK = "OK PEER_RESTARTED OK PEER_RESTARTED OK"
DEAD = "PEER_DEAD PEER_DEAD PEER_DEAD PEER_DEAD PEER_DEAD"
SEEN = {"crash": COMES_BACK, "exit": COMES_BACK, "spin": COMES_BACK, "wait": COMES_BACK, "leak": COMES_BACK,
        "quit": "OK PEER_RESTARTED PEER_DEAD PEER_DEAD PEER_DEAD", "loop": DEAD, "chain": DEAD}


class Run:
    """What was said, in order, and the table of units at the end."""

    def __init__(self, vm: VM) -> None:
        vm.expect(PROMPT, timeout=180)
        for line in (r"\[good\] peer: ", r"\[other\] told "):
            if not re.search(line, vm.console):
                vm.expect(line, timeout=240)
        vm.quiet(0.5)
        self.units = {m[1]: (m[2], int(m[3])) for m in UNIT.finditer(vm.command("ps", timeout=60))}
        self.lines = [(m[1], m[2]) for m in SAID.finditer(vm.console)]

    def by(self, who: str) -> list[str]:
        return [text for name, text in self.lines if name == who]

    def about(self, name: str) -> list[str]:
        """What the supervisor said of one instance."""
        head = f"unit {name}: "
        return [text.removeprefix(head) for text in self.by("reincarnation") if text.startswith(head)]


@pytest.fixture(scope="module", params=[pytest.param("run", marks=pytest.mark.xdist_group("faulty"))])
def run() -> Iterator[Run]:
    known = symbols.load(output_folder() / "kernel" / "kernel.sym")
    with VM(primary_clock(iso("faulty")), output_folder() / "consoles" / "faulty.txt", known) as vm:
        yield Run(vm)


@pytest.mark.parametrize("name", sorted(FATES))
def test_fate(name: str, run: Run) -> None:
    assert run.units[name] == FATES[name]


@pytest.mark.parametrize("name", sorted(SEEN))
def test_a_client_is_told_once(name: str, run: Run) -> None:
    assert f"{name}: {SEEN[name]}" in run.by("good")


def test_the_sound_server_always_answered(run: Run) -> None:
    assert run.by("good")[-1] == "peer: 40 of 40"


def test_each_client_of_a_server_is_told_of_each_end_once(run: Run) -> None:
    ends = len([line for line in run.about("crash") if line.startswith("ended")])
    assert run.by("other") == [f"told {ends} times, answered {200 - ends} times"] and ends == 2


def test_lies_are_not_believed(run: Run) -> None:
    assert run.by("doubter") == ["wrong: REFUSED REFUSED REFUSED REFUSED"]


def test_what_cannot_be_is_refused_and_what_can_arrives(run: Run) -> None:
    """Structs, enums and arrays: lengths and values that no stub would send; then the same server does its work."""
    *lies, judged = run.by("fibber")
    assert lies[0] == "nothing: OK" and judged == "judged: 14 7 2"
    assert len(lies) == 11 and all(line.endswith(": refused") for line in lies[1:])
    assert run.about("peer") == []


def test_nobody_forges_an_end(run: Run) -> None:
    assert run.by("forger") == ["ended: ARGUMENT", "fault: ARGUMENT", "heartbeat: REFUSED", "by heart: RIGHTS",
                                "kill: REFUSED", "restart: REFUSED"]
    assert run.about("victim") == []


def test_backoff_doubles_up_to_its_limit(run: Run) -> None:
    waits = [line for line in run.about("loop") if line.startswith("restart ")]
    assert waits == ["restart 1 of 4 in 50 ms", "restart 2 of 4 in 100 ms", "restart 3 of 4 in 150 ms",
                     "restart 4 of 4 in 150 ms"]
    assert run.about("loop")[-1] == "ended more than 4 times in 60 s and stays dead"


def test_degradation_is_said_once_and_takes_the_dependants(run: Run) -> None:
    said = [line for line in run.by("reincarnation") if line.startswith("degraded")]
    assert said == ["degraded: the system goes on without loop"]
    assert "stays dead with loop" in run.about("chain")


def test_hangs_are_noticed(run: Run) -> None:
    for name in ("spin", "wait"):
        assert run.about(name).count("hangs: no heartbeat") == 2


def test_babble_is_ended(run: Run) -> None:
    assert run.about("babble").count("babbles") == 3 and set(run.by("babble")) == {"the queue is full"}


def test_each_life_gets_the_same(run: Run) -> None:
    said = run.by("leak")
    assert len(said) == 3 and len(set(said)) == 1 and said[0].endswith(("MEMORY", "SLOTS"))
