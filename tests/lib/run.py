# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: an ISO in QEMU with its console on this terminal; Ctrl-A X ends it."""
from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.vm import Machine, machine_arguments  # noqa: E402


def main(arguments: list[str]) -> int:
    """Replaces this process by QEMU; what stands behind the ISO goes to QEMU."""
    if not arguments or not Path(arguments[0]).is_file():
        print("usage: run.py ISO [QEMU OPTION...]", file=sys.stderr)
        return 2
    machine = Machine(iso=Path(arguments[0]), debug_exit=False, extra=tuple(arguments[1:]))
    command = ["qemu-system-x86_64", *machine_arguments(machine), "-serial", "mon:stdio"]
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
