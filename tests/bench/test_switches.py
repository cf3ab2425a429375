# SPDX-License-Identifier: BSD-2-Clause
"""What switches cost: the hot rows are as hardening.json says, and the other rows there were made by the same means."""
from __future__ import annotations

import json

import pytest

from bench.hardening import KEPT, OFF, measure_switch, prices, text
from lib.hardening import SWITCHES

HOT = ("null_syscall", "ipc_rt_register_cross", "ipc_rt_register_cross_timeout", "yield_cross", "event_wake_switch")


def kept() -> dict[str, dict[str, tuple[int, int]]]:
    document = json.loads(KEPT.read_text())["prices"]
    return {switch: {row: (pair[0], pair[1]) for row, pair in rows.items()} for switch, rows in document.items()}


@pytest.mark.parametrize("switch", ["STACK_PROTECTOR", "RETPOLINE"])
def test_hot_rows_cost_what_is_kept(switch: str) -> None:
    """The two that change code all over the kernel. The stack protector is not on a hot path at all."""
    rows = {name: measure_switch(name) for name in (OFF, switch)}
    found = {row: pair for row, pair in prices(rows)[switch].items() if row in HOT}
    assert found == {row: pair for row, pair in kept()[switch].items() if row in HOT}
    assert (found == {}) == (switch == "STACK_PROTECTOR")


def test_only_what_differs_is_kept() -> None:
    rows = {OFF: {"a": 1, "b": 2}, "SMEP": {"a": 1, "b": 2}, "POISON": {"a": 1, "b": 3}}
    assert prices(rows) == {"SMEP": {}, "POISON": {"b": (2, 3)}}
    assert json.loads(text(prices(rows)))["prices"] == {"SMEP": {}, "POISON": {"b": [2, 3]}}
    assert set(kept()) == set(SWITCHES)
