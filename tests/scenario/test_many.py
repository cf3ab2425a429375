# SPDX-License-Identifier: BSD-2-Clause
"""Systems as large as there can be: checked in no time, built, booted, supervised, and ended in order."""
from __future__ import annotations

import re
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.images import TOP, image
from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

HEAD = """tessera: 1
system: many
description: For tests, as many instances as fit, each of which calls echo and says so
machine: {memory: 256M}
defaults: {memory: 192K, stack: 8K, slots: 32}
instances:
  serial: {component: drivers/serial, priority: 220, memory: 512K, stack: 16K, slots: 64}
  log: {component: servers/log, priority: 150, memory: 1M, stack: 16K, slots: 64, connect: {terminal: serial}}
  echo: {component: apps/echo, priority: 120, memory: 512K, slots: 64, connect: {log: log}}
"""
SHELL = "  shell: {component: apps/shell, memory: 1M, stack: 16K, slots: 64, connect: {terminal: serial, log: log%s}}\n"
GUARD = "  guard: {component: servers/reincarnation, priority: 240, memory: 1M, slots: 512, connect: {log: log}}\n"
CLIENT = "  c%d: {component: apps/ping, connect: {log: log, echo: echo}%s}\n"


def manifest(folder: Path, count: int, guarded: bool) -> Path:
    """A manifest with so many instances."""
    text = HEAD + SHELL % (", supervision: {to: guard, may: [kill]}" if guarded else "") + (GUARD if guarded else "")
    more = ", restart: {policy: always, backoff: 1ms..1ms, dependants: [c0]}" if guarded else ""
    clients = [CLIENT % (n, more if n else "") for n in range(count - 4 - guarded)]
    (folder / "many.yaml").write_text(text + "".join(clients))
    return folder / "many.yaml"


def test_two_hundred_are_checked_in_half_a_second(tmp_path: Path) -> None:
    """User time, the best of three, since others use the machine too; programs and stacks are looked at as well."""
    path, build = manifest(tmp_path, 200, False), image("demo").parent

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run([str(TOP / "generator/tessera"), "check", str(path), "--build-dir", str(build)],
                              capture_output=True, text=True)
        assert done.stdout.endswith("fine: 200 instances, 396 connections\n"), done.stderr
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    image("demo")
    yield tmp_path_factory.mktemp("many")


def booted(boot: Boot, files: Path, guarded: bool, tmp_path: Path) -> VM:
    path = manifest(files, 255, guarded)
    built = tmp_path / "built"
    subprocess.run([str(TOP / "generator/tessera"), "build", str(path), "--quiet", "--build-dir",
                    str(image("demo").parent), "--out", str(built)], check=True)
    vm = boot("many", Machine(memory="256M"), image_file=built / "many.iso")
    vm.expect(PROMPT, timeout=180)
    end, clients = time.monotonic() + 180, 251 - guarded
    while len(set(re.findall(r"\[c(\d+)\] 8 replies", vm.console))) < clients:
        assert time.monotonic() < end, vm.console[-2000:]
        vm.quiet(1)
    return vm


def test_as_many_as_there_can_be_all_run(boot: Boot, files: Path, tmp_path: Path) -> None:
    """255 beside init, who all get an answer; the last one, too."""
    vm = booted(boot, files, False, tmp_path)
    units = vm.command("ps", timeout=120)
    assert len(re.findall(r"^ *\d+ \w+ +running ", units, re.M)) == 256
    talks = vm.command("connections", timeout=120)
    assert len(re.findall(r"^c\d+ +-> echo .* calls 8\b", talks, re.M)) == 251


def test_the_last_of_many_is_restarted_with_its_dependant(boot: Boot, files: Path, tmp_path: Path) -> None:
    vm = booted(boot, files, True, tmp_path)
    vm.send("kill c249\r")
    vm.expect(r"unit c249: restarted", timeout=60)
    vm.quiet(1)
    units = vm.command("ps", timeout=120)
    rows = dict(re.findall(r"^ *\d+ (\w+) +running +\d+ +\d+ +\d+ +\d+ +(\d+)", units, re.M))
    assert len(rows) == 256 and {name for name, count in rows.items() if count != "0"} == {"c249", "c0"} & set(rows)
