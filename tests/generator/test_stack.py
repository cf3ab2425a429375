# SPDX-License-Identifier: BSD-2-Clause
"""Worst stacks: frames against what the compiler says of them, recursion, indirect calls, what is kept of an ELF."""
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY, compile_elf

from generator.diagnostics import Position
from generator.functions import Code, digest, from_json, read_code, to_json
from generator.stack import Bound, Facts, Graph, Named, bound, plain

Run = Callable[..., subprocess.CompletedProcess[str]]
LIBRARY = sorted((REPOSITORY / "components" / "lib" / "src").glob("*.c"))
NOWHERE = Position("component.yaml")


def code_of(folder: Path, program: str, *flags: str) -> Code:
    data = compile_elf(folder, program, flags=flags)
    return read_code(str(folder / "p.elf"), data)


def function(code: Code, name: str) -> int:
    return next(address for address, one in code.functions.items() if plain(one.name) == name)


def needs(code: Code, name: str = "_start", facts: Facts = Facts()) -> Bound:
    return bound(Graph(code, facts), function(code, name))


@pytest.mark.parametrize("flags", [("-O2",), ("-O2", "-fno-omit-frame-pointer"), ("-O0",), ("-Os",)], ids=str)
def test_frames_are_those_that_the_compiler_tells(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """GCC counts the return address, and not what a leaf keeps below its stack pointer."""
    chance, texts = random.Random(6), []
    for n in range(40):
        saved = " + ".join(f"g{n}({k})" for k in range(chance.randint(1, 8)))
        texts.append(f"int g{n}(int); int f{n}(int a, ...) {{ volatile char room[{chance.randint(1, 5000)}];"
                     f"room[0] = a; int x = {saved}; return x + room[a & 1] * (a > 3 ? g{n}(a) : 2); }}\n"
                     f"int g{n}(int a) {{ asm volatile(\"\" ::: \"rbx\", \"r12\"); return a; }}\n")
    starts = " + ".join(f"f{n}({n})" for n in range(40))
    texts.append(f"__attribute__((used)) void _start(void) {{ for (;;) *(volatile int *)4 = {starts}; }}")
    code = code_of(tmp_path, "".join(texts), *flags, "-mno-red-zone", "-fstack-usage", "-fno-inline",
                   "-fno-stack-protector")
    (told,) = tmp_path.glob("*.su")
    rows = [line.split("\t") for line in told.read_text().splitlines()]
    said = {row[0].rpartition(":")[2]: int(row[1]) for row in rows if row[2] == "static"}
    found = {plain(f.name): max([f.frame, *(e.depth - 8 for e in f.edges)]) + 8 for f in code.functions.values()}
    assert len(said) == 81 and {name: found[name] for name in said} == said


def test_a_leaf_may_keep_something_below_its_stack_pointer(tmp_path: Path) -> None:
    code = code_of(tmp_path, "__attribute__((noinline)) int leaf(int n) { volatile int a[20]; a[n] = 1; return a[0]; }"
                   "__attribute__((used)) void _start(void) { for (;;) *(volatile int *)4 = leaf(3); }", "-O2")
    assert 80 <= code.functions[function(code, "leaf")].frame <= 120


def test_switches_and_cold_parts_stay_in_their_function(tmp_path: Path) -> None:
    arms = "".join(f"case {n}: return use(big, {n * 7}) + {n * n};" for n in range(30))
    code = code_of(tmp_path, "__attribute__((noinline)) int use(char *p, int n) { return p[n & 7]; }"
                   "__attribute__((noinline)) int choose(int n) { char big[800]; big[n & 7] = 1; switch (n) {" + arms +
                   "} if (__builtin_expect(n == 77, 0)) { for (;;) use(big, n); } return 0; }"
                   "__attribute__((used)) void _start(void) { for (;;) choose(*(volatile int *)4); }", "-O2")
    found = needs(code)
    assert found.unknown == () and [plain(step.function.name) for step in found.chain] == ["_start", "choose", "use"]
    assert 800 < found.bytes < 880


RECURSION = """
static int *volatile sink;
static int odd(int n);
__attribute__((noinline)) static int even(int n) { int a[30]; sink = a; return n ? odd(n - 1) + a[n] : 1; }
__attribute__((noinline)) static int odd(int n) { int a[10]; sink = a; return n ? even(n - 1) + a[n] : 0; }
__attribute__((used)) void _start(void) { for (;;) even(*sink); }
"""


def test_a_bounded_recursion_counts_its_rounds(tmp_path: Path) -> None:
    """N activations of `even` have at most N of `odd` below or between them."""
    code = code_of(tmp_path, RECURSION, "-O2")
    assert [row[0] for row in needs(code).unknown] == ["TSS-091"]
    even, odd = (max(e.depth for e in code.functions[function(code, name)].edges) for name in ("even", "odd"))
    start = code.functions[function(code, "_start")].edges[0].depth
    for count in (2, 7):
        found = needs(code, facts=Facts(recursion=((Named("even", NOWHERE), count),)))
        assert found.unknown == () and found.circles == ("even",)
        exact = start + count * even + (count - 1) * odd + code.functions[function(code, "odd")].frame
        assert exact <= found.bytes <= exact + even
    both = needs(code, facts=Facts(recursion=((Named("even", NOWHERE), 7), (Named("odd", NOWHERE), 7))))
    assert both.bytes >= found.bytes - odd


INDIRECT = """
static int *volatile sink;
static int small(int n) { return n; }
static int large(int n) { int a[200]; sink = a; return a[n]; }
static int never(int n) { int a[2000]; sink = a; return a[n]; }
static int (*const table[])(int) = {small, large};
static int (*volatile other)(int) = never;
__attribute__((noinline)) static int call(int n) { return table[n](n) + 1; }
__attribute__((used)) void _start(void) { for (;;) call(*sink) + (other != 0); }
"""


def test_an_indirect_call_goes_anywhere_unless_it_is_named(tmp_path: Path) -> None:
    code = code_of(tmp_path, INDIRECT, "-O2")
    anywhere = needs(code)
    assert 8000 < anywhere.bytes < 8200 and anywhere.indirect == ("call",)
    targets = (Named("small", NOWHERE), Named("lar*", NOWHERE))
    named = needs(code, facts=Facts(calls=((Named("call", NOWHERE), targets),)))
    assert 800 < named.bytes < 900 and named.indirect == ()
    thread = needs(code, facts=Facts(threads=((Named("never", NOWHERE), 9000),)))
    assert 800 < thread.bytes < 900, "no call goes to where a thread begins"


def test_what_is_kept_is_what_was_found_and_of_that_file_only(tmp_path: Path) -> None:
    code = code_of(tmp_path, RECURSION, "-O2")
    of = digest((tmp_path / "p.elf").read_bytes())
    text = to_json(code, of)
    assert from_json(text, of) == code
    assert from_json(text, digest(b"")) is None and from_json(text[:-9], of) is None and from_json("[]", of) is None
    assert from_json(text.replace('"version": 1', '"version": 0'), of) is None


def test_build_keeps_it_and_check_uses_it(tree: Path, tessera: Run) -> None:
    kept = tree / "build" / "components" / "apps" / "echo" / "echo.code.json"
    assert tessera("build", "full.yaml", "--no-image", "--quiet").returncode == 0
    document = json.loads(kept.read_text())
    start = document["functions"][0]
    start["frame"] = 20000
    kept.write_text(json.dumps(document))
    done = tessera("check", "full.yaml")
    assert done.returncode == 1 and 'error TSS-090: "echo" may need 20000 bytes of stack' in done.stderr
    elf = kept.with_name("echo.elf")
    elf.write_bytes(elf.read_bytes() + b"\0")
    assert tessera("check", "full.yaml").returncode == 0, "what is kept is of another file"


def test_the_command_shows_threads_and_frames(tree: Path, tessera: Run) -> None:
    text = tessera("stack", "full.yaml").stdout
    assert re.search(r"^echo +needs +\d+ of +16,384  _start \d+$", text, re.M)
    rows = json.loads(tessera("stack", "full.yaml", "--json").stdout)
    assert {row["instance"] for row in rows} >= {"echo", "log"} and all(row["needs"] <= row["has"] for row in rows)
    assert tessera("stack", "full.yaml", "echo").stdout.splitlines()[1].split()[1] == "_start"


def test_size_by_component_and_instance(tree: Path, tessera: Run) -> None:
    found = json.loads(tessera("size", "full.yaml", "--json").stdout)
    for row in found["instances"]:
        kinds = ("data", "stack", "heap", "tables", "slots", "objects", "spare")
        assert sum(row[kind] for kind in kinds) == row["budget"]
    assert tessera("size", "full.yaml").stdout.startswith(" ")
    lines = tessera("size", "full.yaml", "--instances").stdout.splitlines()[1:]
    names = [line.split()[0] for line in lines if line]
    assert names[:len(found["instances"])] == [row["name"] for row in found["instances"]]


def test_size_compare_says_what_grew(tree: Path, tessera: Run) -> None:
    (tree / "old.json").write_text(tessera("size", "full.yaml", "--json").stdout)
    assert tessera("size", "--compare", "old.json", "full.yaml").stdout == "no difference in size\n"
    text = (tree / "full.yaml").read_text()
    assert "  echo:" in text
    more = "  more: {component: apps/echo, heap: 64K, memory: 1M}\n"
    (tree / "full.yaml").write_text(text.replace("  echo:", f"{more}  echo:"))
    rows = {row["what"]: (row["old"], row["new"]) for row in json.loads(
        tessera("size", "--compare", "--json", "old.json", "full.yaml").stdout)}
    assert rows["apps/echo heap"][1] - rows["apps/echo heap"][0] == 64 << 10
    assert rows["apps/echo instances"] == (rows["apps/echo instances"][1] - 1, rows["apps/echo instances"][1])
    assert "machine" not in rows
    assert "+65,536" in tessera("size", "--compare", "old.json", "full.yaml").stdout
