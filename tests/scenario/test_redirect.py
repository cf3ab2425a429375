# SPDX-License-Identifier: BSD-2-Clause
"""A static Linux program, compiled by musl-gcc as for Linux, is served in its own unit: components/apps/linux_hello."""
from __future__ import annotations

import re
import subprocess

import pytest

from lib.images import image
from lib.vm import Machine, output_folder
from scenario.conftest import Boot

# Without FSGSBASE the kernel switches FS base, which the program keeps its thread-local storage by, in another way.
CPUS = {"fsgsbase": "max", "without": "max,-fsgsbase", "fxsave": "qemu64,-xsave"}
SAID = ["hello by write(2)", "hello has 1 argument, tls 7, heap good, pid 1, vectors kept",
        "access gives -38", "ended with 42"]


@pytest.mark.parametrize("cpu", list(CPUS))
def test_it_says_hello_and_exits(cpu: str, boot: Boot) -> None:
    vm = boot("linux_hello", Machine(cpu=CPUS[cpu]))
    vm.expect(r"ended with \d+\n", timeout=60)
    assert re.findall(r"^\[hello\] (.*)$", vm.console, re.M) == SAID
    vm.expect(r"\bhello\b.*\b42\b")  # init hears how its unit ended


def test_it_is_a_linux_program() -> None:
    """The host runs the very file that is in the image; there it gets another pid, and access() works."""
    image("linux_hello")
    run = subprocess.run([output_folder() / "linux" / "hello"], capture_output=True, text=True, check=False, timeout=10)
    assert run.returncode == 42
    assert run.stdout.startswith("hello by write(2)\n") and "tls 7, heap good" in run.stdout
    assert run.stdout.endswith("access gives 0\n")
