# SPDX-License-Identifier: BSD-2-Clause
"""Typed commands of the demo's shell answer with what is true."""
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lib.images import TOP
from lib.tables import ABSENT, without
from lib.vm import PROMPT, VM

COMMANDS = ("help", "ps", "threads", "caps", "mem", "irqs", "connections", "ping", "names", "find", "config", "uptime",
            "audit", "log", "colours", "print",
            "date", "lspci", "random", "poweroff", "reboot")


def planned(folder: Path) -> list[str]:
    """Names of the demo's instances."""
    return [instance["name"] for instance in json.loads((folder / "plan.json").read_text())["instances"]]


def test_help_names_each_command(demo: VM) -> None:
    text = demo.command("help")
    for name in COMMANDS:
        assert re.search(rf"(?:^|; ){name}\b", text, re.M), name


@pytest.mark.parametrize("command", ["ps", "threads"])
def test_lists_have_every_instance(command: str, demo: VM, demo_folder: Path) -> None:
    text = demo.command(command)
    for name in planned(demo_folder):
        assert re.search(rf"^ *\d+ {name}\b.*$", text, re.M), name
    assert len(text.splitlines()) == 1 + len(planned(demo_folder))


def test_caps_of_one_and_of_all(demo: VM, demo_folder: Path) -> None:
    plan = json.loads((demo_folder / "plan.json").read_text())
    everything = demo.command("caps all")
    present = without(plan, ABSENT)
    for instance in plan["instances"]:
        wanted = {(slot, c["type"].lower()) for (name, slot), c in present.items() if name == instance["name"]}
        rows = re.findall(rf"^{instance['name']} (\d+) (\w+) ", everything, re.M)
        if instance["name"] not in ("init",):
            assert {(int(slot), kind) for slot, kind in rows} == wanted, instance["name"]
        one = re.findall(r"^(\d+) (\w+) ", demo.command(f"caps {instance['name']}"), re.M)
        assert one == rows


def test_caps_of_nobody(demo: VM) -> None:
    assert "nobody" in demo.command("caps nobody")
    assert demo.command("uptime")


def test_connections_are_those_of_the_plan(demo: VM, demo_folder: Path) -> None:
    plan = json.loads((demo_folder / "plan.json").read_text())
    found = set(re.findall(r"^(\S+) +-> (\S+) +badge +(\d+)", demo.command("connections"), re.M))
    wanted = {(c["client"], c["server"], str(c["badge"])) for c in plan["connections"]}
    assert wanted <= found
    assert all(server == "init" for _, server, _ in found - wanted), "ends and hearts that init hears of"


def test_ping_calls_echo(demo: VM) -> None:
    def calls() -> int:
        match = re.search(r"^shell +-> echo .* calls (\d+)", demo.command("connections"), re.M)
        assert match
        return int(match[1])
    before = calls()
    assert "repl" in demo.command("ping")
    assert calls() > before


def test_memory_adds_up(demo: VM) -> None:
    text = demo.command("mem")
    total, free = (int(word) for word in re.findall(r"(?:total|free) (\d+) KiB", text)[:2])
    assert 64 * 1024 < total <= 128 * 1024 and free <= total
    for used, budget in re.findall(r"(\d+) of +(\d+) KiB", text):
        assert int(used) <= int(budget)


def test_typing_interrupts(demo: VM) -> None:
    def count() -> int:
        match = re.search(r"line +4 +(\d+) serial", demo.command("irqs"))
        assert match
        return int(match[1])
    first = count()
    assert count() > first


def test_config_tells_the_profile(demo: VM) -> None:
    text = demo.command("config")
    assert re.search(r"^profile=DEV$", text, re.M) and re.search(r"^smep=1$", text, re.M)
    abi = re.search(r"TSS_ABI_VERSION (\d+)", (TOP / "kernel/include/abi/abi.h").read_text())
    assert abi and f"abi={abi[1]}" in text


def test_uptime_advances(demo: VM) -> None:
    def seconds() -> float:
        match = re.search(r"up (\d+\.\d+) s", demo.command("uptime"))
        assert match
        return float(match[1])
    first = seconds()
    demo.quiet(0.5)
    assert 0.4 < seconds() - first < 20


def test_everything_adds_up(demo: VM) -> None:
    assert demo.command("audit") == "audit: all adds up\n"


def test_log_keeps_lines(demo: VM) -> None:
    assert "[echo]" in demo.command("log")


def test_line_editing(demo: VM) -> None:
    demo.send("xhel\x7f\x7f\x7f\x7fhelp\r")
    assert "this list" in demo.text_until(r"\n" + PROMPT)


def test_history(demo: VM) -> None:
    up, down = "\x1b[A", "\x1b[B"
    for number in range(20):
        demo.command(f"print n{number}")
    for keys, wanted in ((up, 19), (up * 3 + down, 18), ("x" + up + "\x10" * 4 + "\x0e", 17), (up * 99, 6)):
        demo.send(keys + "\r")
        demo.expect(rf"\nn{wanted}\n")
    demo.send(down + up + down + "print end\r")
    demo.expect(r"\nend\n")


def test_unknown_and_empty_lines(demo: VM) -> None:
    assert "nonsense" in demo.command("nonsense")
    assert demo.command("") == ""
    assert "this list" in demo.command("help")


def test_sequences_that_are_cut_short(demo: VM) -> None:
    demo.send("\x1b[\r")
    demo.expect(PROMPT)
    demo.send("\x1b\x1b[999;999Hprint \x1b[1\x01\x00\x1b[F\x1bOPwhole\r")
    demo.expect(r"\nwhole\n")


def test_what_is_not_connected(demo: VM) -> None:
    assert demo.command("date") == "date: not connected\n"


def test_arguments_that_mean_nothing(demo: VM) -> None:
    assert demo.command("ps all") == "ps takes no argument\n"
    assert demo.command("poweroff now") == "poweroff takes no argument\n"
    assert demo.command("caps") == "usage: caps UNIT|all\n"


def test_a_long_line_does_no_harm(demo: VM) -> None:
    demo.send("a" * 600 + "\r")
    demo.expect(r"a\n|\n")
    demo.expect(PROMPT)
    assert "this list" in demo.command("help")


def calls(demo: VM) -> tuple[int, int]:
    """Calls so far that were handed over directly, and those that were queued, as `uptime` says."""
    found = re.search(r"fast calls (\d+), slow calls (\d+) ", demo.command("uptime"))
    assert found
    return int(found[1]), int(found[2])


def test_almost_every_call_of_the_demo_is_handed_over_directly(demo: VM) -> None:
    """After what came before as a warm-up; each of these commands makes dozens of calls, to servers with heartbeats."""
    fast, slow = calls(demo)
    for command in ("help", "ps", "threads", "caps all", "ping", "names", "connections"):
        demo.command(command)
    more_fast, more_slow = calls(demo)
    made = more_fast - fast + more_slow - slow
    assert made > 200
    assert more_fast - fast > 0.95 * made
