# SPDX-License-Identifier: BSD-2-Clause
"""`poweroff` and `reboot` end the machine as hardware does it: QEMU says so itself, and no exit device is there."""
from __future__ import annotations

import pytest

from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

RESETS = ("-action", "reboot=reset")  # instead of ending with the machine's first reset
BOARDS = ("q35", "pc")
FIRMWARES = ("bios", "uefi")


def started(boot: Boot, board: str, firmware: str = "bios", system: str = "demo") -> VM:
    vm = boot(system, Machine(board=board, firmware=firmware, debug_exit=False, extra=RESETS))
    vm.qmp("query-status")  # from here on the monitor tells events
    vm.expect(PROMPT, timeout=120)
    vm.events.clear()  # firmware may reset the machine itself
    return vm


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("board", BOARDS)
def test_reset_and_power_off(board: str, firmware: str, boot: Boot) -> None:
    vm = started(boot, board, firmware)
    vm.send("reboot\r")
    assert vm.event("RESET")["guest"] is True
    vm.expect(PROMPT, timeout=120)
    vm.send("poweroff\r")
    assert vm.event("SHUTDOWN") == {"guest": True, "reason": "guest-shutdown"}
    assert vm.wait_exit(10) == 0


def test_where_the_keyboard_has_the_8042(boot: Boot) -> None:
    vm = started(boot, "q35", system="console")
    vm.send("reboot\r")
    assert vm.event("RESET")["guest"] is True


def test_without_acpi(boot: Boot) -> None:
    """No tables: power says that it cannot turn off and lives on; the reset has ports of its own."""
    vm = started(boot, "pc,acpi=off")
    assert "did not work" in vm.command("poweroff")
    assert "this list" in vm.command("help")
    vm.send("reboot\r")
    assert vm.event("RESET")["guest"] is True
    vm.expect(PROMPT, timeout=60)
