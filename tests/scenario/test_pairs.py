# SPDX-License-Identifier: BSD-2-Clause
"""Every pair of option values builds and boots: a system is put together of whatever the configuration compiles.

`make test` tries one configuration, `make test-products` all, and writes build/products/table.md.
"""
from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lib.hardening import machine
from lib.pairs import cover, pairs_of
from lib.products import PRODUCTS, make, product, run
from lib.vm import PRIMARY_CLOCK, PRIMARY_CPU, PROMPT, VM, output_folder, primary_clock
from scenario.conftest import Boot

COVER = cover()
# instance: (component, required connections, optional connections, more)
PARTS: dict[str, tuple[str, dict[str, str], dict[str, str], str]] = {
    "reincarnation": ("servers/reincarnation", {}, {"log": "log", "power": "power"}, "priority: 240"),
    "serial": ("drivers/serial", {}, {}, "priority: 220"),
    "log": ("servers/log", {"terminal": "serial"}, {}, "priority: 150"),
    "console": ("drivers/console", {}, {"log": "log"}, ""),
    "keyboard": ("drivers/keyboard", {"typing": "console"}, {"log": "log"}, ""),
    "power": ("drivers/power", {}, {"log": "log"}, "devices: {keyboard: none}"),
    "rtc": ("drivers/rtc", {}, {}, ""),
    "name": ("servers/name", {}, {}, ""),
    "echo": ("apps/echo", {}, {"log": "log"}, ""),
    "ping": ("apps/ping", {"log": "log", "echo": "echo"}, {}, ""),
    "vectors": ("apps/vectors", {"log": "log"}, {}, ""),
    "shell": ("apps/shell", {"terminal": "serial"}, {"log": "log", "echo": "echo", "power": "power", "clock": "rtc",
                                                     "names": "name", "supervision": "reincarnation"}, ""),
}


NOTHING: tuple[str, dict[str, str], dict[str, str], str] = ("", {}, {}, "")


def system(config: str) -> str:
    """A manifest of all parts that the configuration compiles and whose required connections are there too."""
    def compiled(component: str) -> bool:
        return f"CONFIG_{component.replace('/', '_').upper()}=y\n" in config

    present: dict[str, str] = {}
    for name, (component, required, optional, more) in PARTS.items():
        if compiled(component) and all(to in present for to in required.values()):
            present[name] = component
    if "serial" not in present and compiled("apps/hello"):
        present["hello"] = "apps/hello"
    lines = ["tessera: 1", "system: pairs", "machine: {memory: 128M}", "instances:" if present else "instances: {}"]
    for name, component in present.items():
        _, required, optional, more = PARTS.get(name, NOTHING)
        edges = {**required, **{need: to for need, to in optional.items() if to in present}}
        words = [f"component: {component}", *([more] if more else []), "connect: {%s}" %
                 ", ".join(f"{need}: {to}" for need, to in edges.items())]
        lines.append(f"  {name}: {{{', '.join(words)}}}")
    return "\n".join(lines) + "\n"


SLICE = max(range(len(COVER.rows)), key=lambda n: len(system(COVER.rows[n])))  # the one with most in it


def test_the_pairs_that_cannot_be_are_those_that_kconfig_forbids() -> None:
    """A setting of a component that is not there; nothing else is left out."""
    component = {"KEYBOARD_LAYOUT": "DRIVERS_KEYBOARD", "STRESS_SEED": "APPS_STRESS", "STRESS_SECONDS": "APPS_STRESS",
                 "PERIODIC_PERIODS": "APPS_PERIODIC", "SCHED_PRIO_FACTOR": "SERVERS_SCHED",
                 "DRIVERS_VIRTIO_RNG": "DRIVERS_PCI", "APPS_DEVICE_TEST": "DRIVERS_PCI"}
    assert COVER.rows
    assert set(COVER.impossible.values()) <= set(component)
    assert all((component[option], "n") in pair for pair, option in COVER.impossible.items())


def test_a_pair_is_two_options() -> None:
    assert pairs_of({"a": "1", "b": "2", "c": "3"}) == {
        frozenset({("a", "1"), ("b", "2")}), frozenset({("a", "1"), ("c", "3")}), frozenset({("b", "2"), ("c", "3")})}


@pytest.mark.parametrize("number", [pytest.param(n, marks=[pytest.mark.products] if n != SLICE else [])
                                    for n in range(len(COVER.rows))])
def test_pairs_build_and_boot(number: int, boot: Boot, tmp_path: Path) -> None:
    config = COVER.rows[number]
    (tmp_path / ".config").write_text(config)
    make(tmp_path, "kernel", "components")
    manifest = tmp_path / "pairs.yaml"
    manifest.write_text(system(config))
    run("generator/tessera", "build", str(manifest), "--build-dir", str(tmp_path), "--quiet")
    names = [i["name"] for i in json.loads((tmp_path / "pairs" / "plan.json").read_text())["instances"]]
    vm = boot("pairs", image_file=tmp_path / "pairs" / "pairs.iso")
    vm.expect("Tessera, ABI")
    if "shell" in names:
        vm.expect(PROMPT)
        vm.quiet(1)
        profile = re.findall(r"CONFIG_PROFILE_(\w+)=y", config)[0]
        assert f"profile={profile}\n" in vm.command("config")
        assert {name for name in names if re.search(rf"^ *\d+ {name} +running ", vm.command("ps"), re.M)} == set(names)
    elif "hello" in names:
        vm.expect("hello, world")
    else:
        assert "refused" not in vm.quiet(2)


def sizes(folder: Path) -> tuple[int, ...]:
    """Bytes: kernel as loaded, bundle, ISO."""
    text = run("size", "-B", str(folder.parent / "kernel" / "kernel.elf")).splitlines()[1].split()
    return int(text[3]), (folder / "bundle.bin").stat().st_size, (folder / f"{folder.name}.iso").stat().st_size


def booted(vm: VM) -> str:
    """Guest instructions from the kernel's entry to the shell's prompt."""
    vm.expect(PROMPT, timeout=180)
    vm.send("uptime\r")  # not as a command: what others say at that moment may tear its echo
    return vm.expect(r"to init, (\d+) to the prompt", timeout=120)[1]


def round_trip(name: str) -> int:
    """Guest instructions of a call and its reply between two units on the product's kernel, by the bench's programs."""
    started = machine(product(name).parent / "kernel" / "kernel.elf", "bench", PRIMARY_CPU)
    with VM(replace(started, extra=(*started.extra, *PRIMARY_CLOCK, "-serial", "null"))) as vm:
        return int(vm.expect(r"\nbench ipc_rt_register_cross \d+ (\d+) \d+\n", 300)[1])


@pytest.mark.products
def test_the_table_of_products(boot: Boot) -> None:
    """build/products/table.md. A product without a shell on its serial line has no count of instructions."""
    heads = ("product", "kernel, bytes", "bundle", "ISO", "instructions to the prompt", "round trip", "instances",
             "connections", "capabilities")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name in PRODUCTS:
        folder = product(name)
        plan = json.loads((folder / "plan.json").read_text())
        shells = {i["name"] for i in plan["instances"] if i["component"] == "apps/shell"} & {
            c["client"] for c in plan["connections"] if c["server"] == "serial"}
        clock = booted(boot(name, primary_clock(), image_file=folder / f"{name}.iso")) if shells else "-"
        held = sum(len(instance["capabilities"]) for instance in plan["instances"])
        authority = (len(plan["instances"]), len(plan["connections"]), held)
        cells = (name, *sizes(folder), clock, round_trip(name), *authority)
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    table = output_folder() / "products" / "table.md"
    table.write_text("\n".join(lines) + "\n")
    print("\n" + table.read_text())
    assert len(lines) == 2 + len(PRODUCTS)
