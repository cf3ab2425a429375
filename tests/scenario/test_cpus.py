# SPDX-License-Identifier: BSD-2-Clause
"""Several CPUs: they start, the demo runs spread over them, a panic stops all, and stress finds nothing."""
from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lib.images import iso
from lib.stress import replayed, stress_image
from lib.vm import PROMPT, VM, Machine
from scenario.test_build import make

CPUS = (1, 2, 4, 8)


def machine(system: str, cpus: int, firmware: str = "bios") -> Machine:
    return Machine(iso=iso(system), cpus=cpus, firmware=firmware)


def ask(vm: VM, line: str, answer: str) -> re.Match[str]:
    """Like vm.command, but what others print may tear the echo."""
    vm.send(line + "\r")
    return vm.expect(answer, timeout=60)


@pytest.mark.parametrize("cpus", CPUS)
@pytest.mark.parametrize("firmware", ("bios", "uefi"))
def test_each_cpu_starts_and_takes_part(cpus: int, firmware: str) -> None:
    with VM(machine("spread", cpus, firmware=firmware)) as vm:
        vm.expect(PROMPT, timeout=120)
        assert bool(re.search(rf"^{cpus} of {cpus} CPUs, x2?APIC$", vm.console, re.M)) == (cpus > 1)
        ask(vm, "uptime", f"CPUs {cpus},")
        ask(vm, "threads", r"shell +running[^\n]*\n")
        placed = {m[1]: int(m[2]) for m in re.finditer(r"^ *\d+ (\w+) +\w+ +(\d+) ", vm.console, re.M)}
        assert placed == {name: cpu % cpus for name, cpu in {
            "init": 0, "reincarnation": 2, "serial": 1, "log": 3, "power": 0, "echo": 1, "ping": 0, "shell": 2}.items()}
        ask(vm, "audit", "all adds up")
        absent = re.findall(r"unit (\w+) runs on CPU (\d+): this machine has no CPU (\d+)", vm.console)
        assert len(absent) == {1: 5, 2: 3}.get(cpus, 0)


def test_more_cpus_than_the_kernel_runs_lie_idle() -> None:
    with VM(machine("spread", 10)) as vm:
        vm.expect(PROMPT, timeout=120)
        assert "8 of 10 CPUs" in vm.console


def test_what_is_killed_on_another_cpu_comes_back() -> None:
    with VM(machine("spread", 4)) as vm:
        vm.expect(PROMPT, timeout=120)
        for name in ("echo", "ping", "log", "echo"):
            ask(vm, f"kill {name}", f"unit {name}: restarted")
            ask(vm, "audit", "audit: all adds up")


@pytest.mark.parametrize("cpus", (2, 4))
def test_a_panic_stops_all_and_one_prints(cpus: int) -> None:
    with VM(machine("spread", cpus)) as vm:
        vm.expect(PROMPT, timeout=120)
        vm.qmp_last("inject-nmi")  # to all CPUs at once: each would like to panic
        vm.expect(r"PANIC[^\n]*non-maskable interrupt[^\n]*\n", timeout=60, panic_is_fine=True)
        assert vm.wait_exit() == 3
        assert vm.console.count("PANIC") == 1


def stressed(image: Path, cpus: int) -> None:
    with VM(Machine(iso=image, cpus=cpus)) as vm:
        end = vm.expect(r"stress: (done|failed[^\n]*)", timeout=900 if "TESSERA_SOAK" in os.environ else 300)
        assert end[1] == "done", vm.console[-1000:]


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_stress(cpus: int) -> None:
    stressed(iso("stress"), cpus)


SEEDS = range(2, 12) if "TESSERA_SOAK" in os.environ else (7,)


@pytest.mark.parametrize("seed", SEEDS)
def test_stress_while_preempted_at_random(seed: int, tmp_path: Path) -> None:
    image = stress_image(tmp_path, seed, 300 if "TESSERA_SOAK" in os.environ else 10)
    for cpus in (2, 4):
        stressed(image, cpus)


def test_a_seed_replays(tmp_path: Path) -> None:
    """On Bochs, whose CPUs have an x2APIC each: the same steps, calls and exclusive sections; another seed, others."""
    image = stress_image(tmp_path, 7, 1)
    first, second = (replayed(image, 2) for _ in range(2))
    assert "2 of 2 CPUs, x2APIC" in first and "stress: done" in first
    assert first == second
    third = replayed(stress_image(tmp_path, 8, 1), 2)
    assert re.findall(r"(\d+) steps", third) != re.findall(r"(\d+) steps", first)


def test_a_kernel_for_one_cpu(tmp_path: Path) -> None:
    """CONFIG_MAX_CPUS=1, without locks, on a machine with two: all of the kernel's own tests."""
    make(tmp_path, "dev_defconfig")
    config = tmp_path / ".config"
    text = config.read_text()
    assert "CONFIG_MAX_CPUS=8" in text
    config.write_text(text.replace("CONFIG_MAX_CPUS=8", "CONFIG_MAX_CPUS=1"))
    make(tmp_path, "image", "SYSTEM=ktest")
    with VM(Machine(iso=tmp_path / "ktest" / "ktest.iso", cpus=2)) as vm:
        assert int(vm.expect(r"\ndone (\d+) passed, 0 failed\n", timeout=240)[1]) > 300
