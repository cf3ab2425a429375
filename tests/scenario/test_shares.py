# SPDX-License-Identifier: BSD-2-Clause
"""How the CPU is shared, measured by what the kernel has charged, under the clock that counts instructions."""
from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest

from lib.vm import PROMPT, VM, primary_clock
from scenario.conftest import Boot

THREAD = re.compile(r"^ *\d+ (\w+) +\w+ +\d+ +(\d+) +(\d+) +(\d+) +\d+(?: (\d+)/(\d+) us, (\d+) overruns)?$", re.M)
WITHIN = 0.02


@dataclass(frozen=True)
class Thread:
    priority: int
    slice_us: int
    time_us: int
    overruns: int


def threads(vm: VM) -> dict[str, Thread]:
    """The units' threads by name."""
    return {name: Thread(int(priority), int(slice_us), int(charged), int(overruns or 0))
            for name, priority, slice_us, charged, _, _, overruns in THREAD.findall(vm.command("threads"))}


def shares(vm: VM, names: tuple[str, ...], window_us: int = 1_000_000) -> dict[str, float]:
    """What part each has of the time that all of them get in a second or more of the machine's."""
    before = threads(vm)
    for _ in range(900):
        time.sleep(0.1)
        now = threads(vm)
        got = {name: now[name].time_us - before[name].time_us for name in names}
        if sum(got.values()) >= window_us:
            return {name: got[name] / sum(got.values()) for name in names}
    raise AssertionError(f"the machine does not get on: {got}")


def about(part: float) -> object:
    return pytest.approx(part, rel=WITHIN)


def booted(boot: Boot, system: str, cpus: int = 1) -> VM:
    vm = boot(system, primary_clock(cpus=cpus))
    vm.expect(PROMPT, timeout=60)
    return vm


def test_an_overrun_costs_nobody_elses_budget(boot: Boot) -> None:
    """The hog is the most urgent and wants all; the worker below has all of its budget, the rest what is left."""
    vm = booted(boot, "budgets")
    before = threads(vm)
    got = shares(vm, ("hog", "worker", "rest"))
    now = threads(vm)
    assert got == {"hog": about(0.3), "worker": about(0.2), "rest": about(0.5)}
    for name, budget_us in (("hog", 3000), ("worker", 4000)):
        periods = now[name].overruns - before[name].overruns
        charged = now[name].time_us - before[name].time_us
        assert periods >= 40, "it overruns in each period"
        assert abs(charged - periods * budget_us) <= budget_us, "never more than its budget, never less"


def test_budgets_are_kept_on_another_cpu(boot: Boot) -> None:
    """Under this clock QEMU runs one CPU at a time, so the interrupt at a budget's end comes late by its turn."""
    vm = booted(boot, "budgets_apart", 2)
    got = shares(vm, ("worker", "rest"))
    assert got["worker"] == pytest.approx(0.2, rel=0.15) and got["rest"] == pytest.approx(0.8, rel=0.05)
    assert threads(vm)["worker"].overruns >= 40


def test_fixed_is_what_the_manifest_says(boot: Boot) -> None:
    vm = booted(boot, "shares")
    assert "sched: fixed, 4 instances" in vm.command("sched")
    assert {name: t.priority for name, t in threads(vm).items() if t.priority < 60} == {
        "one": 52, "two": 51, "three": 51, "nap": 50}
    assert shares(vm, ("one", "two", "three"))["one"] == about(1.0)


def test_policies_are_swapped_while_all_run(boot: Boot) -> None:
    """Proportional: 4 to 2 to 2. Feedback: those that compute sink and share alike, who mostly sleeps stays above."""
    vm = booted(boot, "shares")
    loads = ("one", "two", "three")
    vm.command("sched proportional")
    assert shares(vm, loads) == {"one": about(0.5), "two": about(0.25), "three": about(0.25)}
    vm.command("sched feedback")
    assert shares(vm, loads, 6_000_000) == {name: about(1 / 3) for name in loads}
    found = threads(vm)
    assert found["nap"].priority == 52 and found["nap"].overruns == 0
    assert all(found[name].priority < 52 for name in loads)
    heard = re.search(r"feedback, 4 instances, (\d+) overruns, lifted (\d+) times", vm.command("sched"))
    assert heard and int(heard[1]) >= 9 and int(heard[2]) >= 2
    vm.command("sched fixed")
    assert shares(vm, loads)["one"] == about(1.0)
    assert found.keys() == threads(vm).keys()


def test_the_sleeper_is_served_at_once_under_feedback(boot: Boot) -> None:
    """It wants 200 us each 10 ms; below others it gets nothing, above them what it wants."""
    vm = booted(boot, "shares")
    names = ("one", "two", "three", "nap")
    assert shares(vm, names)["nap"] == 0
    vm.command("sched feedback")
    assert shares(vm, names)["nap"] == pytest.approx(200 / 10_232, rel=0.1)


def test_what_is_no_policy_is_refused(boot: Boot) -> None:
    vm = booted(boot, "shares")
    assert "usage: sched" in vm.command("sched lottery")
    assert "sched: fixed" in vm.command("sched")
