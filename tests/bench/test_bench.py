# SPDX-License-Identifier: BSD-2-Clause
"""The bench's own checks, and its targets as tests."""
from __future__ import annotations

from itertools import groupby

import pytest

from bench.measure import TARGETS, Row, Unsteady, bench_once, boot_to_prompt, missed, twice
from bench.path import Step, ways

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
    good = {name: Row(1, most, 999) for name, most in TARGETS.items()}
    good |= {"sched_pick_2": Row(1, 100, 1), "sched_pick_200": Row(1, 105, 1)}
    most = TARGETS["null_syscall"]
    assert missed(good) == []
    assert missed({**good, "null_syscall": Row(1, most + 1, most + 1)}) == [f"null_syscall: {most + 1}, target {most}"]
    assert missed({**good, "sched_pick_200": Row(1, 106, 1)}) == [
        "sched_pick_200: 106, but sched_pick_2: 100: not O(1)"]
    assert len(missed({})) == len(TARGETS) + 1


def test_the_way_of_a_row_is_shown() -> None:
    steps = ways()["ipc_rt_register_cross"]
    functions = [name for name, _ in groupby(step.function for step in steps)]
    fast = ["kernel:arch_syscall_entry", "kernel:arch_syscall_call", "bench_echo:main", "kernel:arch_syscall_entry",
            "kernel:arch_syscall_reply_receive"]
    assert functions == ["bench:call_registers", *fast, "bench:call_registers"]
    assert 0 <= len(steps) - TARGETS["ipc_rt_register_cross"] < 10  # reading the clock


def test_one_cr3_write_a_crossing_and_no_msr() -> None:
    found = ways()
    assert special(found["ipc_rt_register_cross"]) == ["cr3", "cr3"]
    assert special(found["ipc_rt_register_same"]) == []
    assert special(found["event_signal"]) == []


def special(steps: list[Step]) -> list[str]:
    """Writes of CR3 and accesses to MSRs."""
    return [kind for step in steps for kind in ("cr3", "msr") if kind in step.text]
