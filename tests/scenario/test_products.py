# SPDX-License-Identifier: BSD-2-Clause
"""Each product of manifests/products does what its page says, on an image with the product's own configuration."""
from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from lib.images import TOP
from lib.products import PRODUCTS, product
from lib.screen import Screen
from lib.vm import PROMPT, VM, Machine, primary_clock
from scenario.conftest import Boot
from scenario.test_screen import KEY_CLOCK


def started(boot: Boot, name: str, machine: Machine = Machine()) -> VM:
    return boot(name, machine, image_file=product(name) / f"{name}.iso")


def plan(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((product(name) / "plan.json").read_text())
    return found


def edges(name: str) -> set[tuple[str, str]]:
    return {(c["client"], c["server"]) for c in plan(name)["connections"]}


def test_tiny_says_hello_in_16_mebibytes(boot: Boot) -> None:
    """One component, nothing that could be talked to, and no other component compiled."""
    vm = started(boot, "tiny", Machine(memory="16M"))
    vm.expect("hello, world")
    assert [i["name"] for i in plan("tiny")["instances"]] == ["init", "hello"] and edges("tiny") == set()
    built = {path.stem for path in (product("tiny").parent / "components").rglob("*.elf")}
    assert built == {"init", "hello"}
    vm.send("help\r")
    assert "help" not in vm.quiet(1)


def test_appliance_works_from_keyboard_and_screen(boot: Boot) -> None:
    """A German keyboard, a clock, a driver that comes back, and the machine turned off from its own keyboard."""
    vm = started(boot, "appliance", Machine(debug_exit=False, extra=(*KEY_CLOCK, "-rtc", "base=2024-02-29T12:00:00")))
    screen = Screen(vm)
    screen.expect(r"^tessera>$")
    screen.type("y\n")  # where the us layout has y, there is the z
    screen.expect(r"unknown command: z ")
    screen.type("date\n")
    screen.expect(r"^2024-02-29 12:0\d:\d\d UTC$")
    screen.type("kill rtc\n")
    screen.expect(r"unit rtc: restarted$")
    screen.type("\ndate\n")
    screen.expect(r"tessera> date\n2024-02-29 12:0\d:\d\d UTC\ntessera>\Z")
    assert "tessera>" not in vm.console, "no prompt on the serial line"
    vm.events.clear()
    screen.type("poweroff\n")
    assert vm.event("SHUTDOWN")["reason"] == "guest-shutdown"


def test_vault_is_reached_by_its_teller_alone(boot: Boot) -> None:
    assert {client for client, server in edges("vault") if server == "keeper"} == {"teller"}
    assert all(c["sealed"] for i in plan("vault")["instances"] if i["name"] == "keeper" for c in i["capabilities"])
    vm = started(boot, "vault")
    vm.expect(r"\[teller\] 8 replies")
    assert "[teller] 8 replies" in vm.command("log")
    assert "profile=HARDENED" in vm.command("config")
    assert vm.command("ping") == "ping: 0 replies, then not connected\n"
    for order in ("kill keeper", "restart keeper", "kill teller"):
        assert "the manifest does not allow it" in vm.command(order)
    talks = re.findall(r"^(\S+) +-> keeper .*calls (\d+)", vm.command("connections"), re.M)
    assert [client for client, calls in talks if int(calls)] == ["teller"]
    assert re.search(r"^ *\d+ keeper\b", vm.command("ps"), re.M)


def test_controller_answers_beside_a_task_that_never_yields(boot: Boot) -> None:
    """`babble`, above all of them, computes without end; calls and a restart of the loop go through as without it."""
    vm = started(boot, "controller", primary_clock())  # or the time that the host takes away would be its budget's
    vm.expect(PROMPT)
    vm.expect(r"\[babble\] ")
    first, second = (int(cpu_time(vm, "babble")) for _ in range(2))
    assert second > first, "it runs as much as its budget lets it"
    for _ in range(3):
        assert "ping: 4 replies" in vm.command("ping")
    vm.send("restart loop_a\r")
    vm.expect(r"\[loop_a\] 50 steps")
    assert "timer_tick_us=16" in vm.command("config")
    vm.command("kill plant")
    vm.expect(r"plant.*restart")
    assert "ping: 4 replies" in vm.command("ping") + vm.command("ping")


def test_controller_keeps_the_admitted_deadline(boot: Boot) -> None:
    """What the loop measures, while others call its plant and one above has a budget, is within what was added up."""
    build = product("controller").parent
    command = [str(TOP / "generator/tessera"), "response", "controller", "--json", "--build-dir", str(build)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    bound = next(row for row in json.loads(done.stdout) if row["instance"] == "loop_a")
    assert bound["kept"] and bound["time_ns"] < 1000 * bound["deadline_us"]
    vm = started(boot, "controller", primary_clock())  # a guest instruction takes a nanosecond, as the manifest says
    vm.expect(PROMPT)
    for _ in range(4):
        for _ in range(5):
            assert "ping: 4 replies\n" in vm.command("ping")
        vm.expect(r"\[loop_a\] \d+ steps, done after at most (\d+) us, 0 late, 0 failed")
    said = re.findall(r"\[loop_a\] \d+ steps, done after at most (\d+) us, 0 late, 0 failed, value (\d+)", vm.console)
    assert 0 < int(said[-1][0]) * 1000 <= bound["time_ns"] and abs(int(said[-1][1]) - 1000) < 20, said


def cpu_time(vm: VM, name: str) -> str:
    """The time a unit's thread has run, as `threads` counts it."""
    vm.expect(r"\[loop_a\] \d+ steps[^\n]*\n")  # half a second of its own
    row = re.search(rf"^ *\d+ {name} +\w+ +\d+ +\d+ +\d+ +(\d+)", vm.command("threads"), re.M)
    assert row
    return row[1]


def test_cruncher_computes_right_eight_times(boot: Boot) -> None:
    vm = started(boot, "cruncher", Machine(cpus=4))
    for _ in range(8):
        vm.expect(r"\] begins [^\n]*\n", timeout=60)
    said = dict(re.findall(r"^\[(\w+)\] (begins .*)$", vm.console, re.M))
    assert said == {f"work{n}": "begins initial, pi is right, many rounds, 0 wrong" for n in range(1, 9)}


def test_development_audits_itself_after_a_restart(boot: Boot) -> None:
    vm = started(boot, "development", Machine(extra=KEY_CLOCK))
    vm.expect(PROMPT)
    vm.command("kill name")
    vm.expect(r"name.*restart")
    assert "add" in vm.command("audit")
    assert "profile=DEV" in vm.command("config")
    screen = Screen(vm)
    screen.expect(r"^tessera>$")
    assert "ping: 4 replies" in screen.command("ping")


def test_each_product_has_page_manifest_and_configuration() -> None:
    assert len(PRODUCTS) >= 6
    index = (TOP / "manifests/products/README.md").read_text()
    for name in PRODUCTS:
        page = (TOP / f"manifests/products/{name}.md").read_text()
        manifest = (TOP / f"manifests/{name}.yaml").read_text()
        assert f"config: {name}_defconfig\n" in manifest and Path(TOP / f"configs/{name}_defconfig").is_file()
        assert f"SYSTEM={name}" in page and f"({name}.md)" in index
        assert f"def test_{name}_" in Path(__file__).read_text()
