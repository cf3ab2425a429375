# SPDX-License-Identifier: BSD-2-Clause
"""Wall time: the shell's date is the one the machine's clock was started with."""
from __future__ import annotations

from datetime import datetime, timedelta

import re
from dataclasses import replace

import pytest

from lib.vm import PROMPT, VM, Machine, primary_clock
from scenario.conftest import Boot


def date(vm: VM) -> datetime:
    """What the shell says."""
    return datetime.strptime(vm.command("date").strip(), "%Y-%m-%d %H:%M:%S UTC")


@pytest.mark.parametrize("start", ["2024-02-29T23:59:58", "1999-12-31T23:59:58", "2024-07-01T11:59:58",
                                   "2099-12-31T12:00:00"])
def test_date(start: str, boot: Boot) -> None:
    vm = boot("console", Machine(extra=("-rtc", f"base={start},clock=vm")))
    vm.expect(PROMPT)
    first = date(vm)
    assert timedelta(0) <= first - datetime.fromisoformat(start) < timedelta(seconds=120)
    vm.quiet(2.1)
    assert timedelta(seconds=2) <= date(vm) - first < timedelta(seconds=60)


def test_date_without_a_clock(demo: VM) -> None:
    assert demo.command("date").startswith("date: ")


@pytest.mark.parametrize("board, parts", [("q35", 5_000), ("q35,hpet=off", 1_000)])
def test_the_rate_is_as_precise_as_it_is_said_to_be(board: str, parts: int, boot: Boot) -> None:
    """On a clock of exactly 10^6 ticks a millisecond: two parts in 10,000; a count of the PIT is nearly 1 in 1,000."""
    vm = boot("demo", replace(primary_clock(), board=board))
    vm.expect(PROMPT)
    rate = re.search(r"TSC (\d+) ticks/ms", vm.command("uptime"))
    assert rate and abs(int(rate[1]) - 1_000_000) <= 1_000_000 // parts, rate
