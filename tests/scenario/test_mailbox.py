# SPDX-License-Identifier: BSD-2-Clause
"""Mailboxes between units, from the manifest: order, several writers, several CPUs, the owner's restart."""
from __future__ import annotations

import re
from pathlib import Path

from lib.images import TOP, variant
from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot

NOTES = 1000


def settled(vm: VM) -> None:
    """At the prompt, and nobody has anything more to say: both writers' notes are read, ring and channel are done."""
    says = [rf"\[sink\] {NOTES} notes of writer {n}, 0 wrong\n" for n in (1, 2)]
    says += [rf"\[{name}\] {NOTES} notes, OK\n" for name in ("one", "two")]
    for pattern in (PROMPT, *says, r"\[three\] ring and channel: OK\n", r"\[peer\] channel: "):
        if not re.search(pattern, vm.console):
            vm.expect(pattern, timeout=120)


def test_two_writers(boot: Boot) -> None:
    settled(boot("queues"))


def spread(folder: Path, system: str = "queues", **cpus: int) -> Path:
    """The system with these instances on those CPUs."""
    text = (TOP / f"manifests/{system}.yaml").read_text()
    for name, cpu in cpus.items():
        assert text.count(f"  {name}: ") == 1
        start = text.index(f"  {name}: ")
        text = text[:start] + text[start:].replace("{component:", f"{{cpu: {cpu}, component:", 1)
    (folder / f"{system}.yaml").write_text(text)
    return variant(str(folder / f"{system}.yaml"), "cpus") / f"{system}.iso"


def test_writers_on_other_cpus(boot: Boot, tmp_path: Path) -> None:
    image = spread(tmp_path, one=1, two=2, three=1)
    vm = boot("queues", Machine(cpus=3), image)
    settled(vm)
    assert "adds up" in vm.command("audit")


def test_the_owner_comes_back(boot: Boot) -> None:
    """Its writers are told once, then the new one has their notes; the memory is the kernel's to write again."""
    vm = boot("queues")
    settled(vm)
    vm.command("kill sink")
    vm.expect(r"\[sink\] ready")
    vm.command("restart one")
    vm.expect(r"\[one\] 1 notes, PEER_RESTARTED\n")
    vm.command("restart one")
    vm.expect(rf"\[sink\] {NOTES} notes of writer 1, 0 wrong\n", timeout=60)
    assert "adds up" in vm.command("audit")


def test_the_memory_is_planned(boot: Boot) -> None:
    """Two pages for 20 notes and one for the counts, in the budget of their owner and mapped for nobody else."""
    vm = boot("queues")
    settled(vm)
    boxes = [line for line in vm.command("caps all").splitlines() if "0x290000000" in line or "290000000" in line]
    assert len(boxes) == 1, boxes
