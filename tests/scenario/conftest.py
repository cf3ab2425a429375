# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the scenarios: a fresh machine per test, its console kept in build/consoles/."""
from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib import symbols
from lib.images import image, iso
from lib.vm import PROMPT, VM, Machine, output_folder

Boot = Callable[..., VM]


def machine_class() -> type[VM]:
    """QEMU as lib/vm.py starts it, or with LG_ENV a machine of labgrid."""
    if not os.environ.get("LG_ENV"):
        return VM
    from lib.lab import LabVM  # imports labgrid, which takes a second
    return LabVM


@pytest.fixture
def boot(request: pytest.FixtureRequest) -> Iterator[Boot]:
    """boot("demo", Machine(...)): starts that system; without a Machine, on q35 with BIOS and 128 MiB."""
    name = re.sub(r"\W+", "_", request.node.nodeid.removeprefix("tests/scenario/"))
    number = itertools.count()
    with contextlib.ExitStack() as machines:

        def start(system: str, machine: Machine = Machine(), image_file: Path | None = None) -> VM:
            with_image = replace(machine, iso=image_file or iso(system))
            assert with_image.iso is not None
            # The kernel's names lie beside an image that was built in a folder of its own.
            tables = [folder / "kernel" / "kernel.sym" for folder in (with_image.iso.parent.parent, output_folder())]
            known = next((symbols.load(table) for table in tables if table.exists()), None)
            log = output_folder() / "consoles" / f"{name}.{next(number)}.txt"
            return machines.enter_context(machine_class()(with_image, log, known))

        yield start


@pytest.fixture
def demo(boot: Boot) -> VM:
    """The demo at its prompt."""
    vm = boot("demo")
    vm.expect(PROMPT)
    return vm


@pytest.fixture
def probe(boot: Boot) -> VM:
    """The system probe at its prompt (components/apps/probe)."""
    vm = boot("probe")
    vm.expect("probe> ")
    return vm


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    """Where the demo's image and plan are."""
    return image("demo")
