# SPDX-License-Identifier: BSD-2-Clause
"""The readers of the bundle, the kernel's and init's, under libFuzzer: none reads out of bounds, nothing wrong passes.

Ten thousand inputs from one sound bundle on, the same each time; `make soak` has ten million.
"""
from __future__ import annotations

import os
import re
import struct
import subprocess
from pathlib import Path

import pytest

from lib.images import TOP, image
from lib.vm import output_folder

RUNS = 10_000_000 if "TESSERA_SOAK" in os.environ else 10_000
SOURCES = ("tests/fuzz/fuzz_bundle.c", "kernel/core/bundle.c", "components/init/table.c")
PAGE = 4096
CORPUS_MIN = 60  # inputs kept because they reached code that no other did; fewer: the readers were hardly reached
WEAKER = {"kernel/core/bundle.c": ("section->size > size - section->offset", "0"),
          "components/init/table.c": ("g->slot >= t->instances[g->instance].slots", "0")}


def section(kind: int, flags: int, offset: int, size: int, memory: int, name: bytes) -> bytes:
    """One row of the section table; hashes are the fuzzer's business."""
    return struct.pack("<IIQQQQ32s32x", kind, flags, offset, size, memory, 0, name)


def table() -> bytes:
    """An init table: two instances and their units, a port, a reply, a guarded connection, memory, and who has them."""
    objects = [(1, 0, 0, 0, 0), (1, 0, 1, 0, 0), (4, 1, 4, 0, 0), (6, 1, 2, 0, 0), (5, 0, 2, 1, 0), (8, 1, 1, 1, 0)]
    grants = [(0, 1, 0, 0, 0, 0, 1), (0, 16, 1, 0, 0, 0, 1), (0, 17, 4, 0, 0, 0, 1), (1, 4, 5, 5, 0x400000, 5, 1),
              (1, 16, 2, 0, 0, 0, 1), (1, 17, 3, 0, 0, 0, 1)]
    instances = [(b"init", b"init"), (b"echo", b"apps/echo")]
    head = struct.pack("<IIIIQII", 0x4C425453, len(instances), len(objects), len(grants), 64, 0, 1)
    rows = [struct.pack("<16s32sQQQQQQIIII4QII", name, component, 64, 0x400000, 0x400000, 0x7FFF0000, 0x7FFF8000, 0, 64,
                        100, 1000, 0, 1, 0, 0, 0, 0xFFFFFFFF, 0) for name, component in instances]
    rows += [struct.pack("<IIQQQ", *row) for row in objects] + [struct.pack("<IIIIQII", *row) for row in grants]
    return head + b"".join(rows) + struct.pack("<IIQIIII", 4, 1, 7, 0, 0, 0, 0)


def seed() -> bytes:
    """A sound bundle in the fuzzer's short form."""
    version = re.search(r"TSS_ABI_VERSION (\d+)u", (TOP / "kernel/include/abi/abi.h").read_text())
    assert version
    sections = [section(1, 0, PAGE, len(table()), 0, b"table"),
                section(2, 5, 2 * PAGE, 100, PAGE, b"echo.text"), section(2, 0x105, 3 * PAGE, 9, PAGE, b"init.text")]
    head = struct.pack("<8sIIQQ32x", b"TESSERA\x01", int(version[1]), len(sections), 4 * PAGE, 0)
    return b"E" + head + b"".join(sections) + table()


def fuzz(folder: Path, sources: tuple[str, ...], runs: int) -> subprocess.CompletedProcess[str]:
    """The fuzzer made of these sources, with everything checked that can be, on so many inputs from seed() on."""
    image("hello")  # for the generated headers
    out = output_folder()
    include = ["kernel/include", "components/lib/include", out / "contract", out / "contract/abi", out / "gen/include"]
    subprocess.run(["clang", "-std=gnu2x", "-g", "-O1", "-Wall", "-Wextra", "-fsanitize=fuzzer,address,undefined",
                    "-fno-sanitize-recover=all", *(f"-I{path}" for path in include), "-include",
                    str(out / "include/config.h"), *sources, "-o", str(folder / "fuzz_bundle")], cwd=TOP, check=True)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "sound").write_bytes(seed())
    return subprocess.run([folder / "fuzz_bundle", "-seed=1", f"-runs={runs}", "-max_len=4096", "-timeout=10",
                           "corpus"], cwd=folder, capture_output=True, text=True)


def test_no_input_gets_through(tmp_path: Path) -> None:
    done = fuzz(tmp_path, SOURCES, RUNS)
    assert done.returncode == 0, done.stderr[-6000:]
    assert len(list((tmp_path / "corpus").iterdir())) > CORPUS_MIN


@pytest.mark.parametrize("name", WEAKER)
def test_a_missing_check_is_found(name: str, tmp_path: Path) -> None:
    """The same fuzzer with one comparison taken out of a reader."""
    source, (text, instead) = (TOP / name).read_text(), WEAKER[name]
    assert source.count(text) == 1
    weak = tmp_path / "weaker.c"
    weak.write_text(source.replace(text, instead).replace('"init.h"', f'"{TOP}/components/init/init.h"'))
    done = fuzz(tmp_path, tuple(str(weak) if source == name else source for source in SOURCES), 400_000)
    assert done.returncode != 0 and ("passed although" in done.stderr or "AddressSanitizer" in done.stderr)
