# SPDX-License-Identifier: BSD-2-Clause
"""A monitor (components/apps/strace) is asked about system calls of others: it prints, refuses, dies and comes back."""
from __future__ import annotations

import json
import re
from pathlib import Path

from lib.images import TOP, image, variant
from lib.vm import PROMPT, VM
from scenario.conftest import Boot

WAIT_S = 60.0
LINE = re.compile(r"\[strace\] (\d+) (\w+) (\w+)\((.*)\)( refused)?$", re.M)
RESULT = re.compile(r"\[strace\] (\w+) (\w+) = (.*)$", re.M)


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    """The image of a system strace of which one text is another."""
    text = (TOP / "manifests" / "strace.yaml").read_text()
    assert text.count(old) == 1
    (tmp_path / "strace.yaml").write_text(text.replace(old, new))
    return variant(str(tmp_path / "strace.yaml"), name)


def started(vm: VM) -> None:
    vm.expect(PROMPT, timeout=WAIT_S)
    vm.quiet(1)


def test_calls_are_printed_and_carried_out(boot: Boot) -> None:
    vm = boot("strace")
    started(vm)
    assert "[ping] 8 replies" in vm.console and "[echo] ready" in vm.console
    calls = [m.groups() for m in LINE.finditer(vm.console)]
    assert [int(number) for number, *_ in calls] == list(range(1, len(calls) + 1))
    assert [name for _, who, name, _, _ in calls if who == "ping"] == ["connection_call"] * 9 + ["self_sleep"]
    assert ("ping", "self_sleep", "0xffffffffffffffff") in [(who, name, text) for _, who, name, text, _ in calls]
    assert [text for _, who, name, text, _ in calls if who == "ping" and name == "connection_call"][1].endswith(
        ", type 4, 256 bytes")
    results = RESULT.findall(vm.console)
    assert ("echo", "connection_send", "OK, 0x0") in results, "told, since it does not block"
    assert ("echo", "connection_call", "CAPABILITY (1)") in results, "of an error, too"
    assert not [who for who, _, _ in results if who == "ping"], "its calls block, and nobody is told of their end"


def test_what_is_asked_is_in_the_plan() -> None:
    calls = json.loads((image("strace") / "plan.json").read_text())["calls"]
    assert calls["ping"]["asked"] == calls["ping"]["may"] and calls["echo"]["asked"] == calls["echo"]["may"]
    assert calls["shell"]["asked"] == []


def test_a_refused_call_is_not_carried_out(boot: Boot, tmp_path: Path) -> None:
    """Only that one; so ping's pings and its report are lost, and it goes on to sleep."""
    folder = changed(tmp_path, "refuse", "calls: all}",
                     "calls: [connection_call]}, parameters: {refuse: connection_call}")
    vm = boot("strace", image_file=folder / "strace.iso")
    started(vm)
    calls = [m.groups() for m in LINE.finditer(vm.console)]
    assert {(name, refused) for _, who, name, _, refused in calls if who == "ping"} == {("connection_call", " refused")}
    assert "[ping]" not in vm.console and "[echo] ready" in vm.console


def test_a_monitor_that_is_restarted_is_asked_again(boot: Boot) -> None:
    vm = boot("strace")
    started(vm)
    vm.command("kill strace", timeout=WAIT_S)
    vm.quiet(1)
    before = len(vm.console)
    vm.command("restart ping", timeout=WAIT_S)
    vm.expect(r"\[ping\] 8 replies", timeout=WAIT_S)
    vm.quiet(0.5)
    calls = [m.groups() for m in LINE.finditer(vm.console[before:])]
    assert [name for _, who, name, _, _ in calls if who == "ping"] == ["connection_call"] * 9 + ["self_sleep"]
    assert int(calls[0][0]) < 15, "it counts anew"


def test_without_its_monitor_nothing_is_carried_out(boot: Boot, tmp_path: Path) -> None:
    """Denied, not let through: the monitor has ended for good."""
    folder = changed(tmp_path, "dead", "interpose: {who: [ping, echo], calls: all}",
                     "interpose: {who: [ping, echo], calls: all}, restart: never")
    vm = boot("strace", image_file=folder / "strace.iso")
    started(vm)
    vm.command("kill strace", timeout=WAIT_S)
    before = len(vm.console)
    vm.command("restart ping", timeout=WAIT_S)
    vm.quiet(2)
    assert "[ping]" not in vm.console[before:]
    assert re.search(r"\bping +running\b", vm.command("ps", timeout=WAIT_S))
