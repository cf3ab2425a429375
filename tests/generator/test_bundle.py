# SPDX-License-Identifier: BSD-2-Clause
"""plan, emit and verify on the tree's `full.yaml`, which has every kind of object and device."""
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY, make_tree
from test_fixtures import rehash, table_offset

from generator import budget, emit, plan, slots, supervision, verify, verify_derive, verify_read
from generator.abi import CONSTANTS, Abi, read_abi
from generator.authority import Reasons, rights
from generator.build import Checked, Product, check_system, make
from generator.calls import names_of
from generator.check import Link, Resolved, System
from generator.component import FACTORY
from generator.diagnostics import render
from generator.inputs import Inputs, read_inputs, read_source

Run = Callable[..., subprocess.CompletedProcess[str]]
LAYOUT = ("IMAGE", "HEAP", "DIRECTORY", "IMAGES", "STACK_TOP", "IPC_PAGE")
CALLS = names_of(read_abi(REPOSITORY / "kernel" / "include" / "abi"))
MOVES = 2  # TSS_INSTANCE_MOVES


@pytest.fixture(scope="module")
def abi() -> Abi:
    return read_abi(REPOSITORY / "kernel" / "include" / "abi")


class Built:
    """A system taken through all stages in memory."""

    def __init__(self, root: Path, name: str, abi: Abi) -> None:
        self.inputs: Inputs = read_inputs(root)
        self.source = read_source(root / name, root)
        self.checked: Checked = check_system(self.inputs, self.source, root / "build", None, True)
        assert self.checked.errors == [], render(self.checked.errors, {})
        self.product: Product = make(self.checked, abi, False)
        self.document: dict[str, Any] = json.loads(self.product.plan_json)

    def verify_inputs(self) -> verify.Inputs:
        components = {name: source.data for name, source in self.inputs.components.items()}
        assert self.checked.composed is not None
        fragments = {name: source.data for name, source in self.checked.composed.files.items()}
        interfaces = {name: source.data for name, source in self.inputs.interfaces.items()}
        return verify.Inputs(self.source.data, components, self.checked.elfs, False, fragments, {}, interfaces, CALLS)

    def instance(self, name: str) -> dict[str, Any]:
        return next(dict(i) for i in self.document["instances"] if i["name"] == name)

    def capability(self, name: str, slot: int) -> dict[str, Any]:
        return next(dict(c) for c in self.instance(name)["capabilities"] if c["slot"] == slot)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, elf: bytes, abi: Abi) -> Built:
    return Built(make_tree(tmp_path_factory.mktemp("full") / "root", elf), "full.yaml", abi)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, elf: bytes, abi: Abi) -> Built:
    root = make_tree(tmp_path_factory.mktemp("small") / "root", elf)
    (root / "small.yaml").write_text("tessera: 1\nsystem: small\ninstances:\n  log: {component: servers/log}\n"
                                     "  echo: {component: apps/echo, connect: {log: log}}\n")
    return Built(root, "small.yaml", abi)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, elf: bytes, abi: Abi) -> Built:
    return Built(make_tree(tmp_path_factory.mktemp("guarded") / "root", elf), "guarded.yaml", abi)


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory, elf: bytes, abi: Abi) -> Built:
    """`guarded`, and two more who speak in mode PARANOID, of whom one is never restarted."""
    root = make_tree(tmp_path_factory.mktemp("secret") / "root", elf)
    text = (root / "guarded.yaml").read_text() + (
        "  keys: {component: apps/echo, mode: PARANOID, restart: always, connect: {log: {to: log, mode: FAST}}}\n"
        "  once: {component: apps/echo, mode: PARANOID, restart: never, connect: {log: {to: log, mode: FAST}}}\n")
    (root / "secret.yaml").write_text(text.replace("system: guarded", "system: secret"))
    reader = root / "components" / "servers" / "reincarnation" / "component.yaml"  # of the record; somebody has to be
    reader.write_text(reader.read_text().replace("[inspect]", "[inspect, audit]"))
    return Built(root, "secret.yaml", abi)


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory, elf: bytes, abi: Abi) -> Built:
    return Built(make_tree(tmp_path_factory.mktemp("layered") / "root", elf), "layered.yaml", abi)


def test_fragments_set_override_and_remove(layered: Built) -> None:
    rows = {i["name"]: i for i in layered.document["instances"]}
    assert sorted(rows) == ["echo", "init", "log", "second", "serial", "tuned"]
    assert (rows["serial"]["priority"], rows["echo"]["priority"], rows["log"]["memory_pages"]) == (221, 91, 128)
    assert layered.checked.system is not None and layered.checked.system.description == "", "a fragment's is its own"
    links = {(c["client"], c["name"]) for c in layered.document["connections"]}
    assert ("tuned", "log") in links and not {("echo", "log"), ("second", "log")} & links
    assert [str(v.rule) for v in layered.checked.verdicts] == ["only: {who: [log], may_use: serial}", "no_cycles: call"]


def test_parameters_lie_in_a_page_of_their_own(layered: Built) -> None:
    sections = {s.name: s for s in layered.product.plan.sections}
    numbers = struct.pack("<5Q", 7, 1 << 20, 3000, 1, 0)
    assert sections["tuned.parameters"].data == b"good morning".ljust(16, b"\0") + numbers
    assert sections["second.parameters"].data == b"hello".ljust(16, b"\0") + struct.pack("<5Q", 2, 65536, 10000, 0, 1)
    slot = layered.capability("tuned", 17)
    assert (slot["address"], slot["rights"], slot["protection"]) == (0x280000000, ["READ"], ["READ"])


@pytest.mark.parametrize("name", ["full", "guarded", "layered", "secret"])
def test_verify_finds_nothing_wrong(name: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(name)
    found, errors = verify.verify(built.product.bundle, built.verify_inputs(), "bundle.bin")
    assert found is not None and errors == []
    assert verify.verify_plan(built.product.plan_json, found, "plan.json", CALLS) == []


def test_the_supervisor_is_first_and_holds_only_install(guarded: Built) -> None:
    names = [i["name"] for i in guarded.document["instances"]]
    assert names == ["init", "guard", "serial", "log", "echo", "shell"]
    units = [c for c in guarded.instance("guard")["capabilities"] if c["type"] == "UNIT"]
    assert [(c["rights"], c["original"]) for c in units] == [(["INSTALL"], False)] * 4
    assert [guarded.document["objects"][c["object"]]["instance"] for c in units] == names[2:]
    assert guarded.instance("guard")["argument"] >> 32 == 4_000_000


def test_init_keeps_no_authority_over_the_supervised(guarded: Built, full: Built) -> None:
    rights = {guarded.document["objects"][c["object"]]["instance"]: c["rights"]
              for c in guarded.instance("init")["capabilities"] if c["type"] == "UNIT"}
    assert rights == {"init": ["GRANT", "CONTROL"], "guard": ["INSTALL"], "serial": [], "log": [], "echo": [],
                      "shell": []}
    assert all(c["sealed"] for i in guarded.document["instances"] for c in i["capabilities"])
    assert not any(c["sealed"] for i in full.document["instances"] for c in i["capabilities"])


def test_contracts_come_from_instance_then_component(guarded: Built) -> None:
    rows = {row["name"]: row for row in guarded.document["supervised"]}
    assert rows["serial"] == {"name": "serial", "policy": "on_failure", "backoff_us": [100_000, 2_000_000], "max": 3,
                              "window_us": 10_000_000, "then": "degrade", "heartbeat_us": 0,
                              "dependants": ["echo", "log"]}
    assert (rows["log"]["policy"], rows["log"]["backoff_us"]) == ("always", [50_000, 1_000_000])
    assert (rows["log"]["heartbeat_us"], rows["echo"]["policy"], rows["shell"]["policy"]) == (500_000, "never", "never")
    assert guarded.document["administrators"] == [{"client": "shell", "badge": 1, "may": ["kill"]}]


@pytest.mark.parametrize("name", ["guarded", "secret"])
def test_each_byte_of_the_supervision_table_counts_even_with_good_hashes(name: str,
                                                                         request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(name)
    data = built.product.bundle
    (section,) = [s for s in verify_read.read_bundle(data).sections if s.name == "guard.supervision"]
    where = range(section.offset, section.offset + section.size)
    accepted = [offset for offset, bad in flips(data, where, rehash) if refused(built, bad) is False]
    assert accepted == []


def read_of_images(built: Built) -> dict[str, tuple[list[str], list[str]]]:
    """Who can read sections of others in the bundle -> their names, and with what rights."""
    objects = built.document["objects"]
    return {i["name"]: (objects[c["object"]]["sections"], c["rights"]) for i in built.document["instances"]
            for c in i["capabilities"] if objects[c["object"]].get("source") == "SECTIONS"}


def test_only_images_that_are_looked_at_can_be_read(secret: Built, guarded: Built, full: Built) -> None:
    """Of who moves and is restarted, by the supervisor; of the supervisor, by init. Nobody's, if nobody moves."""
    keys, guard = ([f"{name}.{kind}" for kind in kinds] for name, kinds in (
        ("keys", ("data", "rodata", "text")), ("guard", ("data", "rodata", "supervision", "text"))))
    assert read_of_images(secret) == {"guard": (keys, ["READ"]), "init": (guard, ["READ"])}
    hashes = {s.name: blake2b(s.data, digest_size=32).hexdigest() for s in secret.product.plan.sections}
    assert [(p["section"], p["hash"]) for p in secret.document["images"]] == [(name, hashes[name]) for name in keys]
    for built in (guarded, full):
        assert read_of_images(built) == {} and built.document["images"] == []


def test_why_and_diff_tell_whose_image_the_supervisor_reads(secret: Built, guarded: Built, abi: Abi) -> None:
    assert secret.checked.system is not None and guarded.checked.system is not None
    held = Reasons(secret.checked.system, secret.product.plan, abi).capabilities("guard")
    (one,) = [c for c in held if c.address == abi["TSS_LAYOUT_IMAGES"]]
    assert (one.what, one.why, one.pages) == ("the programs of keys, to compare them before a restart",
                                              "they speak in mode PARANOID", 3)
    told = [[r.text for r in rights(built.checked.system) if "program" in r.text] for built in (secret, guarded)
            if built.checked.system is not None]
    assert told == [["read the program of keys"], []]


def test_who_is_not_looked_at_is_as_it_would_be_otherwise(secret: Built, guarded: Built) -> None:
    """Not a capability more or less for those who are in both systems, but for the supervisor and who serves them."""
    for name in ("serial", "echo", "shell"):
        rows = [[{k: v for k, v in c.items() if k != "object"} for c in built.instance(name)["capabilities"]]
                for built in (secret, guarded)]
        assert rows[0] == rows[1]


def test_a_section_more_to_be_read_is_found(secret: Built) -> None:
    """The supervisor's object reaches to the section before, or one of others; or can be written."""
    original = secret.product.plan
    (index,) = [n for n, o in enumerate(original.objects) if o.a == 6 and o.payer]
    for change in ({"c": original.objects[index].c + 1}, {"b": original.objects[index].b - 1}):
        objects = list(original.objects)
        objects[index] = replace(objects[index], **change)
        assert refused(secret, emit.bundle(replace(original, objects=tuple(objects)))[0]), change
    grants = [replace(g, rights=g.rights | 2) if g.object == index else g for g in original.grants]
    assert refused(secret, emit.bundle(replace(original, grants=tuple(grants)))[0])


def test_the_numbers_of_the_supervision_table_are_those_of_the_header() -> None:
    text = (REPOSITORY / "components/lib/include/tessera/supervision.h").read_text()
    text += (REPOSITORY / "components/lib/include/tessera/heartbeat.h").read_text()
    found = {name: int(value, 0) for name, value in re.findall(r"#define (TSS_\w+) (\w+?)u? ", text + " ")}
    assert found["TSS_BADGE_SUPERVISE"] == supervision.BADGE_SUPERVISE == verify_derive.ENDS
    assert found["TSS_BADGE_HEARTBEAT"] == supervision.BADGE_HEARTBEAT == verify_derive.BEATS
    assert found["TSS_SLOT_HEARTBEAT"] == supervision.HEARTBEAT_SLOT == verify_derive.HEARTBEAT_SLOT
    assert found["TSS_SUPERVISION_MAGIC"] == supervision.MAGIC
    assert supervision.OWN_HEARTBEAT == verify_derive.OWN_HEARTBEAT


def test_providers_start_before_their_clients(full: Built) -> None:
    assert [i["name"] for i in full.document["instances"]] == ["init", "serial", "log", "echo", "echo2", "vga", "shell"]


def test_settings_come_from_instance_then_manifest_then_component(full: Built) -> None:
    assert (full.instance("serial")["priority"], full.instance("log")["priority"]) == (220, 90)
    assert (full.instance("serial")["slice_us"], full.instance("log")["slice_us"]) == (5000, 10000)
    assert full.instance("log")["argument"] == 64 << 10 and full.instance("echo2")["argument"] == 8 << 10
    assert full.instance("shell")["slots"] == 128 and full.instance("shell")["memory_pages"] == 128


def test_badges_count_clients_by_name(full: Built) -> None:
    rows = [(c["client"], c["badge"], c["rights"]) for c in full.document["connections"] if c["server"] == "log"]
    assert rows[:3] == [("echo", 1, ["SEND"]), ("echo2", 2, ["SEND"]), ("init", 3, ["SEND"])]
    assert rows[3:] == [("shell", 4, ["CALL", "SEND"])]


def test_a_client_holds_its_connection_and_no_more(full: Built) -> None:
    capability = full.capability("shell", 18)
    assert (capability["type"], capability["rights"], capability["original"]) == ("CONNECTION", ["CALL"], True)
    target = full.document["objects"][capability["object"]]
    port = full.document["objects"][target["port"]]
    assert (target["payer"], port["type"], port["payer"]) == ("shell", "PORT", "echo2")


def test_authority_is_what_component_yaml_says(full: Built) -> None:
    assert full.capability("shell", 10)["rights"] == ["INSPECT", "DEVICE"]
    assert (full.capability("shell", 1)["rights"], full.capability("shell", 1)["original"]) == (["CONTROL"], False)
    assert all(c["slot"] not in (1, 10) for c in full.instance("echo")["capabilities"])
    assert full.capability("init", 10)["rights"] == ["INSPECT"]


def test_init_supervises_every_unit(full: Built) -> None:
    for index, row in enumerate(full.document["instances"][1:]):
        unit, watch = full.capability("init", 18 + 2 * index), full.capability("init", 19 + 2 * index)
        assert full.document["objects"][unit["object"]]["instance"] == row["name"]
        assert (unit["rights"], watch["rights"]) == (["CONTROL"], [])
        assert full.document["objects"][watch["object"]]["badge"] == index + 1


def test_devices(full: Built) -> None:
    screen = full.capability("vga", 18)
    assert (screen["address"], screen["protection"]) == (slots.WINDOW_BASE, ["READ", "WRITE"])
    assert full.document["objects"][screen["object"]] == {
        "type": "MEMORY", "payer": "vga", "source": "DEVICE", "pages": 8, "physical_address": 0xb8000}
    line = full.document["objects"][full.capability("serial", 21)["object"]]
    assert line == {"type": "IRQ", "payer": "serial", "line": 4}


def test_nothing_is_writable_and_executable(full: Built) -> None:
    for row in full.document["instances"]:
        for capability in row["capabilities"]:
            assert not {"WRITE", "EXECUTE"} <= set(capability["rights"])
            assert capability["protection"] in ([], capability["rights"])


def test_the_directory_names_who_is_behind_each_badge(full: Built) -> None:
    data = next(s.data for s in full.product.plan.sections if s.name == "log.directory")
    rows = [data[i:i + 64] for i in range(0, len(data), 64)]
    assert [(row[0], row[16:32].rstrip(b"\0").decode()) for row in rows] == [
        (1, "echo"), (2, "echo2"), (3, "init"), (4, "shell"), (0, "")]


def test_who_is_paranoid_moves(tree: Path, tessera: Run) -> None:
    """Both ends of such a connection, and whose clients must be; the auditor and others stay."""
    (tree / "components" / "servers" / "audit").mkdir()
    (tree / "components" / "servers" / "audit" / "component.yaml").write_text(
        "component: servers/audit\nconfig: CONFIG_SERVERS_AUDIT\ndescription: x\nsystem: [audit]\n")
    (tree / "build" / "components" / "servers" / "audit").mkdir()
    shutil.copy(tree / "build/components/apps/hello/hello.elf", tree / "build/components/servers/audit/audit.elf")
    (tree / "moves.yaml").write_text("""tessera: 1
system: moves
instances:
  audit: {component: servers/audit}
  a: {component: apps/user, memory: 1M, connect: {next: {to: b, mode: PARANOID}, other: {to: c, mode: HARDENED}}}
  b: {component: apps/user, memory: 1M}
  c: {component: apps/user, memory: 1M}
  d: {component: apps/user, memory: 1M, mode: PARANOID}
""")
    done = tessera("build", "moves.yaml", "--no-image")
    assert done.stderr == ""
    rows = json.loads((tree / "build" / "moves" / "plan.json").read_text())["instances"]
    assert {row["name"]: bool(row["flags"] & MOVES) for row in rows} == {
        "init": False, "audit": False, "a": True, "b": True, "c": False, "d": True}


def flips(data: bytes, where: range, change: Callable[[bytearray], None]) -> list[tuple[int, bytes]]:
    """`data` with one byte of `where` changed at a time; the bit changes from byte to byte."""
    result = []
    for offset in where:
        copy = bytearray(data)
        copy[offset] ^= 1 << offset % 8
        change(copy)
        result.append((offset, bytes(copy)))
    return result


def refused(built: Built, data: bytes) -> bool:
    found, errors = verify.verify(data, built.verify_inputs(), "bundle.bin")
    return bool(errors) and all(e.code in ("TSS-070", "TSS-071", "TSS-072", "TSS-073") for e in errors)


def table_range(data: bytes) -> range:
    start = table_offset(data, "instance", 0) - 32
    found = verify_read.read_bundle(data)
    return range(start, start + next(s.size for s in found.sections if s.kind == 1))


def test_each_byte_of_table_header_and_sections_counts(small: Built) -> None:
    data = small.product.bundle
    head = range(64 + 104 * len(small.product.plan.sections))
    accepted = [offset for where in (head, table_range(data)) for offset, bad in flips(data, where, lambda b: None)
                if refused(small, bad) is False]
    assert accepted == []


def test_each_byte_of_the_table_counts_even_with_good_hashes(small: Built) -> None:
    data = small.product.bundle
    accepted = [offset for offset, bad in flips(data, table_range(data), rehash) if refused(small, bad) is False]
    assert accepted == []


def test_the_section_table_counts_even_with_a_good_root(small: Built) -> None:
    data = small.product.bundle
    hashes = [range(64 + 104 * i + 72, 64 + 104 * i + 104) for i in range(len(small.product.plan.sections))]

    def rehash_if_sane(copy: bytearray) -> None:
        if all(copy[64 + 104 * i + 16:64 + 104 * i + 24] == data[64 + 104 * i + 16:64 + 104 * i + 24]
               for i in range(len(hashes))):
            rehash(copy)

    where = [o for o in range(16, 64 + 104 * len(hashes)) if not 32 <= o < 64 and not any(o in h for h in hashes)]
    accepted = []
    for offset in where:
        for position, bad in flips(data, range(offset, offset + 1), rehash_if_sane):
            if refused(small, bad) is False:
                accepted.append(position)
    assert accepted == []


def test_an_extra_capability_is_found(full: Built, abi: Abi) -> None:
    original = full.product.plan
    extra = plan.Grant(3, 40, 0, abi.right("INSPECT"), 0, 0, False)
    changed = replace(original, grants=tuple(sorted((*original.grants, extra))))
    data, _ = emit.bundle(changed)
    _, errors = verify.verify(data, full.verify_inputs(), "bundle.bin")
    assert [e.message for e in errors if "slot 40" in e.message] == [
        "echo, slot 40: the bundle has SYSTEM('init',) with INSPECT, derived, the manifest means nothing"]


def test_nobody_has_the_text_of_the_manifest(full: Built, abi: Abi) -> None:
    """It is in the bundle for its hash; no memory is made of it, and init does not keep the bundle."""
    planned = full.product.plan
    number = [section.name for section in planned.sections].index("manifest")
    assert planned.sections[number].data == full.checked.text and full.checked.text in full.product.bundle
    sections = [o.b for o in planned.objects if o.type == "MEMORY" and o.a in (
        abi["TSS_MEMORY_MAPPED"], abi["TSS_MEMORY_COPIED"])]
    assert sections and number not in sections
    assert (0, abi["TSS_SLOT_BUNDLE"]) not in [(g.instance, g.slot) for g in planned.grants]


def test_same_inputs_same_bytes_in_another_directory(full: Built, tmp_path: Path, elf: bytes, abi: Abi) -> None:
    again = Built(make_tree(tmp_path / "elsewhere" / "deep" / "root", elf), "full.yaml", abi)
    assert again.product.bundle == full.product.bundle
    assert again.product.plan_json == full.product.plan_json


def test_the_numbers_of_verify_are_those_of_the_abi(abi: Abi) -> None:
    assert dict(abi.constants).keys() == set(CONSTANTS)
    assert [abi.right(n) for n in verify.RIGHTS if n] == [1 << i for i, n in enumerate(verify.RIGHTS) if n]
    assert {n: abi.type_name(n) for n in verify_read.TYPES} == verify_read.TYPES
    assert verify_read.ABI_VERSION == abi["TSS_ABI_VERSION"] and slots.SLOT_FIRST == abi["TSS_SLOT_FIRST"]
    assert {abi[f"TSS_MEMORY_{name}"]: name for name in verify_read.SOURCES.values()} == verify_read.SOURCES
    assert {name: abi[f"TSS_LAYOUT_{name}"] for name in LAYOUT} == {
        name: getattr(verify_derive, name) for name in LAYOUT}
    assert budget.IMAGES == abi["TSS_LAYOUT_IMAGES"]
    assert (verify_derive.INIT_STACK, verify_derive.INIT_PRIORITY) == (
        abi["TSS_INIT_STACK_PAGES"] * 4096, abi["TSS_INIT_PRIORITY"])


def test_verify_shares_nothing_with_plan_and_emit() -> None:
    for name in ("verify", "verify_read", "verify_compose", "verify_derive", "verify_devices", "verify_modes"):
        text = (REPOSITORY / "generator" / f"{name}.py").read_text()
        imports = {line.split()[1] for line in text.splitlines() if line.startswith(("from generator", "import gen"))}
        assert imports <= {"generator.diagnostics", "generator.verify_compose", "generator.verify_derive",
                           "generator.verify_devices", "generator.verify_modes", "generator.verify_read"}


def system_of(*links: tuple[str, str], template: Resolved, manifest: Any) -> System:
    names = sorted({name for link in links for name in link})
    instances = tuple(replace(template, name=name) for name in names)
    return System("s", "", 1, instances, tuple(Link(c, "x", s, "x", "x", ()) for c, s in links), manifest)


def test_start_order_with_a_cycle(full: Built) -> None:
    assert full.checked.system is not None
    template = full.checked.system.instances[0]

    def order(*links: tuple[str, str]) -> list[str]:
        system = system_of(*links, template=template, manifest=full.checked.manifest)
        return [i.name for i in plan.start_order(system)]

    assert order(("b", "a"), ("c", "b")) == ["a", "b", "c"]
    assert order(("a", "b"), ("b", "c"), ("c", "b")) == ["b", "c", "a"]
    assert order(("a", "b"), ("b", "a"), ("a", "z")) == ["z", "a", "b"]


def test_the_iso_is_the_same_every_time(tree: Path, tessera: Run, elf: bytes) -> None:
    (tree / "build" / "kernel").mkdir()
    (tree / "build" / "kernel" / "kernel.elf").write_bytes(elf)
    for out in ("one", "two/deep"):
        done = tessera("build", "full.yaml", "--out", out, "--append", "test=1")
        assert (done.returncode, done.stderr) == (0, "")
    images = [(tree / out / "full.iso").read_bytes() for out in ("one", "two/deep")]
    assert images[0] == images[1] and len(images[0]) < 4 << 20
    root = json.loads((tree / "one" / "plan.json").read_text())["root_hash"]
    assert f"/boot/kernel.elf tessera.root={root} test=1; then\n".encode() in images[0]


def test_factory_settings_agree() -> None:
    assert {key: verify_derive._number(value) for key, value in verify_derive.FACTORY.items()} == vars(FACTORY)


def test_the_manifest_with_what_it_extends_is_the_last_section(tree: Path, tessera: Run) -> None:
    """`layered` extends `talk`, which extends `base`."""
    assert tessera("build", "layered.yaml", "--no-image", "--out", "out").returncode == 0
    bundle = (tree / "out" / "bundle.bin").read_bytes()
    text = b"".join((tree / f"{name}.yaml").read_bytes() for name in ("layered", "base", "talk"))
    said = json.loads((tree / "out" / "plan.json").read_text())["manifest_hash"]
    assert said == blake2b(text, digest_size=32).hexdigest()
    assert bundle.rstrip(b"\0") == bundle[:bundle.rindex(text)] + text.rstrip(b"\0")


def test_another_manifest_in_the_bundle_is_found(full: Built) -> None:
    """Well-formed, all hashes right, but not the text of the manifest; and a plan.json that tells another hash."""
    bundle = bytearray(full.product.bundle)
    bundle[bundle.rindex(full.source.data)] ^= 1
    rehash(bundle)
    errors = verify.verify(bytes(bundle), full.verify_inputs(), "bundle.bin")[1]
    assert [e.message for e in errors] == ["section manifest: another contents than its ELF file or the manifest gives"]
    found, _ = verify.verify(full.product.bundle, full.verify_inputs(), "bundle.bin")
    assert found is not None
    other = json.dumps({**full.document, "manifest_hash": "0" * 64})
    errors = verify.verify_plan(other, found, "plan.json", CALLS)
    assert [e.message for e in errors] == ["another hash of the manifest"]
