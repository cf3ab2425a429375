# SPDX-License-Identifier: BSD-2-Clause
"""vm.py itself, tried with a boot sector: waits, typing, panic, exit, monitor, and that no QEMU is left behind."""
from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.symbols import Symbols, load
from lib.vm import PROMPT, VM, Machine, VMError

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boot")
    subprocess.run(["gcc", "-m32", "-c", str(HERE / "boot.S"), "-o", str(folder / "boot.o")], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext=0x7c00", "-e", "0x7c00", "--oformat=binary", "boot.o",
                    "-o", "boot.img"], cwd=folder, check=True)
    os.truncate(folder / "boot.img", 1 << 20)
    return folder / "boot.img"


def machine(disk: Path) -> Machine:
    return Machine(extra=("-drive", f"file={disk},format=raw,if=ide,readonly=off,snapshot=on"))


@pytest.fixture
def vm(disk: Path) -> Iterator[VM]:
    with VM(machine(disk), symbols=Symbols((0xFFFFFFFF80000000,), ("start",))) as running:
        running.expect("hello from the boot sector\n", timeout=10)
        yield running


def test_prompt_and_typing(vm: VM) -> None:
    vm.expect(PROMPT)
    vm.send("abc")
    assert vm.expect("a(b)c")[1] == "b"


def test_timeout_shows_the_console(vm: VM) -> None:
    with pytest.raises(VMError, match="without 'never'(.|\n)*hello from the boot sector"):
        vm.expect("never", timeout=0.3)


def test_panic_ends_a_wait_and_is_explained(vm: VM) -> None:
    vm.send("p")
    with pytest.raises(VMError, match=r"panicked(.|\n)*kernel\+0x10 \(start\+0x10\)"):
        vm.expect("never", timeout=10)


def test_an_expected_panic_is_fine(vm: VM) -> None:
    vm.send("p")
    vm.expect("PANIC: as asked", panic_is_fine=True)


def test_exit_status(vm: VM) -> None:
    vm.send("x")
    assert vm.wait_exit(10) == 3 << 1 | 1


def test_end_of_the_machine_ends_a_wait(vm: VM) -> None:
    vm.send("x")
    with pytest.raises(VMError, match="QEMU ended"):
        vm.expect("never", timeout=10)


def test_monitor(vm: VM) -> None:
    assert vm.qmp("query-status")["running"] is True
    with pytest.raises(VMError, match="monitor: no-such"):
        vm.qmp("no-such")


def test_bad_arguments_say_what_qemu_said(tmp_path: Path) -> None:
    with pytest.raises(VMError, match="no-such-cpu"):
        with VM(Machine(cpu="no-such-cpu")) as vm:
            vm.expect("never", timeout=10)


def test_close_kills_and_keeps_the_console(disk: Path, tmp_path: Path) -> None:
    with VM(machine(disk), log=tmp_path / "logs" / "console.txt") as vm:
        vm.expect("hello", timeout=10)
        assert vm.process is not None
        pid = vm.process.pid
    assert not Path(f"/proc/{pid}").exists()
    assert "hello" in (tmp_path / "logs" / "console.txt").read_text()


def test_qemu_dies_with_a_killed_parent(disk: Path) -> None:
    program = ("import sys, time; from pathlib import Path; from lib.vm import VM, Machine\n"
               f"vm = VM(Machine(extra=('-drive', 'file={disk},format=raw,if=ide,snapshot=on'))).__enter__()\n"
               "print(vm.process.pid, flush=True); time.sleep(60)")
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(HERE.parents[1])})
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < end:
        time.sleep(0.02)
    stat = Path(f"/proc/{child}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


@pytest.mark.parametrize("echo", ["ping\n", "pi[loop_a] 50 steps\nng\n", "p\n[a-b] 1\n[c] 2\ning[loop_a] 3\n\n"])
def test_an_echo_torn_by_the_lines_of_others_is_one(echo: str) -> None:
    guest, host = socket.socketpair()
    vm = VM(Machine())
    vm.serial = host
    guest.sendall(f"tessera> {echo}4 replies\ntessera> ".encode())
    assert vm.command("ping", timeout=1) == "4 replies\n"
    guest.sendall(b"pi something else ng\n")
    with pytest.raises(VMError, match="without"):
        vm.command("ping", timeout=0.1)
    vm.close()
    guest.close()


def test_symbols(tmp_path: Path) -> None:
    (tmp_path / "kernel.sym").write_text("ffffffff80000000 T start\nffffffff80001000 T main\n")
    symbols = load(tmp_path / "kernel.sym")
    assert symbols.explain("at kernel+0x1004") == "at kernel+0x1004 (main+0x4)"
    assert symbols.name(5) == "?"
