# SPDX-License-Identifier: BSD-2-Clause
"""The console under load: input that arrives while output goes out is neither lost nor left lying."""
from __future__ import annotations

import re

from lib.vm import PROMPT, VM

LINES = 120


def test_typing_ahead_loses_no_line(demo: VM) -> None:
    """Each line is sent as soon as the last one's answer begins, while the driver is busy with the rest of it."""
    for number in range(LINES):
        demo.send(f"caps nobody{number}\r")
        demo.expect(rf"caps nobody{number}\n")
    demo.expect(PROMPT)
    demo.send("uptime\r")
    demo.expect(r"up \d")


def test_a_burst_is_echoed_whole(demo: VM) -> None:
    """Bytes that come faster than anyone reads them wait in the driver's ring."""
    text = "".join(chr(ord("a") + number % 26) for number in range(60))
    for _ in range(20):
        demo.send(text + "\r")
        demo.expect(re.escape(text) + r"\n")
        demo.expect(PROMPT)
