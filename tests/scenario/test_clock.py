# SPDX-License-Identifier: BSD-2-Clause
"""Wall time: the shell's date is the one the machine's clock was started with."""
from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lib.vm import PROMPT, VM, Machine
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
