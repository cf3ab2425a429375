# SPDX-License-Identifier: BSD-2-Clause
"""Orders to the component fuzz (components/apps/fuzz), over COM2 of its machine."""
from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass, replace
from pathlib import Path

from lib.vm import VM, Machine

NEVER = 0xFFFF_FFFF_FFFF_FFFF
COM2 = ("-serial", "unix:com2,server=on,wait=off")
DONE = re.compile(r"^done (\d+) calls (\d+) children good ([0-9a-f]+)\n", re.M)


def with_com2(machine: Machine) -> Machine:
    """The machine with a second serial port that Fuzz can talk to."""
    return replace(machine, extra=machine.extra + COM2)


@dataclass(frozen=True)
class Outcome:
    """What the component said, how many calls its children made, and which calls succeeded (bit n: 0x1000 + n)."""

    text: str
    calls: int
    children: int
    good: int


class Fuzz:
    """The component of a running machine."""

    def __init__(self, vm: VM) -> None:
        assert vm.scratch is not None, "the machine is not running"
        self.vm = vm
        self.port = socket.socket(socket.AF_UNIX)
        self.port.connect(str(Path(vm.scratch.name) / "com2"))
        self.port.settimeout(0.2)

    def run(self, seed: int, calls: int, timeout: float, trace: int = NEVER) -> Outcome:
        """Gives one order and waits for its end; a panic, or silence for `timeout` seconds, is an error."""
        self.port.sendall(f"{seed:x} {calls:x} {trace:x}\n".encode())
        text, heard = "", time.monotonic()
        while not (match := DONE.search(text)):
            self.vm.watch()
            try:
                data = self.port.recv(65536)
            except TimeoutError:
                data = b""
            heard = time.monotonic() if data else heard
            text += data.decode("utf-8", "replace").replace("\r", "")
            if time.monotonic() - heard > timeout:
                raise self.vm.failure(f"fuzz {seed:x} {calls:x} fell silent after\n{text[-800:]}")
        return Outcome(text, int(match[1]), int(match[2]), int(match[3], 16))
