# SPDX-License-Identifier: BSD-2-Clause
"""The worst stacks that the generator finds hold in the running system: stacks are clear at first, so use shows.

A debugger outside stops a thread and reads its stack; the lowest word that is not zero is how deep it has been.
"""
from __future__ import annotations

import json
import subprocess
from dataclasses import replace

from lib.debugger import GDB, Debugger, symbol
from lib.images import TOP, image
from lib.vm import PROMPT, output_folder, primary_clock
from scenario.conftest import Boot

STACK_TOP = 0x3FF00000  # TSS_LAYOUT_STACK_TOP
PIECE = 2048


def worst_stacks(system: str) -> dict[str, tuple[int, int]]:
    """Instance -> bytes it may need, bytes it has."""
    done = subprocess.run([str(TOP / "generator" / "tessera"), "stack", system, "--json", "--build-dir",
                           str(output_folder())], capture_output=True, text=True, check=True)
    return {row["instance"]: (row["needs"], row["has"]) for row in json.loads(done.stdout)}


def used(debugger: Debugger, size: int) -> int:
    """Bytes of the stopped thread's stack, from its top to the lowest that is not zero."""
    data = b"".join(debugger.memory(STACK_TOP - size + at, PIECE) for at in range(0, size, PIECE))
    assert len(data) == size
    return len(data.lstrip(b"\0"))


def test_no_thread_goes_deeper_than_the_generator_says(boot: Boot) -> None:
    image("demo")
    worst = worst_stacks("demo")
    vm = boot("demo", replace(primary_clock(), extra=(*primary_clock().extra, *GDB)))
    vm.expect(PROMPT, timeout=180)
    for command in ("help", "ps", "ping", "log", "caps shell", "uptime", "kill echo", "ping", "date", "nonsense"):
        vm.command(command)
    found = {}
    with Debugger(vm) as debugger:
        for component in ("servers/log", "apps/echo", "servers/reincarnation", "drivers/serial"):
            name = component.split("/")[1]
            debugger.stop(symbol(component, "tss_heartbeat"), name)
            found[name] = used(debugger, worst[name][1])
    assert all(64 < found[name] <= worst[name][0] for name in found), (found, worst)
    assert found["log"] > worst["log"][0] * 3 // 4, "the bound is not far from what happens"
