# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces: the generated C compiled and run, the shipped interfaces compiled, and each error with its exact text."""
from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.diagnostics import Refused
from generator.interface import CAPS_MAX, CODES, MESSAGE_MAX, InterfaceError, generate

TOP = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "interface"
FLAGS = ["-std=gnu2x", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wconversion"]
INCLUDES = [f"-I{TOP}/kernel/include", f"-I{TOP}/components/lib/include", f"-I{TOP}/tests/unit/lib"]
HEAD = "interface: x\nmethods:\n"

BAD = {
    "TSS-010-max": (HEAD + "  m: {number: 1, request: [{name: a, type: u8, max: 3}]}\n",
                    'x.yaml:3:48: "max" has no meaning for "u8"'),
    "TSS-011-max": (HEAD + "  m: {number: 1, request: [{name: a, type: bytes}]}\n",
                    'x.yaml:3:28: a buffer lacks the key "max"'),
    "TSS-011-number": (HEAD + "  m: {doc: text}\n", 'x.yaml:3:6: method "m" lacks the key "number"'),
    "TSS-013-number": (HEAD + "  m: {number: 64}\n", "x.yaml:3:15: number 64 is out of range"),
    "TSS-015-type": (HEAD + "  m: {number: 1, request: [{name: a, type: u33}]}\n",
                     'x.yaml:3:44: type "u33" is not known'),
    "TSS-012-idempotent": (HEAD + "  m: {number: 1, idempotent: maybe}\n",
                           'x.yaml:3:30: idempotent must be true or false, not "maybe"'),
    "TSS-100-keyword": (HEAD + "  while: {number: 1}\n",
                        'x.yaml:3:3: method "while" is taken by C or by the generated code'),
    "TSS-100-case": (HEAD + "  m: {number: 1}\nerrors: [small]\n", 'x.yaml:4:10: error "small" is not a name'),
    "TSS-100-underscore": (HEAD + "  m: {number: 1, request: [{name: a_, type: u8}]}\n",
                           'x.yaml:3:35: argument "a_" is not a name'),
    "TSS-101": (HEAD + "  m: {number: 1}\n  n: {number: 1}\n", 'x.yaml:4:3: method "n" has the number 1 of "m"'),
    "TSS-102-bytes": (HEAD + "  m: {number: 1, request: [{name: a, type: bytes, max: 248}, {name: b, type: u8}]}\n",
                      "x.yaml:3:27: the request can have 264 bytes and 0 capabilities"),
    "TSS-102-caps": (HEAD + "  m: {number: 1, reply: [" + ", ".join(f"{{name: c{i}, type: cap}}" for i in range(5)) +
                     "]}\n", "x.yaml:3:25: the reply can have 0 bytes and 5 capabilities"),
    "TSS-103": (HEAD + "  m: {number: 1, request: [{name: a, type: u8}], reply: [{name: a, type: u8}]}\n",
                'x.yaml:3:3: method "m" has two arguments that need the C name "a"'),
    "TSS-103-size": (HEAD + "  m: {number: 1, request: [{name: a, type: bytes, max: 8}, {name: a_size, type: u8}]}\n",
                     'x.yaml:3:3: method "m" has two arguments that need the C name "a_size"'),
    "TSS-104": (HEAD + "  m: {number: 1, reply: [{name: a, type: bytes, max: 8}, {name: b, type: bytes, max: 8}]}\n",
                "x.yaml:3:25: a reply has at most one buffer"),
    "TSS-105": (HEAD + "  m: {number: 1, oneway: true, reply: [{name: a, type: u8}]}\n",
                'x.yaml:3:3: method "m" is one-way, but has a reply'),
    "TSS-106": ("interface: other\nmethods:\n  m: {number: 1}\n",
                'x.yaml:1:12: interface "other" is described in x.yaml'),
}


def compile_and_run(out: Path, *arguments: str) -> str:
    subprocess.run(["gcc", *FLAGS, "-fsanitize=address,undefined", *arguments, *INCLUDES, "-o", str(out)], check=True)
    done = subprocess.run([str(out)], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_headers(folder: Path, files: list[Path]) -> None:
    (folder / "tessera").mkdir()
    (folder / "tessera" / "syscalls.h").write_text("#pragma once\n")
    for name, text in generate(files).items():
        (folder / name).write_text(text)


def test_stubs_and_dispatcher_understand_each_other(tmp_path: Path) -> None:
    write_headers(tmp_path, [HERE / "every.yaml"])
    output = compile_and_run(tmp_path / "loop", str(HERE / "loop.c"), f"-I{tmp_path}")
    assert output.count("\nok") == 5 and output.startswith("ok")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_shipped_interfaces_compile(compiler: str, tmp_path: Path) -> None:
    files = sorted((TOP / "components" / "interfaces").glob("*.yaml"))
    write_headers(tmp_path, files)
    source = tmp_path / "all.c"
    source.write_text("".join(f'#include "{path.stem}.h"\n' for path in files))
    subprocess.run([compiler, *FLAGS, "-ffreestanding", "-c", str(source), f"-I{tmp_path}", *INCLUDES, "-o",
                    str(tmp_path / "all.o")], check=True)


def test_the_same_again() -> None:
    files = sorted((TOP / "components" / "interfaces").glob("*.yaml"))
    assert generate(files) == generate(list(reversed(files)))


@pytest.mark.parametrize("name", sorted(BAD))
def test_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, expected = BAD[name]
    Path("x.yaml").write_text(text)
    with pytest.raises(InterfaceError) as caught:
        generate([Path("x.yaml")])
    found = [(d.code, f"{d.position}: {d.message}") for d in caught.value.diagnostics]
    assert found == [(name[:7], expected)]


def test_every_code_is_tried() -> None:
    assert set(CODES) <= {name[:7] for name in BAD}


def test_all_errors_of_all_files_in_one_run(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"]
    paths[0].write_text("interface: a\nmethods:\n  m: {number: 0}\n  n: {number: 99}\n")
    paths[1].write_text("interface: [\n")
    paths[2].write_text("interface: c\nmethods:\n  m: {number: 1}\n")
    with pytest.raises(Refused) as caught:
        generate(paths)
    assert sorted(d.code for d in caught.value.diagnostics) == ["TSS-003", "TSS-013", "TSS-013"]
    with pytest.raises(ValueError):
        generate(paths)


def test_limits_are_the_abi_s() -> None:
    header = (TOP / "kernel" / "include" / "abi" / "message.h").read_text()
    limits = dict(re.findall(r"#define (TSS_MESSAGE_\w+) (\d+)u", header))
    assert (int(limits["TSS_MESSAGE_MAX"]), int(limits["TSS_MESSAGE_CAPS"])) == (MESSAGE_MAX, CAPS_MAX)


def test_the_reference_tells_methods_sizes_errors_and_who_speaks_it(tree: Path, tessera: Callable[..., Any]) -> None:
    (tree / "components/interfaces/echo.yaml").write_text("""interface: echo
description: Says it again
errors: [FULL]
methods:
  say: {number: 3, doc: Says it, request: [{name: a, type: u64}, {name: b, type: bool}], reply: [{name: c, type: cap}]}
  tell: {number: 4, oneway: true, idempotent: true, request: [{name: text, type: string, max: 20}]}
""")
    assert tessera("doc", "echo").stdout == """# The interface echo

Says it again.

`#include <interfaces/echo.h>`: a stub for each method, `struct echo_operations` and `echo_dispatch` for servers.

Provided by apps/echo, apps/twin, apps/user, servers/store; used by apps/shell, apps/user.

## echo_say, method 3

Says it.

Takes `a` (u64), `b` (bool). Answers `c` (a capability). A request has at most 16 bytes, in registers.

## echo_tell, method 4

Takes `text` (text of up to 20 bytes). One-way: nothing comes back. A request has at most 32 bytes. """ \
        """Idempotent: said again to a server that was restarted meanwhile. `echo_tell_send` does not wait; the """ \
        """connection needs the right `send`.

## Errors

`ECHO_ERROR_FULL`
"""
    everything = tessera("doc").stdout
    assert [line for line in everything.splitlines() if line.startswith("# ")] == [
        f"# The interface {path.stem}" for path in sorted((tree / "components/interfaces").glob("*.yaml"))]
