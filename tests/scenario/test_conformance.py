# SPDX-License-Identifier: BSD-2-Clause
"""The running kernel's capability tables are the planned ones: walked by the kernel, printed by init, compared here."""
from __future__ import annotations

import copy
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.images import TOP, image, variant
from lib.tables import ABSENT, PLACE, Dump, Row, call_differences, differences, moved, read_dump, without
from lib.vm import PROMPT
from scenario.conftest import Boot

SYSTEMS = ("demo", "console", "hello", "probe", "modes")
DUMPERS = [("IOPORT", ("READ", "WRITE")), ("SYSTEM", ("INSPECT",))]
STACK = 7  # TSS_SLOT_STACK


def dumped(boot: Boot, system: str) -> tuple[dict[str, Any], Dump]:
    """Plan and dump of a system whose init dumps. What init dumps with, derived for that moment, is taken out."""
    folder = variant(system, "dump", "--dump")
    vm = boot(system, image_file=folder / f"{system}.iso")
    vm.expect(r"dump end\n", timeout=60)
    dump = read_dump(vm.console)
    plan = json.loads((folder / "plan.json").read_text())
    planned = {c["slot"] for i in plan["instances"] if i["name"] == "init" for c in i["capabilities"]}
    dumpers = [row for row in dump.rows if row.unit == "init" and row.slot not in planned]
    assert sorted((row.type, row.rights) for row in dumpers) == DUMPERS
    rows = tuple(row for row in dump.rows if row not in dumpers)
    assert dump.modes
    return plan, Dump(rows, dump.ids, dump.modes, dump.calls)


@pytest.mark.parametrize("system", SYSTEMS)
def test_running_tables_are_the_plan(system: str, boot: Boot) -> None:
    plan, dump = dumped(boot, system)
    assert len(dump.rows) > 10
    assert differences(plan, dump) == []
    assert call_differences(plan, dump) == []
    assert {calls.unit for calls in dump.calls} == {row["name"] for row in plan["instances"]}


def test_what_moves_lies_elsewhere_at_each_boot(boot: Boot) -> None:
    """Both ends of a connection in mode PARANOID: image and stack together, the rest stays."""
    plan, first = dumped(boot, "modes")
    _, second = dumped(boot, "modes")
    places = [moved(plan, dump) for dump in (first, second)]
    assert set(places[0]) == {"vault", "careful", "hasty", "rogue"}
    drawn = [by for found in places for by in found.values()]
    assert len(set(drawn)) == len(drawn) == 8  # two of 8 alike: once in 4,600 runs
    rows = tuple(replace(row, c=row.c + PLACE * (row.unit == "vault" and row.slot == STACK)) for row in first.rows)
    wrong = replace(first, rows=rows)
    assert len(differences(plan, wrong)) == 1


def test_each_difference_of_calls_is_seen(boot: Boot) -> None:
    plan, dump = dumped(boot, "demo")
    assert call_differences(plan, dump) == []
    for index in range(len(plan["instances"])):
        for key, value in (("allowed", [0, 0]), ("asked", [1, 0]), ("monitor", 0)):
            changed = copy.deepcopy(plan)
            changed["instances"][index][key] = value
            if key == "monitor":  # some connection that is there
                changed["instances"][index][key] = next(n for n, o in enumerate(plan["objects"])
                                                        if o["type"] == "CONNECTION")
            assert call_differences(changed, dump), (index, key)
    first = next(calls for calls in dump.calls if calls.unit != "init")
    alone = tuple(replace(calls, table=99) if calls is first else replace(calls, table=1) for calls in dump.calls)
    assert call_differences(plan, Dump(dump.rows, dump.ids, dump.modes, alone))


def test_a_running_system_says_what_it_was_made_from(boot: Boot) -> None:
    """The hashes of bundle and manifest, as the kernel tells them."""
    plan = json.loads((image("demo") / "plan.json").read_text())
    vm = boot("demo")
    vm.expect(PROMPT, timeout=60)
    said = dict(re.findall(r"^(bundle|manifest)=(\w+)$", vm.command("config"), re.M))
    assert said == {"bundle": plan["root_hash"], "manifest": plan["manifest_hash"]}
    text = (TOP / "manifests" / "demo.yaml").read_bytes()
    assert hashlib.blake2b(text, digest_size=32).hexdigest() == said["manifest"]


def test_each_kind_of_difference_is_seen(boot: Boot) -> None:
    plan, dump = dumped(boot, "demo")
    extra = Row("serial", 200, "CONNECTION", ("CALL",), 9999, 1, 1, 1, ())
    assert differences(plan, Dump((*dump.rows, extra), dump.ids))
    for index in range(len(dump.rows)):
        assert differences(plan, Dump(dump.rows[:index] + dump.rows[index + 1:], dump.ids)), dump.rows[index]
    present = without(plan, ABSENT)
    for instance in plan["instances"]:
        for number, capability in enumerate(instance["capabilities"]):
            if (instance["name"], capability["slot"]) not in present:
                continue
            changed = copy.deepcopy(plan)
            target = next(i for i in changed["instances"] if i["name"] == instance["name"])["capabilities"][number]
            right = "GRANT" if capability["rights"] != ["GRANT"] else "CALL"
            target["rights"] = [right]
            assert differences(changed, dump), (instance["name"], capability)


def test_each_difference_in_modes_is_seen(boot: Boot) -> None:
    plan, dump = dumped(boot, "modes")
    assert {guard["mode"] for guard in plan["guards"]} == {"FAST", "HARDENED", "PARANOID"}
    of_connections = [n for n, guard in enumerate(plan["guards"])
                      if plan["objects"][guard["object"]]["type"] == "CONNECTION"]
    for number in of_connections:
        guard = plan["guards"][number]
        for changed in ({"methods": guard["methods"] ^ 2}, {"mode": "PARANOID" if guard["mode"] == "FAST" else "FAST"}):
            other = copy.deepcopy(plan)
            other["guards"][number].update(changed)
            other["guards"] = [g for g in other["guards"] if plan["objects"][g["object"]]["type"] == "CONNECTION"]
            assert differences(other, dump), guard


def test_an_extra_capability_in_the_image_is_seen(boot: Boot, tmp_path: Path) -> None:
    """The image has one connection more than the manifest whose plan it is held against."""
    text = (TOP / "manifests" / "probe.yaml").read_text()
    assert "v1: {component: apps/probe}" in text
    (tmp_path / "probe.yaml").write_text(
        text.replace("v1: {component: apps/probe}", "v1: {component: apps/probe, connect: {v2: v2}}"))
    folder = variant(str(tmp_path / "probe.yaml"), "extra", "--dump")
    vm = boot("probe", image_file=folder / "probe.iso")
    vm.expect(r"dump end\n", timeout=60)
    plan = json.loads((image("probe") / "plan.json").read_text())
    wrong = differences(plan, read_dump(vm.console))
    assert any(line.startswith("v1 slot") and "there, not planned" in line and "CONNECTION" in line for line in wrong)
