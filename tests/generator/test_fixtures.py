# SPDX-License-Identifier: BSD-2-Clause
"""Every error code: a small bad input and the exact text that it must give, together in one file of fixtures/.

A line `==> name` starts a part. Parts with a path are laid over tests/generator/tree. The others: `expected`, the text;
`command`, if it is not `check manifest.yaml`; `environment`; `program`, `script` and `flags`, from which apps/hello is
compiled; `corrupt`, what is changed in a finished build before verify reads it.
After a wanted change of wording: `python3 tests/generator/test_fixtures.py --write [NAME...]`, then read the diff.
"""
import contextlib
import io
import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path
from unittest import mock

import pytest

from conftest import HERE, REPOSITORY, compile_elf, make_tree

from generator.build import check_system, verify_files
from generator.cli import main
from generator.codes import CODES
from generator.diagnostics import render
from generator.inputs import read_inputs, read_source

FIXTURES = sorted((HERE / "fixtures").glob("*.txt"))
SPECIAL = ("expected", "command", "environment", "program", "script", "flags", "corrupt")


def read_parts(fixture: Path) -> dict[str, bytes]:
    """The parts of a fixture by name; bytes, because bad input need not be text."""
    pieces = re.split(rb"^==> (.+)\n", fixture.read_bytes(), flags=re.MULTILINE)
    return {name.decode(): contents for name, contents in zip(pieces[1::2], pieces[2::2])}


def prepare(parts: dict[str, bytes], root: Path, elf: bytes) -> None:
    """The tree with the parts laid over it."""
    make_tree(root, elf)
    for name, contents in parts.items():
        if name not in SPECIAL:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(contents)
    if "program" in parts:
        texts = {name: parts[name].decode() for name in ("program", "script") if name in parts}
        data = compile_elf(root.parent / "elf", flags=tuple(parts.get("flags", b"").decode().split()), **texts)
        (root / "build" / "components" / "apps" / "hello" / "hello.elf").write_bytes(data)


def run(root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command in this process, which is ten times as fast as in one of its own; test_commands.py starts it."""
    out, errors = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, more), contextlib.chdir(root), contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(errors):
        status = main(["--root", str(root), *arguments])
    return subprocess.CompletedProcess(list(arguments), status, out.getvalue(), errors.getvalue())


def table_offset(bundle: bytes, kind: str, index: int) -> int:
    """Where row `index` of `kind` lies in the file; counts from the end if negative."""
    count = struct.unpack_from("<I", bundle, 12)[0]
    rows = [struct.unpack_from("<IIQQ", bundle, 64 + 104 * i) for i in range(count)]
    start = next(offset for number, _, offset, _ in rows if number == 1)
    instances, objects, grants = struct.unpack_from("<III", bundle, start + 4)
    base = start + 32 + (152 * instances + 32 * objects if kind == "grant" else 0)
    number, size = (grants, 32) if kind == "grant" else (instances, 152)
    return base + (index % number) * size


def rehash(bundle: bytearray) -> None:
    """Makes all hashes right again, as somebody would who changes a bundle on purpose."""
    count = struct.unpack_from("<I", bundle, 12)[0]
    for i in range(count):
        offset, size = struct.unpack_from("<QQ", bundle, 64 + 104 * i + 8)
        bundle[64 + 104 * i + 72:64 + 104 * i + 104] = blake2b(bundle[offset:offset + size], digest_size=32).digest()
    bundle[32:64] = bytes(32)
    bundle[32:64] = blake2b(bundle[:64 + 104 * count], digest_size=32).digest()


def corrupted(root: Path, what: str) -> str:
    """Builds the system, changes what corrupt.txt says and returns verify's errors."""
    done = run(root, "build", "manifest.yaml", "--no-image", "--out", "out")
    assert done.returncode == 0, done.stderr
    bundle, plan = bytearray((root / "out" / "bundle.bin").read_bytes()), (root / "out" / "plan.json").read_text()
    kind, *rest = what.split()
    if kind == "plan":
        before, after = what.strip().removeprefix("plan ").split(" -> ")
        assert before in plan
        plan = plan.replace(before, after)
    elif kind == "bundle":
        bundle[int(rest[0], 0)] ^= int(rest[1], 0)
    else:
        bundle[table_offset(bundle, rest[0], int(rest[1])) + int(rest[2])] ^= int(rest[3], 0)
        rehash(bundle)
    inputs = read_inputs(root)
    source = read_source(root / "manifest.yaml", root)
    checked = check_system(inputs, source, root / "build", None, True)
    return render(verify_files(bytes(bundle), plan, source.data, inputs, checked, False, "build/test"), {})


def outcome(parts: dict[str, bytes], work: Path, elf: bytes) -> str:
    """What is printed for the fixture."""
    root = work / "root"
    prepare(parts, root, elf)
    if "corrupt" in parts:
        return corrupted(root, parts["corrupt"].decode())
    words = shlex.split(parts.get("command", b"check manifest.yaml").decode())
    more = dict(line.split("=", 1) for line in parts.get("environment", b"").decode().splitlines())
    done = run(root, *words, **more)
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.stem)
def test_fixture(fixture: Path, tmp_path: Path, elf: bytes) -> None:
    parts = read_parts(fixture)
    text = outcome(parts, tmp_path, elf)
    assert text == parts["expected"].decode()
    if fixture.name.startswith("TSS-"):
        assert f"error {fixture.name[:7]}: " in text


def test_every_error_says_what_to_do() -> None:
    for fixture in FIXTURES:
        errors = re.split(r"^(?=\S.*error TSS-)", read_parts(fixture)["expected"].decode(), flags=re.MULTILINE)
        assert len(errors) > 1 and all("\n  hint: " in error for error in errors[1:]), fixture.name


def test_every_code_has_a_fixture() -> None:
    assert {path.name[:7] for path in FIXTURES if path.name.startswith("TSS-")} == set(CODES)


def test_every_code_in_the_source_is_in_the_table() -> None:
    text = "".join(path.read_text() for path in (REPOSITORY / "generator").glob("*.py") if path.name != "codes.py")
    used = {text[i:i + 7] for i in range(len(text)) if text.startswith("TSS-", i) and text[i + 4:i + 7].isdigit()}
    assert used == set(CODES)


def write_expected(names: list[str]) -> None:
    """All fixtures, or those whose names begin with one of `names`."""
    with tempfile.TemporaryDirectory() as folder:
        image = compile_elf(Path(folder) / "elf")
        for path in (p for p in FIXTURES if not names or p.name.startswith(tuple(names))):
            text = outcome(read_parts(path), Path(folder) / path.stem, image)
            before = path.read_bytes()
            path.write_bytes(before[:before.index(b"==> expected\n")] + b"==> expected\n" + text.encode())


if __name__ == "__main__" and "--write" in sys.argv:
    write_expected(sys.argv[2:])
