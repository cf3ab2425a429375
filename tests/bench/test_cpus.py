# SPDX-License-Identifier: BSD-2-Clause
"""What `make bench-smp` measures, where the host has no say in it; its verdict is that of the figures."""
from __future__ import annotations

from bench.cpus import Row, measure, missed


def test_pairs_gain_what_loops_gain() -> None:
    """On the clock that counts instructions: none is spent on the other pair."""
    rows = measure(2, counted=True)
    assert list(rows) == ["spin", "pairs", "shared_server", "shared_memory", "frames"]
    assert all(row.one > 0 and row.all > 0 for row in rows.values())
    assert missed(rows, 2, 8) == []


def test_the_verdict() -> None:
    rows = {"spin": Row(100, 200), "pairs": Row(100, 189)}
    assert missed(rows, 2, 2) == []
    assert missed(rows, 2, 4) == ["pairs: 0.945 of what independent loops gain, target 0.95"]
    assert missed({**rows, "pairs": Row(100, 190)}, 2, 4) == []
