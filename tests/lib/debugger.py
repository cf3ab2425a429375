# SPDX-License-Identifier: BSD-2-Clause
"""Faults put into a running machine from outside, by QEMU's debugger stub: registers of a unit's thread are changed, or
bytes of the machine's memory.

No component has a door for this. A breakpoint stops the CPU at an address of a component; the unit's name in its IPC
page says whether it is the one that is meant; then its registers are set to what a stray jump could leave there.

    vm = boot("demo", replace(machine, extra=(*machine.extra, *GDB)))
    with Debugger(vm) as debugger:
        debugger.stop(address, "echo")
        debugger.set(RIP, 0)
"""
from __future__ import annotations

import select
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from lib.vm import VM, Late, output_folder

GDB = ("-chardev", "socket,path=gdb.sock,server=on,wait=off,id=gdb", "-gdb", "chardev:gdb")
RAX, RDI, RIP = 0, 5, 16  # numbers of the remote protocol for x86-64
IMAGE = 0x400000  # TSS_LAYOUT_IMAGE
IPC_PAGE = 0x7FFFF8000000  # TSS_LAYOUT_IPC_PAGE
UNIT_NAME = 0x10  # in struct tss_ipc_page
SELF_SLEEP, INFINITE = 0x1003, (1 << 64) - 1
STOP_TIMEOUT_S = 60.0
PACKET = 1024  # bytes of memory in one answer


def elf_of(component: str) -> Path:
    return output_folder() / "components" / component / f"{component.rsplit('/', 1)[-1]}.elf"


def symbol(component: str, name: str) -> int:
    """The address at which a unit of that component has the symbol."""
    lines = subprocess.run(["nm", str(elf_of(component))], check=True, capture_output=True, text=True).stdout
    return IMAGE + next(int(line.split()[0], 16) for line in lines.splitlines() if line.split()[-1] == name)


def syscall_instruction(component: str) -> int:
    """Where the component has a system-call instruction; its image is linked at 0, text first."""
    lines = subprocess.run(["objdump", "-d", str(elf_of(component))], check=True, capture_output=True, text=True).stdout
    return IMAGE + next(int(line.split(":")[0], 16) for line in lines.splitlines() if line.endswith("\tsyscall"))


class Debugger:
    """The machine stands still from __enter__ on, except in stop(), and runs again after __exit__."""

    def __init__(self, vm: VM) -> None:
        assert vm.scratch is not None
        self.vm = vm
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(str(Path(vm.scratch.name) / "gdb.sock"))
        self.received = b""

    def __enter__(self) -> Debugger:
        self.ask("?")
        self.ask("qXfer:features:read:target.xml:0,ffb")  # without it the stub takes no single registers
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.ask("D")
        self.link.close()

    def _send(self, text: str) -> None:
        self.link.sendall(f"${text}#{sum(text.encode()) & 0xFF:02x}".encode())

    def _answer(self, timeout: float) -> str:
        end = time.monotonic() + timeout
        while b"#" not in self.received or len(self.received) < self.received.index(b"#") + 3:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.link], [], [], left)[0]:
                raise self.vm.failure("the debugger stub does not answer", Late)
            data = self.link.recv(65536)
            if not data:
                raise self.vm.failure("the debugger stub is gone")
            self.received = (self.received + data).lstrip(b"+")
        packet, self.received = self.received.split(b"#", 1)
        self.received = self.received[2:].lstrip(b"+")
        self.link.sendall(b"+")
        return packet.decode().lstrip("+$")

    def ask(self, text: str, timeout: float = 10.0) -> str:
        """One packet and its answer. A report that the machine has stopped may be late; only c, s and ? want one."""
        self._send(text)
        answer = self._answer(timeout)
        while answer.startswith("T") and text not in ("c", "s", "?"):
            answer = self._answer(timeout)
        return answer

    def memory(self, address: int, size: int) -> bytes:
        """Bytes as the stopped thread sees them; empty if nothing is mapped there."""
        answer = self.ask(f"m{address:x},{size:x}")
        return b"" if answer.startswith("E") else bytes.fromhex(answer)

    def physical(self, address: int, size: int) -> bytes:
        """Bytes of the machine's memory, whatever is mapped where."""
        assert self.ask("Qqemu.PhyMemMode:1") == "OK"
        found = b"".join(self.memory(at, min(PACKET, address + size - at))
                         for at in range(address, address + size, PACKET))
        assert self.ask("Qqemu.PhyMemMode:0") == "OK"
        return found

    def poke(self, address: int, data: bytes) -> None:
        """The same, to write."""
        assert self.ask("Qqemu.PhyMemMode:1") == "OK"
        assert self.ask(f"M{address:x},{len(data):x}:{data.hex()}") == "OK"
        assert self.ask("Qqemu.PhyMemMode:0") == "OK"

    def unit(self) -> str:
        """Name of the unit whose thread is stopped."""
        return self.memory(IPC_PAGE + UNIT_NAME, 16).rstrip(b"\0").decode("ascii", "replace")

    def set(self, register: int, value: int) -> None:
        assert self.ask(f"P{register:x}={value.to_bytes(8, 'little').hex()}") == "OK"

    def stop(self, address: int, unit: str) -> None:
        """Lets the machine run until that unit is about to execute the instruction at `address`."""
        assert self.ask(f"Z0,{address:x},1") == "OK"
        end = time.monotonic() + STOP_TIMEOUT_S
        while True:
            self.ask("c", max(end - time.monotonic(), 0.1))
            if self.unit() == unit:
                break
            assert self.ask(f"z0,{address:x},1") == "OK"  # somebody else: over the breakpoint by a step
            self.ask("s")
            assert self.ask(f"Z0,{address:x},1") == "OK"
        assert self.ask(f"z0,{address:x},1") == "OK"


def crash(debugger: Debugger, component: str, unit: str, where: str = "tss_heartbeat") -> None:
    """The unit jumps to nowhere."""
    debugger.stop(symbol(component, where), unit)
    debugger.set(RIP, 0)


def hang(debugger: Debugger, component: str, unit: str) -> None:
    """The unit sleeps for ever."""
    debugger.stop(symbol(component, "tss_heartbeat"), unit)
    debugger.set(RAX, SELF_SLEEP)
    debugger.set(RDI, INFINITE)
    debugger.set(RIP, syscall_instruction(component))
