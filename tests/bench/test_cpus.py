# SPDX-License-Identifier: BSD-2-Clause
"""What `make bench-smp` measures, where the host has no say in it; its verdict is that of the figures."""
from __future__ import annotations

import pytest

from bench.cpus import Row, measure, missed, read_lines, shared_lines
from lib.symbols import Symbols


def test_pairs_gain_what_loops_gain() -> None:
    """On the clock that counts instructions: none is spent on the other pair."""
    rows = measure(2, counted=True)
    assert list(rows) == ["spin", "pairs", "shared_server", "shared_memory", "frames"]
    assert all(row.one > 0 and row.all > 0 for row in rows.values())
    assert missed(rows, 2, 8) == []


def test_pairs_write_no_cache_line_in_common() -> None:
    """In the kernel or anywhere else, though all of them are in one unit. Where things are shared, it is seen."""
    lines = shared_lines(2)
    assert lines["pairs all"] == [], "\n".join(map(str, lines["pairs all"]))
    assert lines["spin all"] == []
    (word,) = lines["shared_memory all"]
    assert all(count > 1000 and name.startswith("unit+") for count, name in word.writers.values())
    assert len(lines["frames all"]) > 5


def test_lines_of_the_plugins_file() -> None:
    known = Symbols((0xffffffff80100000, 0xffffffff80100100), ("first", "second"))
    text = ("phase 0 lines 5 stores 20000 3\n"
            "phase 1 lines 7 stores 20000 20001\n"
            "line 0x1000 0:5:0xffffffff80100004 1:6:0x4001c5\nline 0x2000 0:1:0xffffffff80100110 1:1:0x400000\n"
            "phase 2 lines 5 stores 20000 3\n"
            "phase 3 lines 7 stores 20000 20001\nline 0x1000 0:5:0xffffffff80100104 1:6:0x4001c5\n"
            "phase 4 lines 5 stores 20000 3\n"
            "phase 5 lines 2 stores 20000 3\n")
    found = read_lines(text, ["x one", "x all"], 2, known)
    assert found["x one"] == []
    assert list(map(str, found["x all"])) == [
        "line 0x1000: CPU 0 5 times, first in second+0x4; CPU 1 6 times, first in unit+0x4001c5"]
    with pytest.raises(ValueError, match="in no round all CPUs worked: x all"):
        read_lines("phase 0 lines 5 stores 20000 3\nphase 1 lines 5 stores 20000 3\n", ["x one", "x all"], 2, known)
    with pytest.raises(ValueError, match="phase 0 wrote more lines"):
        read_lines("phase 0 lines 65536 full stores 20000 3\n", ["x one"], 2, known)


def test_the_verdict() -> None:
    rows = {"spin": Row(100, 200), "pairs": Row(100, 189)}
    assert missed(rows, 2, 2) == []
    assert missed(rows, 2, 4) == ["pairs: 0.945 of what independent loops gain, target 0.95"]
    assert missed({**rows, "pairs": Row(100, 190)}, 2, 4) == []
