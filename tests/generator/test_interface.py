# SPDX-License-Identifier: BSD-2-Clause
"""Interfaces: the generated C compiled and run, the shipped interfaces compiled, and each error with its exact text."""
from __future__ import annotations

import ctypes
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator import slots, stubs
from generator.abi import read_abi
from generator.diagnostics import Refused
from generator.interface import CODES, InterfaceError, generate, read_interface
from generator.interface_reader import CAPS_MAX, MESSAGE_MAX, SHARED_MAX
from generator.interface_types import OBJECTS, Member, Struct

TOP = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "interface"
PAGE = 4096
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
                "x.yaml:3:25: a reply has at most one of bytes, string and array"),
    "TSS-105": (HEAD + "  m: {number: 1, oneway: true, reply: [{name: a, type: u8}]}\n",
                'x.yaml:3:3: method "m" is one-way, but has a reply'),
    "TSS-010-of": (HEAD + "  m: {number: 1, request: [{name: a, type: u8, of: u8}]}\n",
                   'x.yaml:3:48: "of" has no meaning for "u8"'),
    "TSS-010-rights": (HEAD + "  m: {number: 1, request: [{name: a, type: bytes, max: 3, rights: [read]}]}\n",
                       'x.yaml:3:59: "rights" has no meaning for "bytes"'),
    "TSS-011-array": (HEAD + "  m: {number: 1, request: [{name: a, type: array, of: u8}]}\n",
                      'x.yaml:3:28: an array lacks the key "max"'),
    "TSS-011-of": (HEAD + "  m: {number: 1, request: [{name: a, type: array, max: 3}]}\n",
                   'x.yaml:3:28: an array lacks the key "of"'),
    "TSS-011-rights": (HEAD + "  m: {number: 1, request: [{name: a, type: cap, rights: [read]}]}\n",
                       'x.yaml:3:28: rights lack the key "of"'),
    "TSS-013-version": ("version: 0\n" + HEAD + "  m: {number: 1}\n", "x.yaml:1:10: version 0 is out of range"),
    "TSS-015-element": (HEAD + "  m: {number: 1, request: [{name: a, type: array, of: bytes, max: 3}]}\n",
                        'x.yaml:3:55: type of elements "bytes" is not known'),
    "TSS-015-object": (HEAD + "  m: {number: 1, request: [{name: a, type: cap, of: memroy}]}\n",
                       'x.yaml:3:53: object "memroy" is not known'),
    "TSS-015-right": (HEAD + "  m: {number: 1, request: [{name: a, type: cap, of: event, rights: [read]}]}\n",
                      'x.yaml:3:69: right "read" is not known'),
    "TSS-015-member": ("types: {row: {struct: [{name: a, type: cap}]}}\n" + HEAD + "  m: {number: 1}\n",
                       'x.yaml:1:40: type of a member "cap" is not known'),
    "TSS-019-value": ("types: {way: {enum: [UP, UP]}}\n" + HEAD + "  m: {number: 1}\n",
                      'x.yaml:1:26: value "UP" is listed twice'),
    "TSS-100-value": ("types: {way: {enum: [up]}}\n" + HEAD + "  m: {number: 1}\n",
                      'x.yaml:1:22: value "up" is not a name'),
    "TSS-102-struct": ("types: {row: {struct: [{name: a, type: string, max: 248}, {name: b, type: u64}]}}\n" + HEAD +
                       "  m: {number: 1}\n", 'x.yaml:1:23: struct "row" has 264 bytes'),
    "TSS-102-array": ("types: {row: {struct: [{name: a, type: u64}, {name: b, type: bool}]}}\n" + HEAD +
                      "  m: {number: 1, request: [{name: rows, type: array, of: row, max: 16}]}\n",
                      "x.yaml:4:27: the request can have 264 bytes and 0 capabilities"),
    "TSS-103-members": ("types: {row: {struct: [{name: a, type: u8}, {name: a, type: u8}]}}\n" + HEAD +
                        "  m: {number: 1}\n", 'x.yaml:1:45: struct "row" has two members "a"'),
    "TSS-103-count": (HEAD + "  m: {number: 1, request: [{name: a, type: array, of: u8, max: 8}, "
                      "{name: a_count, type: u8}]}\n",
                      'x.yaml:3:3: method "m" has two arguments that need the C name "a_count"'),
    "TSS-104-array": (HEAD + "  m: {number: 1, reply: [{name: a, type: bytes, max: 8}, {name: b, type: array, of: u8, "
                      "max: 8}]}\n", "x.yaml:3:25: a reply has at most one of bytes, string and array"),
    "TSS-107-both": ("types: {way: {enum: [UP], struct: [{name: a, type: u8}]}}\n" + HEAD + "  m: {number: 1}\n",
                     'x.yaml:1:9: type "way" must be either an enum or a struct'),
    "TSS-107-empty": ("types: {way: {enum: []}}\n" + HEAD + "  m: {number: 1}\n",
                      "x.yaml:1:21: an enum has 1 to 256 values, not 0"),
    "TSS-107-members": ("types: {way: {struct: []}}\n" + HEAD + "  m: {number: 1}\n",
                        'x.yaml:1:23: struct "way" has no members'),
    "TSS-107-name": ("types: {u64: {enum: [UP]}}\n" + HEAD + "  m: {number: 1}\n",
                     'x.yaml:1:9: "u64" cannot be the name of a type, it has a meaning'),
    "TSS-010-buffer": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, max: 4K, of: u8, rights: [read]}]}\n",
                       'x.yaml:3:61: "of" has no meaning for "buffer"'),
    "TSS-011-buffer": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, rights: [read]}]}\n",
                       'x.yaml:3:28: a buffer lacks the key "max"'),
    "TSS-011-shared": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, max: 4K}]}\n",
                       'x.yaml:3:28: a buffer lacks the key "rights"'),
    "TSS-013-buffer": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, max: 33M, rights: [read]}]}\n",
                       "x.yaml:3:57: max 33M is out of range"),
    "TSS-015-buffer": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, max: 4K, rights: [execute]}]}\n",
                       'x.yaml:3:70: right "execute" is not known'),
    "TSS-015-array": (HEAD + "  m: {number: 1, request: [{name: a, type: array, of: buffer, max: 3}]}\n",
                      'x.yaml:3:55: type of elements "buffer" is not known'),
    "TSS-102-shared": (HEAD + "  m: {number: 1, request: [" + ", ".join(
        f"{{name: c{i}, type: buffer, max: 4K, rights: [read]}}" for i in range(5)) + "]}\n",
                       "x.yaml:3:27: the request can have 80 bytes and 5 capabilities"),
    "TSS-102-beside": (HEAD + "  m: {number: 1, request: [{name: a, type: bytes, max: 240}, {name: b, type: buffer, "
                       "max: 4K, rights: [read]}]}\n",
                       "x.yaml:3:27: the request can have 264 bytes and 1 capabilities"),
    "TSS-107-buffer": ("types: {buffer: {enum: [UP]}}\n" + HEAD + "  m: {number: 1}\n",
                       'x.yaml:1:9: "buffer" cannot be the name of a type, it has a meaning'),
    "TSS-109-reply": (HEAD + "  m: {number: 1, reply: [{name: a, type: buffer, max: 4K, rights: [read]}]}\n",
                      "x.yaml:3:25: a reply shares no buffer"),
    "TSS-109-rights": (HEAD + "  m: {number: 1, request: [{name: a, type: buffer, max: 4K, rights: [write]}]}\n",
                       "x.yaml:3:69: a buffer that is not read"),
    "TSS-012-enum": ("types: {way: {enum: {UP: 1, DOWN: 18446744073709551616}}}\n" + HEAD + "  m: {number: 1}\n",
                     "x.yaml:1:21: enum must be a list, not `key: value` lines"),
    "TSS-012-version": ("version: -1\n" + HEAD + "  m: {number: 1}\n",
                        'x.yaml:1:10: version must be a number, not "-1"'),
    "TSS-013-huge": (HEAD + "  m: {number: 1, request: [{name: a, type: array, of: u64, max: 18446744073709551616}]}\n",
                     "x.yaml:3:65: max 18446744073709551616 is out of range"),
    "TSS-013-errors": (HEAD + f"  m: {{number: 1}}\nerrors: [{', '.join(f'E{n}' for n in range(4096))}]\n",
                       "x.yaml:4:9: 4096 errors are too many"),
    "TSS-019-error": (HEAD + "  m: {number: 1}\nerrors: [FULL, FULL]\n", 'x.yaml:4:16: error "FULL" is listed twice'),
    "TSS-100-macro": (HEAD + "  m: {number: 1, request: [{name: linux, type: u8}]}\n",
                      'x.yaml:3:35: argument "linux" is taken by C or by the generated code'),
    "TSS-107-nested": ("types: {a: {struct: [{name: v, type: u8}]}, b: {struct: [{name: a, type: a}]}}\n" + HEAD +
                       "  m: {number: 1}\n",
                       "x.yaml:1:74: a struct cannot be a member of one, neither another nor itself"),
    "TSS-107-itself": ("types: {a: {struct: [{name: a, type: a}]}}\n" + HEAD + "  m: {number: 1}\n",
                       "x.yaml:1:38: a struct cannot be a member of one, neither another nor itself"),
    "TSS-108-send": (HEAD + "  m: {number: 1, oneway: true}\n  m_send: {number: 2}\n",
                     "x.yaml:4:3: the method m_send and the method m would both be x_m_send in C"),
    "TSS-108-values": ("types: {a_b: {enum: [C]}, a: {enum: [B_C]}}\n" + HEAD + "  m: {number: 1}\n",
                       "x.yaml:1:27: the type a and the type a_b would both be X_A_B_C in C"),
    "TSS-108-most": (HEAD + "  a: {number: 1, request: [{name: b_c, type: bytes, max: 3}]}\n"
                     "  a_b: {number: 2, request: [{name: c, type: bytes, max: 4}]}\n",
                     "x.yaml:4:3: the method a_b and the method a would both be X_A_B_C_MAX in C"),
    "TSS-108-good": ("types: {a: {struct: [{name: v, type: bool}]}}\n" + HEAD + "  a_good: {number: 1}\n",
                     "x.yaml:1:9: the type a and the method a_good would both be x_a_good in C"),
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
    assert output.count("\nok") == 10 and output.startswith("ok")


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_shipped_interfaces_compile(compiler: str, tmp_path: Path) -> None:
    files = sorted((TOP / "components" / "interfaces").glob("*.yaml"))
    write_headers(tmp_path, files)
    abi = TOP / "kernel" / "include" / "abi"
    (tmp_path / "tessera" / "syscalls.h").write_text(stubs.syscalls_header(read_abi(abi)))
    source = tmp_path / "all.c"
    source.write_text("".join(f'#include "{path.stem}.h"\n' for path in files))
    subprocess.run([compiler, *FLAGS, "-ffreestanding", "-c", str(source), f"-I{tmp_path}", f"-I{abi}", *INCLUDES,
                    "-o", str(tmp_path / "all.o")], check=True)


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
    assert found == [(name[:7], expected)] and all(d.hint for d in caught.value.diagnostics)


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


def test_two_interfaces_have_no_name_in_common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("interface: a\ntypes: {b_t: {enum: [X]}}\nmethods:\n  b_m: {number: 1}\n"
                              "  b_dispatch: {number: 2}\n")
    Path("a_b.yaml").write_text("interface: a_b\ntypes: {t: {enum: [Z]}}\nmethods: {m: {number: 1}}\n")
    with pytest.raises(InterfaceError) as caught:
        generate([Path("a.yaml"), Path("a_b.yaml")])
    assert {f"{d.code} {d.position}: {d.message}" for d in caught.value.diagnostics} == {
        "TSS-108 a_b.yaml:1:12: the interface a_b and the method b_dispatch of a would both be a_b_dispatch in C",
        "TSS-108 a_b.yaml:2:9: the type t and the type b_t of a would both be enum or struct a_b_t in C",
        "TSS-108 a_b.yaml:3:11: the method m and the method b_m of a would both be a_b_m in C"}


def test_texts_for_people_stay_comments(tmp_path: Path) -> None:
    evil = "'a */ int evil; /* // \\'"
    (tmp_path / "x.yaml").write_text(f"interface: x\ndescription: {evil}\ntypes:\n"
                                     f"  e: {{enum: [A], doc: {evil}}}\n"
                                     f"  s: {{struct: [{{name: m, type: e}}], doc: \"two\\nlines */ \\x5c\"}}\n"
                                     f"methods:\n  m: {{number: 1, doc: {evil}, request: [{{name: a, type: s}}]}}\n")
    write_headers(tmp_path, [tmp_path / "x.yaml"])
    (tmp_path / "x.c").write_text('#define TSS_IPC_HOST 1\n#define TSS_MESSAGE_SYSCALL(...)\n#include "x.h"\n'
                                  'int evil;\n')
    done = subprocess.run(["gcc", *FLAGS, "-E", f"-I{tmp_path}", *INCLUDES, str(tmp_path / "x.c")], capture_output=True,
                          text=True, check=False)
    assert (done.stderr, done.stdout.count("evil")) == ("", 1)


def test_objects_and_their_rights_are_the_abi_s() -> None:
    rows = re.findall(r"^OBJECT\(\d+, \w+, (\w+), ([^,]+),", (TOP / "kernel/include/abi/objects.def").read_text(), re.M)
    known = {name: set(re.findall(r"TSS_RIGHT_(\w+)", rights.upper())) for name, rights in rows}
    assert {name: {right.upper() for right in rights} for name, rights in OBJECTS.items()} == {
        name: known[name] for name in known.keys() - {"none", "reply", "system"}}


def test_a_struct_lies_as_c_lays_it_out() -> None:
    """By ctypes, which asks nobody: members in the order of the file, each at its offset, gaps only between them."""
    c_types = {"u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
               "i32": ctypes.c_int32, "i64": ctypes.c_int64, "bool": ctypes.c_bool, "enum": ctypes.c_uint32}
    chance = random.Random(8)
    for _ in range(200):
        kinds = [(f"m{n}", chance.choice([*c_types, "string"]), chance.randint(1, 9))
                 for n in range(chance.randint(1, 9))]
        members = tuple(Member(name, kind, most if kind == "string" else 0) for name, kind, most in kinds)
        fields = [(name, c_types.get(kind, ctypes.c_char * (most + 1))) for name, kind, most in kinds]
        laid: Any = type("Laid", (ctypes.Structure,), {"_fields_": fields})
        struct = Struct("s", members)
        placed = [(m.name, at, size) for at, m, size in struct.placed if m is not None]
        assert placed == [(n, getattr(laid, n).offset, getattr(laid, n).size) for n, _ in fields]
        assert struct.size == ctypes.sizeof(laid)


def test_a_fingerprint_is_of_what_travels() -> None:
    text = (HERE / "every.yaml").read_text()

    def of(before: str, after: str) -> str:
        assert before in text
        interface, errors = read_interface(text.replace(before, after).encode(), "every.yaml")
        assert not errors
        return interface.fingerprint

    same = of("version: 7", "version: 7")
    assert same == of("One of each", "One of all") == of("Takes two", "Eats two") == of("test_interface.py", "a test")
    for before, after in (("version: 7", "version: 8"), ("[RED, GREEN", "[GREEN, RED"), ("max: 5", "max: 6"),
                          ("of: u16", "of: u32"), ("number: 6", "number: 10"), ("SECOND", "THIRD"),
                          ("rights: [signal]", "rights: [wait]"), ("max: 9000", "max: 9001"),
                          ("rights: [write, read]", "rights: [read]"), ("idempotent: true", "idempotent: false")):
        assert of(before, after) != same, before


def test_limits_are_the_abi_s() -> None:
    header = (TOP / "kernel" / "include" / "abi" / "message.h").read_text()
    limits = dict(re.findall(r"#define (TSS_MESSAGE_\w+) (\d+)u", header))
    assert (int(limits["TSS_MESSAGE_MAX"]), int(limits["TSS_MESSAGE_CAPS"])) == (MESSAGE_MAX, CAPS_MAX)
    assert f"{SHARED_MAX // PAGE} pages, {SHARED_MAX >> 20} MiB" in (TOP / "kernel/include/memory.h").read_text()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("call, missing", [
    ("every_note(16, 1, 0)", ""), ("every_note_send(16, 1)", ""), ("every_hand(17, 1, 2, &c, 0)", ""),
    ("every_hand(any, 1, 2, &c, 0)", ""), ("every_hand(16, 1, 2, &c, 0)", "hand"),
    ("every_note(17, 1, 0)", "note"), ("every_note_send(17, 1)", "note")])
def test_a_method_that_is_not_listed_does_not_compile(compiler: str, call: str, missing: str, tmp_path: Path) -> None:
    """Slot 16 may only note, slot 17 only hand; what a variable holds is for the kernel to judge."""
    write_headers(tmp_path, [HERE / "every.yaml"])
    (tmp_path / "granted.h").write_text(slots.granted("apps/x", [(16, 1 << 4), (17, 1 << 3)]))
    abi = TOP / "kernel" / "include" / "abi"
    (tmp_path / "tessera" / "syscalls.h").write_text(stubs.syscalls_header(read_abi(abi)))
    (tmp_path / "x.c").write_text(f"""#include "every.h"
tss_status_t f(cap_t any);
tss_status_t f(cap_t any)
{{
\tcap_t c;
\t(void)c, (void)any;
\treturn {call};
}}
""")
    done = subprocess.run([compiler, *FLAGS, "-ffreestanding", "-c", str(tmp_path / "x.c"), f"-I{tmp_path}", f"-I{abi}",
                           *INCLUDES, "-o", str(tmp_path / "x.o")], capture_output=True, text=True)
    assert (done.returncode != 0) == bool(missing), done.stderr
    assert not missing or f"does not list the method {missing} of every on this connection" in done.stderr


def test_the_reference_of_types(tree: Path, tessera: Callable[..., Any]) -> None:
    (tree / "components/interfaces/every.yaml").write_text((HERE / "every.yaml").read_text())
    text = tessera("doc", "every").stdout
    for line in ("Each type both ways, for test_interface.py. Version 7.",
                 "- `enum every_colour`: `EVERY_COLOUR_RED` 0, `EVERY_COLOUR_GREEN` 1, `EVERY_COLOUR_BLUE` 2.",
                 "- `struct every_row`, 32 bytes: `kind` (colour), `lit` (bool), `count` (u64), `label` (text of up to "
                 "9 bytes), `small` (i32). One of each.",
                 "Takes `them` (up to 8 of colour), `flags` (up to 9 of bool). Answers `middle` (pair). A request has "
                 "at most 64 bytes.",
                 "Takes `first` (u16), `data` (up to 9000 of memory that is shared, to read), `other` (a capability), "
                 "`more` (up to 64K of memory that is shared, to read and write), `text` (text of up to 9 bytes). "
                 "Answers `total` (u64). A request has at most 64 bytes.",
                 "Takes `other` (a capability), `page` (a capability: memory with read, write). Answers `event` (a "
                 "capability: event with signal). A request has at most 0 bytes."):
        assert line in text.splitlines(), text


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
