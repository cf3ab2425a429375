# SPDX-License-Identifier: BSD-2-Clause
"""An idle system sleeps: no polling, no tick. Counted by a TCG plugin, firmware and boot not included."""
from __future__ import annotations

import time
from pathlib import Path

import pytest

from lib.count import counter
from lib.vm import PROMPT, Machine
from scenario.conftest import Boot

PER_SECOND = 10_500
SECONDS = 3


@pytest.mark.parametrize("system", ["demo", "console"])
def test_idle(system: str, boot: Boot, tmp_path: Path) -> None:
    count = counter(tmp_path)
    vm = boot(system, Machine(extra=count.arguments))
    vm.expect(PROMPT)
    vm.quiet(0.5)
    before, start = count.total(), time.monotonic()
    assert vm.quiet(SECONDS) == ""
    executed, seconds = count.total() - before, time.monotonic() - start
    assert executed < PER_SECOND * seconds
    assert count.total() > count.at_entry() > 0, "the counter itself counts"
    vm.command("help")
    assert count.total() - before - executed > 10_000, "work is counted"
