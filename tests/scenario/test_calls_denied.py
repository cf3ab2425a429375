# SPDX-License-Identifier: BSD-2-Clause
"""A component may make the system calls that its stubs make; another one, made by hand, is a fault that ends it."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.images import TOP, image, variant
from scenario.conftest import Boot
from scenario.orders import order

VERSION, HANDLER, RETURN = "call 1000", "call 102d 0 0", "call 102e 0"  # as the probe's console takes them
DENIED = (["deny: [self_version]", [VERSION]], ["exceptions: false", [HANDLER, RETURN]])


def test_what_the_stubs_make_is_in_the_plan() -> None:
    """Of ping: what it calls, what the library does for it, and nothing else."""
    calls = json.loads((image("demo") / "plan.json").read_text())["calls"]
    assert calls["ping"]["may"] == ["capability_delete", "connection_call", "self_exit", "self_sleep"]
    assert "ioport_write" in calls["serial"]["may"] and "unit_create" not in calls["serial"]["may"]
    assert "unit_create" in calls["init"]["may"] and all(row["asked"] == [] for row in calls.values())


def test_a_call_made_by_hand_is_a_fault(boot: Boot, tmp_path: Path) -> None:
    """No stub of the component makes it; the program in its unit does, and ends there."""
    text = (TOP / "manifests" / "linux_hello.yaml").read_text()
    assert "build/linux/hello}" in text
    (tmp_path / "linux_hello.yaml").write_text(text.replace("build/linux/hello}", "build/linux/native}"))
    folder = variant(str(tmp_path / "linux_hello.yaml"), "native")
    plan = json.loads((folder / "plan.json").read_text())
    assert "self_version" not in plan["calls"]["hello"]["may"]
    vm = boot("linux_hello", image_file=folder / "linux_hello.iso")
    vm.expect(r"\[hello\] before\n")
    vm.expect(r"unit hello: fault SYSCALL at 0x1000")
    assert "after" not in vm.console + vm.quiet(0.3)


@pytest.mark.parametrize("key, calls", DENIED, ids=["deny", "exceptions"])
def test_what_the_manifest_denies(key: str, calls: list[str], boot: Boot, tmp_path: Path) -> None:
    """v0 to v3 are denied what the others, of the same component, may do."""
    text = (TOP / "manifests" / "probe.yaml").read_text()
    for name in ("v0", "v1"):
        assert f"{name}: {{component: apps/probe}}" in text
        text = text.replace(f"{name}: {{component: apps/probe}}", f"{name}: {{component: apps/probe, {key}}}")
    (tmp_path / "probe.yaml").write_text(text)
    folder = variant(str(tmp_path / "probe.yaml"), key.split(":")[0])
    vm = boot("probe", image_file=folder / "probe.iso")
    vm.expect("probe> ")
    for victim, call in zip(("v0", "v1"), calls):
        assert order(vm, f"v4 {call}")[0] == "="
        assert order(vm, f"{victim} {call}")[0] == "!"
        assert "SYSCALL" in vm.console + vm.quiet(0.2)
