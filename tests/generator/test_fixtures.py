# SPDX-License-Identifier: BSD-2-Clause
"""Every error code: a small bad input a folder in fixtures/, and the exact text that it must give.

A folder has manifest.yaml and whatever else is laid over tests/generator/tree. Special files: expected.txt, the text;
command.txt, the command line if it is not `check manifest.yaml`; environment.txt; program.c, script.ld and flags.txt,
from which apps/hello is compiled, or hello-elf.txt instead of it; dot-config.txt, the build's .config; corrupt.txt,
what is changed in a finished build before verify reads it.
After a wanted change of wording: `python3 tests/generator/test_fixtures.py --write`, then read the difference.
"""
import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import HERE, REPOSITORY, compile_elf, make_tree

from generator.build import check_system, verify_files
from generator.codes import CODES
from generator.diagnostics import render
from generator.inputs import read_inputs, read_source

FIXTURES = sorted(path for path in (HERE / "fixtures").iterdir())
PLACES = {"dot-config.txt": "build/.config", "hello-elf.txt": "build/components/apps/hello/hello.elf"}
SPECIAL = ("expected.txt", "command.txt", "environment.txt", "program.c", "script.ld", "flags.txt", "corrupt.txt",
           *PLACES)


def prepare(fixture: Path, root: Path, elf: bytes) -> None:
    make_tree(root, elf)
    shutil.copytree(fixture, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*SPECIAL))
    for name, place in PLACES.items():
        if (fixture / name).exists():
            shutil.copyfile(fixture / name, root / place)
    if (fixture / "program.c").exists():
        texts = {"program": (fixture / "program.c").read_text()}
        if (fixture / "script.ld").exists():
            texts["script"] = (fixture / "script.ld").read_text()
        flags = tuple((fixture / "flags.txt").read_text().split()) if (fixture / "flags.txt").exists() else ()
        data = compile_elf(root.parent / "elf", flags=flags, **texts)
        (root / "build" / "components" / "apps" / "hello" / "hello.elf").write_bytes(data)


def run(root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(REPOSITORY / "generator" / "tessera"), "--root", str(root), *arguments], cwd=root,
                          env={**os.environ, **more}, capture_output=True, text=True, check=False, timeout=120)


def table_offset(bundle: bytes, kind: str, index: int) -> int:
    """Where row `index` of `kind` lies in the file; counts from the end if negative."""
    count = struct.unpack_from("<I", bundle, 12)[0]
    rows = [struct.unpack_from("<IIQQ", bundle, 64 + 104 * i) for i in range(count)]
    start = next(offset for number, _, offset, _ in rows if number == 1)
    instances, objects, grants = struct.unpack_from("<III", bundle, start + 4)
    base = start + 32 + (112 * instances + 32 * objects if kind == "grant" else 0)
    number, size = (grants, 32) if kind == "grant" else (instances, 112)
    return base + (index % number) * size


def rehash(bundle: bytearray) -> None:
    """Makes all hashes right again, as somebody would who changes a bundle on purpose."""
    count = struct.unpack_from("<I", bundle, 12)[0]
    for i in range(count):
        offset, size = struct.unpack_from("<QQ", bundle, 64 + 104 * i + 8)
        bundle[64 + 104 * i + 72:64 + 104 * i + 104] = hashlib.sha256(bundle[offset:offset + size]).digest()
    bundle[32:64] = bytes(32)
    bundle[32:64] = hashlib.sha256(bundle[:64 + 104 * count]).digest()


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
    elfs = check_system(inputs, source, root / "build", None, True).elfs
    return render(verify_files(bytes(bundle), plan, source.data, inputs, elfs, False, "build/test"), {})


def outcome(fixture: Path, work: Path, elf: bytes) -> str:
    """What is printed for the fixture."""
    root = work / "root"
    prepare(fixture, root, elf)
    if (fixture / "corrupt.txt").exists():
        return corrupted(root, (fixture / "corrupt.txt").read_text())
    command = fixture / "command.txt"
    words = shlex.split(command.read_text()) if command.exists() else ["check", "manifest.yaml"]
    environment = fixture / "environment.txt"
    more = dict(line.split("=", 1) for line in environment.read_text().splitlines()) if environment.exists() else {}
    done = run(root, *words, **more)
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_fixture(fixture: Path, tmp_path: Path, elf: bytes) -> None:
    text = outcome(fixture, tmp_path, elf)
    assert text == (fixture / "expected.txt").read_text()
    if fixture.name.startswith("TSS-"):
        assert f"error {fixture.name[:7]}: " in text


def test_every_code_has_a_fixture() -> None:
    assert {path.name[:7] for path in FIXTURES if path.name.startswith("TSS-")} == set(CODES)


def test_every_code_in_the_source_is_in_the_table() -> None:
    text = "".join(path.read_text() for path in (REPOSITORY / "generator").glob("*.py") if path.name != "codes.py")
    used = {text[i:i + 7] for i in range(len(text)) if text.startswith("TSS-", i) and text[i + 4:i + 7].isdigit()}
    assert used == set(CODES)


if __name__ == "__main__" and "--write" in sys.argv:
    with tempfile.TemporaryDirectory() as folder:
        image = compile_elf(Path(folder) / "elf")
        for path in FIXTURES:
            (path / "expected.txt").write_text(outcome(path, Path(folder) / path.name, image))
