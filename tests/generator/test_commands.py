# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what each command prints, what `stubs` writes, and that hostile files never give a traceback."""
import json
import os
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import HERE, REPOSITORY

from generator import slots
from generator.abi import read_abi
from generator.codes import CODES
from generator.component import read_component
from generator.diagnostics import Refused
from generator.elf import read_image
from generator.load import MAX_BYTES, load
from generator.model import read_manifest

Run = Callable[..., subprocess.CompletedProcess[str]]
LIBRARY = f"-I{REPOSITORY}/components/lib/include"


def test_check_says_fine(tessera: Run) -> None:
    done = tessera("check", "full.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "full.yaml: fine: 6 instances, 6 connections\n", "")
    assert json.loads(tessera("check", "full.yaml", "--json").stdout) == []


def test_check_as_json(tree: Path, tessera: Run) -> None:
    (tree / "bad.yaml").write_text("tessera: 1\nsystem: bad\ninstances: {a: {component: apps/nil}}\nx: 1\n")
    done = tessera("check", "bad.yaml", "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 1 and done.stderr == ""
    assert [(r["code"], r["file"], r["line"], r["column"]) for r in rows] == [
        ("TSS-020", "bad.yaml", 3, 28), ("TSS-010", "bad.yaml", 4, 1)]


def test_check_as_sarif(tree: Path, tessera: Run) -> None:
    (tree / "bad.yaml").write_text("tessera: 1\nsystem: bad\ninstances:\n  a: {component: drivers/serial}\n"
                                   "  b: {component: drivers/serial}\n")
    log = json.loads(tessera("check", "bad.yaml", "--sarif").stdout)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0" and [r["id"] for r in run["tool"]["driver"]["rules"]] == ["TSS-031", "TSS-032"]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("TSS-031", "error")
    assert first["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "bad.yaml"},
                                                         "region": {"startLine": 5, "startColumn": 3}}
    assert first["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4
    assert json.loads(tessera("check", "full.yaml", "--sarif").stdout)["runs"][0]["results"] == []


def test_build_writes_only_what_changed(tree: Path, tessera: Run) -> None:
    assert tessera("build", "full.yaml", "--no-image", "--quiet").stdout == ""
    bundle = tree / "build" / "full" / "bundle.bin"
    os.utime(bundle, (1, 1))
    assert tessera("build", "full.yaml", "--no-image", "--quiet").returncode == 0
    assert bundle.stat().st_mtime == 1
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["bundle.bin", "inputs.mk", "plan.json"]


def test_dump_flag_reaches_the_table(tree: Path, tessera: Run) -> None:
    for extra in ((), ("--dump",)):
        assert tessera("build", "full.yaml", "--no-image", "--out", f"out{len(extra)}", *extra).returncode == 0
    assert (tree / "out0" / "bundle.bin").read_bytes() != (tree / "out1" / "bundle.bin").read_bytes()


def test_explain_knows_every_code(tessera: Run) -> None:
    lines = tessera("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    assert tessera("explain", "026").stdout.startswith("TSS-026: required need is not connected\n\nNothing is")


def test_list(tessera: Run) -> None:
    text = tessera("list").stdout
    assert "components\n  apps/echo               says it again\n" in text
    assert "interfaces\n  echo                    test\n" in text


def test_stubs(tree: Path, tessera: Run) -> None:
    assert tessera("stubs", "--out", "gen").returncode == 0
    text = (tree / "gen" / "slots" / "drivers" / "serial" / "slots.h").read_text()
    assert [line for line in text.splitlines() if line.startswith("#define")] == [
        "#define SLOT_PORT_TERMINAL 16u", "#define SLOT_REPLY_TERMINAL_0 17u", "#define SLOT_REPLY_TERMINAL_1 18u",
        "#define SLOT_REPLY_TERMINAL_2 19u", "#define SLOT_REGS 20u", "#define SLOT_LINE 21u",
        "#define SLOT_EVENT_INTERRUPT 22u", "#define REPLIES_TERMINAL 3u", "#define SLOTS_END 23u"]
    assert "#define ADDRESS_SCREEN 0x300000000ull" in (tree / "gen/slots/drivers/vga/slots.h").read_text()


def test_granted_h_lists_what_component_yaml_says(tree: Path, tessera: Run) -> None:
    interfaces, echo = tree / "components" / "interfaces", tree / "components" / "apps" / "echo" / "component.yaml"
    (interfaces / "log.yaml").write_text("interface: log\nmethods: {write: {number: 1}, read: {number: 2}, flush: "
                                         "{number: 5}}\n")
    text = echo.read_text()
    assert text.count("log: {interface: log") == 1
    echo.write_text(text.replace("log: {interface: log", "log: {interface: log, methods: [flush, write]"))
    assert tessera("stubs", "--out", "gen").returncode == 0
    slot = re.search(r"#define SLOT_LOG (\d+)u", (tree / "gen/slots/apps/echo/slots.h").read_text())
    assert slot and f"((slot_) == {slot[1]} ? 0x22ull : ~0ull)" in (tree / "gen/slots/apps/echo/granted.h").read_text()
    assert "TSS_SLOT_METHODS" not in (tree / "gen/slots/apps/hello/granted.h").read_text()


def test_the_stubs_compile_and_cover_every_value_call(tree: Path, tessera: Run) -> None:
    assert tessera("stubs", "--out", "gen").returncode == 0
    abi = read_abi(tree / "kernel" / "include" / "abi")
    calls = [call for call in abi.calls if call.form == "VALUE"]
    uses = "\n".join(f"void *use_{c.object}_{c.verb} = (void *)tss_{c.object}_{c.verb};" for c in calls)
    (tree / "use.c").write_text(f"#include <tessera/syscalls.h>\n{uses}\n")
    subprocess.run(["gcc", "-std=gnu2x", "-O2", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion",
                    "-Igen/include", "-Ikernel/include/abi", LIBRARY, "-c", "use.c",
                    "-o", "use.o"], cwd=tree, check=True)
    rows = (tree / "kernel/include/abi/syscalls.def").read_text().count("\nSYSCALL(")
    assert len(calls) + sum(call.form == "MESSAGE" for call in abi.calls) == len(abi.calls) == rows


def test_stub_arguments_go_to_the_registers_of_the_table(tree: Path, tessera: Run) -> None:
    assert tessera("stubs", "--out", "gen").returncode == 0
    (tree / "use.c").write_text("#include <tessera/syscalls.h>\nuint64_t f(uint64_t *v);\nuint64_t f(uint64_t *v)\n"
                                "{ return tss_unit_create(11, 12, 13, 14, 15, v); }\n")
    text = subprocess.run(["gcc", "-std=gnu2x", "-O2", "-S", "-Igen/include", "-Ikernel/include/abi", LIBRARY, "use.c",
                           "-o", "-"], cwd=tree, check=True, capture_output=True, text=True).stdout
    for value, register in ((0x1009, "eax"), (11, "edi"), (12, "esi"), (13, "edx"), (14, "r10d"), (15, "r8d")):
        assert f"movl\t${value}, %{register}" in text
    assert re.search(r"\.pushsection \.tessera\.calls,.*\n\s*\.short 4105\n", text), "and a mark of its number"


def test_a_layout_has_no_gaps() -> None:
    planned = slots.layout([("a", 2), ("b", 0)], ["n"], ["d"], ["e"])
    assert [s.number for s in planned.slots] == list(range(16, 16 + 7)) and planned.end == 23


def test_mailboxes_come_last_and_have_the_pages_of_the_abi() -> None:
    planned = slots.layout([("a", 0)], [], [], ["e"], True, ("a",))
    assert [s.kind for s in planned.slots] == ["port", "event", "parameters", "mailbox"]
    asserts = "".join(f"_Static_assert(TSS_MAILBOX_PAGES({depth}) == {slots.mailbox_pages(depth)}, \"\");\n"
                      for depth in (1, 15, 16, 30, 31, 256))
    subprocess.run(["gcc", "-std=gnu2x", "-fsyntax-only", f"-I{REPOSITORY / 'kernel/include/abi'}", "-x", "c", "-"],
                   input=f"#include <mailbox.h>\n{asserts}", text=True, check=True)


def test_the_shipped_manifests_are_well_formed() -> None:
    """Each by itself; those that extend another are none without it, and are looked at below."""
    for path in (REPOSITORY / "manifests").glob("*.yaml"):
        tree, errors = load(path.read_bytes(), f"manifests/{path.name}")
        alone = tree.get("extends") is None
        assert [*errors, *(read_manifest(tree, f"manifests/{path.name}")[1] if alone else ())] == []


def test_the_shipped_systems_are_fine(tmp_path: Path) -> None:
    for path in sorted((REPOSITORY / "manifests").glob("*.yaml")):
        done = subprocess.run([str(REPOSITORY / "generator" / "tessera"), "check", path.stem, "--build-dir",
                               str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("large, small, replies, wrong", [
    (46, 1, 24, ""), (46, 2, 8, "3401 objects are too many"), (0, 255, 3, ""),
    (0, 255, 4, "4224 slots of init are too many")])
def test_a_system_as_large_as_init_can_hold(tree: Path, tessera: Run, large: int, small: int, replies: int,
                                            wrong: str) -> None:
    """`large` instances with 64 replies each and `small` ones with `replies`: 3400 objects, 255 instances, or more."""
    for name, count in (("hello", 64), ("user", replies)):
        (tree / "components" / "apps" / name / "component.yaml").write_text(
            f"component: apps/{name}\nconfig: CONFIG_APPS_{name.upper()}\ndescription: x\n"
            f"provides: {{a: {{interface: echo, replies: {count}}}}}\n")
    rows = [*(f"  h{i}: {{component: apps/hello, slots: 128}}\n" for i in range(large)),
            *(f"  u{i}: {{component: apps/user}}\n" for i in range(small))]
    (tree / "many.yaml").write_text("tessera: 1\nsystem: many\nmachine: {memory: 1G}\ninstances:\n" + "".join(rows))
    done = tessera("build", "many.yaml", "--no-image", "--quiet")
    assert (done.returncode, done.stdout) == (1 if wrong else 0, "")
    assert done.stderr.startswith(f"many.yaml:1:1: error TSS-039: {wrong}\n") if wrong else done.stderr == ""


def test_a_tree_of_ones_own_adds_components_interfaces_and_fragments(tree: Path, tessera: Run) -> None:
    mine = tree / "mine"
    for path, text in {
            "components/interfaces/wave.yaml": "interface: wave\nmethods: {hi: {number: 1}}\n",
            "components/apps/wave/component.yaml": "component: apps/wave\nconfig: CONFIG_APPS_WAVE\ndescription: x\n"
            "provides: {own: {interface: wave}}\nneeds: {log: {interface: log}}\n",
            "configs/mine_defconfig": "",
            "manifests/part.yaml": "tessera: 1\ninstances:\n  log: {component: servers/log}\n",
            "manifests/deep/mine.yaml": "tessera: 1\nsystem: mine\nconfig: mine_defconfig\nextends: [part.yaml]\n"
            "instances:\n  wave: {component: apps/wave, connect: {log: log}}\n"}.items():
        (mine / path).parent.mkdir(parents=True, exist_ok=True)
        (mine / path).write_text(text)
    done = tessera("--extra", "mine", "check", "mine/manifests/deep/mine.yaml")
    assert (done.stdout, done.stderr) == ("mine/manifests/deep/mine.yaml: fine: 2 instances, 1 connections\n", "")
    assert "# The interface wave\n" in tessera("--extra", "mine", "doc", "wave").stdout
    without = tessera("check", "mine/manifests/deep/mine.yaml").stderr
    assert re.findall("error (TSS-...)", without) == ["TSS-050", "TSS-053", "TSS-020"]


@pytest.mark.parametrize("command", ["check", "show", "size", "why {} a b", "why-not {} a b", "diff {} full.yaml",
                                     "graph", "report", "response", "stack {} a", "hardening"])
def test_a_system_without_a_name(tessera: Run, command: str) -> None:
    """As in `tessera size "$PRODUCT"`, where that is not set."""
    words = [word.replace("{}", "") for word in (command if "{}" in command else f"{command} {{}}").split(" ")]
    done = tessera(*words)
    assert (done.returncode, done.stdout) == (1, "") and 'error TSS-001: there is no system ""\n' in done.stderr


def test_time_on_another_cpu(tree: Path, tessera: Run) -> None:
    (tree / "far.yaml").write_text("tessera: 1\nsystem: far\ninstances:\n  hello: {component: apps/hello, cpu: 1, "
                                   "budget: {time: 3ms, period: 10ms}}\n")
    done = tessera("build", "far.yaml", "--no-image", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    objects = json.loads((tree / "build" / "far" / "plan.json").read_text())["objects"]
    assert [o for o in objects if o["type"] == "SCHED" and o["cpu"] == 1] == [
        {"type": "SCHED", "payer": "hello", "cpu": 1, "budget": 10000 << 32 | 3000, "deadline": 0}]


def test_a_connection_left_out_in_a_fragments_way(tree: Path, tessera: Run) -> None:
    """`{to: none}` laid over what a fragment says of the connection leaves the rest of that there."""
    plans = []
    for said in ("none", "{to: none, methods: [write], mode: HARDENED}"):
        (tree / "out.yaml").write_text("tessera: 1\nsystem: out\ninstances:\n  log: {component: servers/log, connect: "
                                       "{terminal: serial}}\n  serial: {component: drivers/serial}\n"
                                       f"  echo: {{component: apps/echo, connect: {{log: {said}}}}}\n")
        done = tessera("build", "out.yaml", "--no-image", "--quiet")
        assert (done.returncode, done.stderr) == (0, "")
        plans.append(json.loads((tree / "build" / "out" / "plan.json").read_text()))
    assert plans[0]["connections"] == plans[1]["connections"] and plans[0]["objects"] == plans[1]["objects"]


def test_an_empty_system_is_init_alone(tree: Path, tessera: Run) -> None:
    (tree / "none.yaml").write_text("tessera: 1\nsystem: none\ninstances: {}\n")
    assert tessera("build", "none.yaml", "--no-image").stdout.startswith("build/none: 1 instances, 9 objects, 9 cap")


HOSTILE: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: path.mkdir(), "pipe": lambda path: os.mkfifo(path),
    "loop": lambda path: path.symlink_to(path), "nowhere": lambda path: path.symlink_to(path.with_name("gone")),
    "device": lambda path: path.symlink_to("/dev/zero")}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("name", ["odd.yaml", "components/apps/hello/component.yaml",
                                  "build/components/apps/hello/hello.elf"])
def test_what_is_no_file_is_neither_waited_for_nor_read(tree: Path, tessera: Run, name: str, what: str) -> None:
    """The same for a manifest, a description and a program, each a command's only input or one of many."""
    (tree / name).unlink(missing_ok=True)
    HOSTILE[what](tree / name)
    (tree / "test.yaml").write_text("tessera: 1\nsystem: test\ninstances: {a: {component: apps/hello}}\n")
    done = tessera("build", "test.yaml" if "/" in name else name, "--no-image")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith(f"{name}: error TSS-065: apps/hello is not built\n" if name.endswith("elf") else
                                  f"{name}: error TSS-001: cannot be read: ")


def test_one_of_many_that_is_no_file(tree: Path, tessera: Run) -> None:
    (tree / "manifests").mkdir()
    os.mkfifo(tree / "manifests" / "odd.yaml")
    assert tessera("list").stderr == ("manifests/odd.yaml: error TSS-001: cannot be read or written: It is a pipe, "
                                      "a socket or a device\n  hint: name another place, or make room for it there\n")


def test_a_pipe_of_the_shell_is_a_file(tree: Path) -> None:
    """Such as `tessera check <(git show HEAD:system.yaml)`."""
    done = subprocess.run(["bash", "-c", '"$0" --root . check <(cat full.yaml)', str(REPOSITORY / "generator/tessera")],
                          cwd=tree, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.endswith(": fine: 6 instances, 6 connections\n"), done.stderr


def test_a_tree_that_is_none(tree: Path, tessera: Run) -> None:
    done = tessera("--root", "nowhere", "check", "full.yaml")
    assert (done.returncode, done.stderr) == (1, f"{tree}/nowhere: error TSS-001: there is no such folder\n"
                                              "  hint: it is the top of a tree, with components/ and manifests/\n")
    for text in ("x: 1\n", "FAULT(1)\n", "FAULT(1, a, b\n"):
        (tree / "kernel/include/abi/faults.def").write_text(text)
        done = tessera("build", "full.yaml", "--no-image")
        assert done.returncode == 1 and done.stderr.startswith(f"{tree}/kernel/include/abi: error TSS-080: "), text


def coded(data: bytes) -> set[str]:
    """The codes that a file's text alone gives."""
    try:
        tree, errors = load(data, "f.yaml")
    except Refused as refused:
        return {d.code for d in refused.diagnostics}
    return {d.code for d in [*errors, *read_manifest(tree, "f.yaml")[1]]}


def test_a_huge_file_is_refused_unread() -> None:
    assert coded(b"#" * (MAX_BYTES + 1)) == {"TSS-004"}


@pytest.mark.parametrize("data", [
    b"[" * 100000, b"{a: " * 50000, b"- " * 100000, b"? " * 50000, b"a:\n" * 50000, b"!" * 1000, b"&a " * 1000, b"*",
    b"%YAML 9.9\n---\na: 1", b"%TAG ! x\n%TAG ! y\n---\na: 1", b'"\\U99999999"', b"a: |9\n x", b"\xff\xfe\x00a",
    b"---\n---\n",
    b"a: &x [*x, *x]", b"{[a]: 1}", b"tessera: " + b"9" * 10000, b"system: '" + b"a" * 100000 + b"'", b"...\n.\n",
    b"instances: {a: {component: [[[[]]]]}}", b"machine: {memory: 99999999999999999999G}", b"\xef\xbb\xbf", b": :\n",
    b"\r\n\r"])
def test_hostile_files_get_codes(data: bytes) -> None:
    assert coded(data) and coded(data) <= set(CODES)


def test_random_damage_gives_codes() -> None:
    """Bytes of a good manifest are changed, removed and repeated; reading never fails with anything but a code."""
    good = (HERE / "tree" / "full.yaml").read_bytes()
    chance = random.Random(20)
    for _ in range(150):
        assert coded(damaged(good, chance)) <= set(CODES)


def damaged(good: bytes, chance: random.Random) -> bytes:
    """`good` with a few bytes changed, removed or repeated."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at:at + chance.randint(0, 3)] = bytes(chance.choice(b"{}[]:,&*!|>'\"%@`#-? \t\n\x00\xffa0") for _ in
                                                   range(chance.randint(0, 3)))
    return bytes(data)


def test_random_damage_to_a_component_gives_codes() -> None:
    chance = random.Random(21)
    for path in sorted((HERE / "tree" / "components").rglob("component.yaml")):
        folder = str(path.parent.relative_to(HERE / "tree" / "components"))
        for _ in range(25):
            try:
                tree, errors = load(damaged(path.read_bytes(), chance), "component.yaml")
            except Refused as refused:
                errors = refused.diagnostics
            else:
                errors = (*errors, *read_component(tree, folder, frozenset({"log", "echo", "terminal"}))[1])
            assert {d.code for d in errors} <= set(CODES)


def test_random_damage_to_an_image_gives_codes(elf: bytes) -> None:
    chance = random.Random(22)
    for _ in range(400):
        data = bytearray(elf)
        for _ in range(chance.randint(1, 6)):
            place = chance.choice((64, 64 + 56 * 4, len(data)))  # header, program headers, anywhere
            data[chance.randrange(place)] = chance.randrange(256)
        image, errors = read_image(bytes(data[:chance.choice((len(data), chance.randrange(len(data))))]), "x.elf")
        assert (image is not None or errors) and {d.code for d in errors} <= set(CODES)
