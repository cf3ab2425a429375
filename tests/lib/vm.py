# SPDX-License-Identifier: BSD-2-Clause
"""The virtual machine of the tests: owns one QEMU from start to end.

    with VM(Machine(iso=Path("build/demo/demo.iso"))) as vm:
        vm.expect(PROMPT)
        assert "hello" in vm.command("help")

Each wait has a timeout and also ends, with the tail of the console in the error, when the kernel panics or QEMU goes
away. QEMU is killed when the block is left and when this process dies, however it dies.
"""
from __future__ import annotations

import contextlib
import ctypes
import json
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lib import cover
from lib.plugins import output_folder as output_folder  # noqa: F401 (whoever has a machine wants it too)
from lib.symbols import Symbols

PROMPT = r"tessera> "
BETWEEN = r"(?:\n?\[[\w.-]+\] [^\n]*\n)*"  # lines of others, which may tear the echo of what is typed
PANIC = re.compile(r"PANIC[^\n]*\n")
PANIC_GRACE_S = 1.0  # how long a panic may go on printing its back trace
TAIL_LINES = 40
OVMF = Path("/usr/share/OVMF")
PRIMARY_CPU = "max,-rdrand,-rdseed,-erms,-fsrm"
PRIMARY_CLOCK = ("-icount", "shift=0,sleep=off", "-seed", "42", "-rtc", "base=2024-01-01T00:00:00,clock=vm")


class VMError(AssertionError):
    """A wait that did not end as it should; the text has the tail of the console."""


class Late(VMError):
    """Time ran out while the machine was up and had not panicked: a defect, or a host with too much to do.

    `make test` runs such a test a second time, and only such a test; its summary names it (RERUN).
    """


class MonitorGone(VMError):
    """QEMU ended before it answered."""


@dataclass(frozen=True)
class Machine:
    """What to boot, and on what. `debug_exit` adds the device that lets the guest choose QEMU's exit status."""

    iso: Path | None = None
    firmware: str = "bios"  # or "uefi"
    board: str = "q35"
    cpu: str = "max"
    memory: str = "128M"
    cpus: int = 1
    debug_exit: bool = True
    cd: bool = True  # the image in a CD drive; without, `extra` has it on something else
    extra: tuple[str, ...] = ()


def primary_clock(iso: Path | None = None, cpus: int = 1) -> Machine:
    """The machine of the measurements: one TSC tick is one guest instruction, of any CPU; the same in every run."""
    return Machine(iso=iso, cpus=cpus, cpu=PRIMARY_CPU, extra=PRIMARY_CLOCK)


def die_with_parent() -> None:
    """In the child, before exec: SIGKILL as soon as the parent is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def firmware_arguments(machine: Machine, scratch: Path) -> list[str]:
    """OVMF's code read-only and a fresh copy of its variables; nothing for SeaBIOS."""
    if machine.firmware == "bios":
        return []
    variables = scratch / "vars.fd"
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
    return [
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}",
        "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
    ]


def machine_arguments(machine: Machine) -> list[str]:
    """QEMU's arguments for the board, without consoles and firmware."""
    accel = "tcg" if machine.cpus == 1 or "-icount" in machine.extra else "tcg,thread=multi"
    arguments = ["-machine", machine.board, "-accel", accel, "-cpu", machine.cpu, "-smp", str(machine.cpus)]
    arguments += ["-m", machine.memory]
    arguments += ["-display", "none", "-nic", "none", "-no-reboot"]
    if machine.iso is not None and machine.cd:
        arguments += ["-cdrom", str(machine.iso), "-boot", "d"]
    if machine.debug_exit:
        arguments += ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    return arguments


class VM:
    """A running QEMU. Text that `expect` has matched is consumed; `console` is all of it."""

    def __init__(self, machine: Machine, log: Path | None = None, symbols: Symbols | None = None) -> None:
        self.machine = machine
        self.console = ""
        self.position = 0
        self.log = log
        self.symbols = symbols
        self.process: subprocess.Popen[bytes] | None = None
        self.scratch: tempfile.TemporaryDirectory[str] | None = None
        self.serial: socket.socket | None = None
        self.monitor: socket.socket | None = None
        self.monitor_text = b""
        self.negotiated = False
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> VM:
        self.scratch = tempfile.TemporaryDirectory(prefix="tessera-vm-")
        try:
            self._start(Path(self.scratch.name))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _start(self, scratch: Path) -> None:
        self.serial, serial_end = socket.socketpair()
        self.monitor, monitor_end = socket.socketpair()
        with serial_end, monitor_end:
            # The console first, so that a -serial among the machine's own arguments is COM2.
            arguments = ["qemu-system-x86_64", "-serial", "chardev:console"]
            arguments += machine_arguments(self.machine) + firmware_arguments(self.machine, scratch)
            arguments += ["-chardev", f"socket,id=console,fd={serial_end.fileno()}"]
            arguments += ["-chardev", f"socket,id=control,fd={monitor_end.fileno()}"]
            arguments += ["-mon", "chardev=control,mode=control"]
            arguments += cover.arguments(self.machine.iso)
            arguments += self.machine.extra  # last, so that a further -serial is COM2
            # Safety: preexec_fn only calls prctl; the session is single-threaded when it forks.
            self.process = subprocess.Popen(arguments, cwd=scratch, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=(scratch / "stderr").open("wb"),
                                            pass_fds=(serial_end.fileno(), monitor_end.fileno()),
                                            preexec_fn=die_with_parent)

    def close(self) -> None:
        """Kills QEMU, frees everything, writes the console's log. Harmless when called twice."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._read(0.0)
        for end in (self.serial, self.monitor):
            if end is not None:
                end.close()
        self.process = self.serial = self.monitor = None
        if self.scratch is not None:
            self.scratch.cleanup()
            self.scratch = None
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(self.explained(self.console), encoding="utf-8")

    # ---- console

    def _read(self, timeout: float) -> bool:
        """Takes over what the console says within `timeout` seconds. False: it said its last."""
        if self.serial is None:
            return False
        ready, _, _ = select.select([self.serial], [], [], max(timeout, 0.0))
        if not ready:
            return True
        try:
            data = self.serial.recv(65536)
        except ConnectionResetError:
            data = b""
        self.console += data.decode("utf-8", "replace").replace("\r", "")
        return bool(data)

    def explained(self, text: str) -> str:
        """The text with kernel addresses named, if this machine knows the symbols."""
        return self.symbols.explain(text) if self.symbols else text

    def failure(self, reason: str, kind: type[VMError] = VMError) -> VMError:
        """An error that says why, and what stood on the console last."""
        tail = "\n".join(self.console.splitlines()[-TAIL_LINES:])
        notes = ""
        if self.scratch is not None:
            stderr = Path(self.scratch.name) / "stderr"
            notes = stderr.read_text(errors="replace") if stderr.exists() else ""
        return kind(f"{reason}\n--- console\n{self.explained(tail)}\n---\n{notes}")

    def _check_panic(self, expected: str) -> None:
        if not PANIC.search(self.console):
            return
        end = time.monotonic() + PANIC_GRACE_S
        while time.monotonic() < end and self._read(end - time.monotonic()):
            pass
        raise self.failure(f"the kernel panicked while waiting for {expected!r}")

    def expect(self, pattern: str, timeout: float = 30.0, panic_is_fine: bool = False) -> re.Match[str]:
        """Waits until the unconsumed console text matches `pattern`; consumes it up to the match's end."""
        end = time.monotonic() + timeout
        alive = True
        while True:
            match = re.compile(pattern).search(self.console, self.position)
            if match:
                self.position = match.end()
                return match
            if not panic_is_fine:
                self._check_panic(pattern)
            if not alive:
                raise self.failure(f"QEMU ended while waiting for {pattern!r}")
            if time.monotonic() >= end:
                raise self.failure(f"{timeout} s without {pattern!r}", Late)
            alive = self._read(min(end - time.monotonic(), 1.0))

    def text_until(self, pattern: str, timeout: float = 30.0) -> str:
        """What the console says from here to the next match of `pattern`, which is consumed too."""
        start = self.position
        match = self.expect(pattern, timeout)
        return self.console[start:match.start()]

    def send(self, text: str) -> None:
        """Types `text` as it is, without an end of line."""
        assert self.serial is not None, "the machine is not running"
        self.serial.sendall(text.encode())

    def command(self, line: str, timeout: float = 30.0, prompt: str = PROMPT) -> str:
        """Types a line to the shell, waits for its echo and the next prompt; returns what it printed in between."""
        self.send(line + "\r")
        self.expect(BETWEEN.join(re.escape(c) for c in line + "\n"), timeout)
        return self.text_until(prompt, timeout)

    def quiet(self, seconds: float) -> str:
        """What the console says during that time; a panic is an error."""
        start, end = len(self.console), time.monotonic() + seconds
        while time.monotonic() < end and self._read(end - time.monotonic()):
            self._check_panic("quiet")
        return self.console[start:]

    def watch(self) -> None:
        """Takes over what the console has said; an error if the kernel has panicked or QEMU is gone."""
        alive = self._read(0.0)
        self._check_panic("what another port says")
        if not alive:
            raise self.failure("QEMU ended")

    def wait_exit(self, timeout: float = 30.0) -> int:
        """QEMU's exit status once it ends by itself: 0 after a power-off, code << 1 | 1 after isa-debug-exit."""
        assert self.process is not None, "the machine is not running"
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() >= end:
                raise self.failure(f"{timeout} s and the machine still runs", Late)
            if not self._read(0.05):
                time.sleep(0.01)
        while self._read(0.0) and self.serial and select.select([self.serial], [], [], 0)[0]:
            pass
        return self.process.returncode

    # ---- monitor

    def _monitor_bytes(self) -> bytes:
        assert self.monitor is not None, "the machine is not running"
        try:
            return self.monitor.recv(65536)
        except ConnectionError:  # it ended with words of ours unread
            return b""

    def _monitor_line(self, end: float) -> dict[str, Any]:
        assert self.monitor is not None, "the machine is not running"
        while b"\n" not in self.monitor_text:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.monitor], [], [], left)[0]:
                raise self.failure("QEMU's monitor does not answer", Late)
            data = self._monitor_bytes()
            if not data:
                raise self.failure("QEMU's monitor is gone", MonitorGone)
            self.monitor_text += data
        line, self.monitor_text = self.monitor_text.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def qmp(self, execute: str, timeout: float = 10.0, **arguments: Any) -> Any:
        """Runs one monitor command and returns its result; events in between are kept for `event`."""
        assert self.monitor is not None, "the machine is not running"
        end = time.monotonic() + timeout
        if not self.negotiated:
            self.negotiated = True
            self.qmp("qmp_capabilities", timeout)
        self.monitor.sendall(json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._monitor_line(end)
            if "error" in answer:
                raise self.failure(f"monitor: {execute}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            self.events.append(answer)

    def qmp_last(self, execute: str, **arguments: Any) -> None:
        """Runs a monitor command that may end the machine before its monitor has answered."""
        with contextlib.suppress(MonitorGone):
            self.qmp(execute, **arguments)

    def event(self, name: str, timeout: float = 30.0) -> dict[str, Any]:
        """The data of the next event of that name, not asked for before; there are none before the first command."""
        end = time.monotonic() + timeout
        while True:
            for number, event in enumerate(self.events):
                if event.get("event") == name:
                    data: dict[str, Any] = self.events.pop(number).get("data", {})
                    return data
            self.events.append(self._monitor_line(end))
