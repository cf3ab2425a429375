# SPDX-License-Identifier: BSD-2-Clause
"""Orders to the system probe's console (components/apps/probe/console.c)."""
from __future__ import annotations

import re

from lib.vm import VM


def order(vm: VM, line: str) -> tuple[str, int, int]:
    """Gives the console an order; its sign ("=" or "!"), status and value."""
    vm.send(line + "\r")
    match = vm.expect(re.escape(line) + r"\n([=!]) ([0-9a-f]+) ([0-9a-f]+)\n", timeout=20)
    vm.expect("probe> ")
    return match[1], int(match[2], 16), int(match[3], 16)
