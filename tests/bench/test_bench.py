# SPDX-License-Identifier: BSD-2-Clause
"""The bench's own checks, and its targets as tests."""
from __future__ import annotations

import pytest

from bench.measure import Row, Unsteady, bench_once, boot_to_prompt, missed, twice

ROWS = ("null_syscall", "ipc_rt_register_cross", "ipc_rt_register_same", "ipc_rt_64_cross", "ipc_rt_256_cross",
        "ipc_rt_256_cap_cross", "ipc_send_receive_async", "event_signal", "event_wake_switch", "yield_cross",
        "irq_to_user", "revoke_1", "revoke_200", "revoke_latency_200", "sched_pick_2", "sched_pick_200", "boot_to_init")


def test_runs_agree_and_meet_the_targets() -> None:
    rows = twice(bench_once(), bench_once())
    assert not [name for name in ROWS if name not in rows]
    assert missed(rows) == []


def test_boot_to_prompt_is_the_same_each_time() -> None:
    assert boot_to_prompt() == boot_to_prompt()


def test_a_difference_is_refused() -> None:
    with pytest.raises(Unsteady, match="a: .*1.* then .*2"):
        twice({"a": Row(1, 1, 1)}, {"a": Row(1, 2, 1)})


def test_missed_targets_are_named() -> None:
    good = {"null_syscall": Row(1, 63, 99), "ipc_rt_register_cross": Row(1, 358, 999),
            "sched_pick_2": Row(1, 100, 1), "sched_pick_200": Row(1, 105, 1)}
    assert missed(good) == []
    assert missed({**good, "null_syscall": Row(1, 64, 64)}) == ["null_syscall: 64, target 63"]
    assert missed({**good, "sched_pick_200": Row(1, 106, 1)}) == [
        "sched_pick_200: 106, but sched_pick_2: 100: not O(1)"]
    assert len(missed({})) == 3
