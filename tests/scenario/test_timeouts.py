# SPDX-License-Identifier: BSD-2-Clause
"""Timeouts end within a tick of when they should, whether the thread sleeps, receives, waits or calls."""
from __future__ import annotations

import pytest

from lib.vm import VM, primary_clock
from scenario.conftest import Boot
from scenario.orders import order

TIMEOUT = 9
TICK_US = 64 + 36  # CONFIG_TIMER_TICK_SHIFT, and 36,000 instructions for the way there and back


@pytest.fixture
def probe(boot: Boot) -> VM:
    """The system probe under the clock that counts instructions: how busy the host is does not matter."""
    vm = boot("probe", primary_clock())
    vm.expect("probe> ", timeout=60)
    return vm


@pytest.mark.parametrize("time_us", [0, 1, 100, 1_000, 50_000, 300_000])
def test_sleep(time_us: int, probe: VM) -> None:
    _, status, elapsed = order(probe, f"v0 sleep {time_us:x}")
    assert status == 0
    assert time_us <= elapsed < time_us + TICK_US


@pytest.mark.parametrize("time_us", [0, 1_000, 50_000])
def test_call(time_us: int, probe: VM) -> None:
    sign, status, elapsed = order(probe, f"v0 timed {time_us:x} 7a120")
    assert (sign, status & 0xff) == ("!", TIMEOUT)
    assert time_us <= elapsed < time_us + TICK_US


def test_the_late_reply_goes_nowhere_and_the_server_lives(probe: VM) -> None:
    assert order(probe, "v0 timed 3e8 186a0")[0] == "!"
    assert order(probe, "v0 sleep 186a0")[:2] == ("=", 0)
    assert order(probe, "v0 call 1000") == ("=", 0, 1)


def test_a_call_in_time_is_not_cut_short(probe: VM) -> None:
    sign, _, elapsed = order(probe, "v0 timed 7a120 3e8")
    assert sign == "=" and elapsed >= 1_000


def test_too_long_is_refused(probe: VM) -> None:
    assert order(probe, "self call 1003 fffffffffffff")[1] & 0xff == 4
