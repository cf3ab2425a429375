# SPDX-License-Identifier: BSD-2-Clause
"""Bochs: a second machine, of other people's making, with the system's first serial line as the test's.

    with Bochs(Path("build/demo/demo.iso")) as bochs:
        bochs.expect(PROMPT)

Debian's Bochs has its debugger built in, so it reads the command `c` from a file; its screen is drawn on a terminal
that nobody looks at. Both terminals are made here, so neither a display nor `script` is needed.
"""
from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import tempfile
import termios
import time
import tty
from pathlib import Path
from types import TracebackType

from lib.vm import Late, VMError, die_with_parent

SHARE = Path("/usr/share/bochs")
CONFIG = """\
config_interface: textconfig
display_library: term
romimage: file={share}/BIOS-bochs-latest
vgaromimage: file={share}/VGABIOS-lgpl-latest
cpu: model=corei7_haswell_4770, count={cpus}, ips={ips}
clock: sync=none, time0=1704067200, rtc_sync=1
memory: guest={memory}, host={memory}
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type={kind}
boot: {boot}
com1: enabled=1, mode=term, dev={serial}
log: bochs.log
panic: action=fatal
"""


class Bochs:
    """A running Bochs. As with lib.vm.VM, text that `expect` has matched is consumed, and `console` is all of it."""

    def __init__(self, iso: Path, memory: int = 128, disk: bool = False, cpus: int = 1,
                 ips: int = 200_000_000) -> None:
        """`disk`: the same bytes are a hard disk, not a CD. `ips`: instructions in a second of the machine.

        Its clock is theirs, and its CPUs take turns by them, so what has no input runs alike each time.
        """
        self.iso, self.memory, self.disk = iso, memory, disk
        self.cpus, self.ips = cpus, ips
        self.console = ""
        self.position = 0
        self.scratch = tempfile.TemporaryDirectory(prefix="tessera-bochs-")
        self.ends: list[int] = []
        self.process: subprocess.Popen[bytes] | None = None

    def _terminal(self) -> tuple[int, str]:
        """A terminal that passes every byte on as it is: our end, and the other's name. Both ends stay open."""
        mine, other = pty.openpty()
        tty.setraw(other)
        termios.tcsetwinsize(other, (50, 132))
        self.ends += [mine, other]
        return mine, os.ttyname(other)

    def __enter__(self) -> Bochs:
        self.serial, name = self._terminal()
        self.screen, _ = self._terminal()
        folder = Path(self.scratch.name)
        kind = f"cdrom, path={self.iso.resolve()}, status=inserted"
        if self.disk:
            kind = f"disk, path={self.iso.resolve()}, mode=volatile"
        (folder / "bochsrc").write_text(CONFIG.format(share=SHARE, memory=self.memory, kind=kind, serial=name,
                                                      cpus=self.cpus, ips=self.ips,
                                                      boot="disk" if self.disk else "cdrom"))
        (folder / "commands").write_text("c\n")
        # Safety: preexec_fn only calls prctl.
        self.process = subprocess.Popen(["bochs", "-q", "-f", "bochsrc", "-rc", "commands"], cwd=folder,
                                        stdin=self.ends[3], stdout=self.ends[3], stderr=self.ends[3],
                                        env={**os.environ, "TERM": "xterm"}, start_new_session=True,
                                        preexec_fn=die_with_parent)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for end in self.ends:
            os.close(end)
        self.scratch.cleanup()

    def _failure(self, reason: str, kind: type[VMError] = VMError) -> VMError:
        log = Path(self.scratch.name) / "bochs.log"
        tail = log.read_text(errors="replace").splitlines()[-20:] if log.exists() else []
        return kind("\n".join([reason, "--- console", self.console, "--- bochs.log", *tail]))

    def _read(self) -> None:
        """Takes over what the serial line says; what goes to the screen is thrown away, so that it never waits."""
        for end in select.select([self.serial, self.screen], [], [], 0.1)[0]:
            data = os.read(end, 65536)
            if end == self.serial:
                self.console += data.decode("utf-8", "replace").replace("\r", "")

    def expect(self, pattern: str, timeout: float = 120.0) -> re.Match[str]:
        assert self.process is not None, "the machine is not running"
        end = time.monotonic() + timeout
        while True:
            match = re.compile(pattern).search(self.console, self.position)
            if match:
                self.position = match.end()
                return match
            if self.process.poll() is not None:
                raise self._failure(f"Bochs ended without {pattern!r}")
            if time.monotonic() >= end:
                raise self._failure(f"{timeout} s without {pattern!r}", Late)
            self._read()

    def send(self, text: str) -> None:
        os.write(self.serial, text.encode())

    def wait_exit(self, timeout: float = 60.0) -> str:
        """What Bochs wrote into its log, once it has ended by itself."""
        assert self.process is not None, "the machine is not running"
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() >= end:
                raise self._failure(f"{timeout} s and the machine still runs", Late)
            self._read()
        return (Path(self.scratch.name) / "bochs.log").read_text(errors="replace")
