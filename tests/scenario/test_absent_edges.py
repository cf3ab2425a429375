# SPDX-License-Identifier: BSD-2-Clause
"""The demo's graph, with a probe in each place: every edge that is there works, every other is tried and denied."""
from __future__ import annotations

import json
from pathlib import Path

from lib.images import image, variant
from lib.vm import VM
from scenario.conftest import Boot
from scenario.orders import order

CONNECTION_CALL = 0x1019
DENIED = {1: "CAPABILITY", 2: "TYPE", 3: "RIGHTS"}
HEAD = """tessera: 1
system: probe
config: dev_defconfig
instances:
  uart: {component: drivers/serial, priority: 220}
"""


def demo_edges() -> tuple[list[str], set[tuple[str, str]]]:
    """The demo's instances without init, and who may call or send to whom."""
    plan = json.loads((image("demo") / "plan.json").read_text())
    names = sorted(instance["name"] for instance in plan["instances"] if instance["name"] != "init")
    return names, {(c["client"], c["server"]) for c in plan["connections"] if c["client"] in names}


def manifest(names: list[str], edges: set[tuple[str, str]]) -> str:
    """The same graph made of probes; connection vN leads to the instance with number N."""
    text = HEAD
    for name in names:
        connect = ", ".join(f"v{names.index(to)}: {to}" for who, to in sorted(edges) if who == name)
        text += f"  {name}: {{component: apps/probe, connect: {{{connect}}}}}\n"
    all_of_them = ", ".join(f"v{index}: {name}" for index, name in enumerate(names))
    return text + f"  console: {{component: apps/probe, connect: {{terminal: uart, {all_of_them}}}}}\n"


def reachable(vm: VM, index: int) -> int:
    """How many slots of that probe's first 64 a call gets through."""
    passed = 0
    for slot in range(1, 64):
        # A message of type 63, which no probe knows: it answers that at once.
        sign, status, _ = order(vm, f"v{index} call {CONNECTION_CALL:x} {slot:x} 3f 2710")
        assert sign == "="
        passed += status & 0xFF not in DENIED
    return passed


def test_only_the_edges_of_the_plan(boot: Boot, tmp_path: Path) -> None:
    names, edges = demo_edges()
    (tmp_path / "probe.yaml").write_text(manifest(names, edges))
    folder = variant(str(tmp_path / "probe.yaml"), "graph")
    plan = json.loads((folder / "plan.json").read_text())
    planned = {(c["client"], c["server"]) for c in plan["connections"] if c["client"] in names}
    assert planned == edges
    vm = boot("probe", image_file=folder / "probe.iso")
    vm.expect("probe> ")
    for index, name in enumerate(names):
        assert reachable(vm, index) == len([edge for edge in edges if edge[0] == name]), name
