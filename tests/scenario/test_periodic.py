# SPDX-License-Identifier: BSD-2-Clause
"""A thread of 1 kHz, the most urgent, misses no period while others keep the kernel busy (components/apps/periodic).

The clock counts 8 ns an instruction, so a period is 125,000 of them, and idle time there is none. The kernel is one
without CONFIG_AUDIT: counting every object again is one long stretch, and no product has it.
"""
from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from lib.stress import configured
from lib.vm import PRIMARY_CLOCK, VM, primary_clock

PERIODS = 1_000_000 if "TESSERA_SOAK" in os.environ else 20_000
SLOW_CLOCK = ("-icount", "shift=3,sleep=off", *PRIMARY_CLOCK[2:])
PERIODS_A_S = 250  # of the host's time, at least
START_S = 120


def test_no_period_is_missed(tmp_path: Path) -> None:
    image = configured(tmp_path / "build", "periodic", {
        "CONFIG_AUDIT": "n", "CONFIG_PERIODIC_PERIODS": PERIODS, "CONFIG_STRESS_SECONDS": 86400})
    said = tmp_path / "com2"
    machine = replace(primary_clock(image), extra=(*SLOW_CLOCK, "-serial", f"file:{said}"))
    with VM(machine) as vm:
        for _ in range(START_S + PERIODS // PERIODS_A_S):
            vm.quiet(1.0)
            if said.exists() and said.read_text().endswith("\n"):
                break
    match = re.search(r"periodic: (\d+) periods, (\d+) missed, latest (\d+) us of (\d+), (\d+) rounds",
                      said.read_text())
    assert match, said.read_text()
    assert "stress: failed" not in vm.console
    assert int(match[5]) * 100 > PERIODS, match[0]
    assert (int(match[1]), int(match[2])) == (PERIODS, 0), match[0]
