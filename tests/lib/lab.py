# SPDX-License-Identifier: BSD-2-Clause
"""A machine of labgrid in the place of lib/vm.py's QEMU: same console, same waits, no monitor. Needs LG_ENV."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pexpect
import pytest
from labgrid import Environment
from labgrid.exceptions import NoDriverFoundError

from lib.vm import VM, Machine

TARGET = "main"


class LabVM(VM):
    """Powered on when the block is entered, off when it is left."""

    def _start(self, scratch: Path) -> None:
        if self.machine != Machine(iso=self.machine.iso):
            pytest.skip("this scenario wants a machine of its own; labgrid's environment says what there is")
        os.environ["LG_IMAGE"] = str(self.machine.iso)
        self.environment = Environment(config_file=os.environ["LG_ENV"])
        target = self.environment.get_target(TARGET)
        if target is None:
            raise self.failure(f"{os.environ['LG_ENV']} has no target {TARGET}")
        try:
            self.power: Any = target.get_driver("PowerProtocol")
            self.line: Any = target.get_driver("ConsoleProtocol")
        except NoDriverFoundError as error:
            raise self.failure(str(error)) from None
        self.power.on()

    def close(self) -> None:
        environment = self.__dict__.pop("environment", None)
        if environment is not None:
            try:
                self.power.off()
            except (OSError, AttributeError):  # it has turned itself off
                pass
            environment.cleanup()
        super().close()

    def _read(self, timeout: float) -> bool:
        if "environment" not in self.__dict__:
            return False
        try:
            data: bytes = self.line.read(size=4096, timeout=max(timeout, 0.0))
        except pexpect.TIMEOUT:
            return True
        except OSError:
            return False
        self.console += data.decode("utf-8", "replace").replace("\r", "")
        return bool(data)

    def send(self, text: str) -> None:
        self.line.write(text.encode())

    def wait_exit(self, timeout: float = 30.0) -> int:
        pytest.skip("a machine of labgrid has no exit status")

    def qmp(self, execute: str, timeout: float = 10.0, **arguments: Any) -> Any:
        pytest.skip("a machine of labgrid has no monitor")
