# SPDX-License-Identifier: BSD-2-Clause
"""Shared by the generator's tests: a small tree with components, and ELF files compiled for it once a session."""
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(REPOSITORY))

PROGRAM = """
static int bss[3000];
static int *volatile pointer = bss;
static const char words[] = "hello";
__attribute__((used)) void _start(void) { for (;;) pointer[0] += words[bss[1]]; }
"""
SCRIPT = """
ENTRY(_start)
PHDRS { text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6); dynamic PT_DYNAMIC FLAGS(6); }
SECTIONS {
    . = 0;
    .text : { *(.text*) } :text
    . = ALIGN(4096);
    .rodata : { *(.rodata*) } :rodata
    .rela.dyn : { *(.rela .rela.*) } :rodata
    .dynamics : { *(.dynstr) *(.dynsym) *(.hash) *(.gnu.hash) } :rodata
    . = ALIGN(4096);
    .dynamic : { *(.dynamic) } :data :dynamic
    .data : { *(.data*) *(.got*) } :data
    .bss : { *(.bss*) } :data
    /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) *(.interp) }
}
"""


def compile_elf(folder: Path, program: str = PROGRAM, script: str = SCRIPT, flags: tuple[str, ...] = ()) -> bytes:
    """A component image made from a C program, as components are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "p.c").write_text(program)
    (folder / "p.ld").write_text(script)
    subprocess.run(["gcc", "-O1", "-fPIE", "-ffreestanding", "-fno-asynchronous-unwind-tables", "-fvisibility=hidden",
                    "-static-pie", "-nostdlib", "-Wl,-T,p.ld,--no-warn-rwx-segments,-z,noexecstack,--build-id=none",
                    *flags, "p.c", "-o", "p.elf"], cwd=folder, check=True, capture_output=True)
    return (folder / "p.elf").read_bytes()


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_elf(tmp_path_factory.mktemp("elf"))


@pytest.fixture
def tree(tmp_path: Path, elf: bytes) -> Path:
    """A fresh copy of tests/generator/tree with every component built."""
    return make_tree(tmp_path / "root", elf)


def make_tree(root: Path, elf: bytes) -> Path:
    shutil.copytree(HERE / "tree", root)
    shutil.copytree(REPOSITORY / "kernel" / "include" / "abi", root / "kernel" / "include" / "abi")
    shutil.copytree(REPOSITORY / "components" / "lib" / "include", root / "components" / "lib" / "include")
    (root / "images").mkdir()
    shutil.copy(REPOSITORY / "images" / "grub.cfg.in", root / "images")
    for description in (root / "components").rglob("component.yaml"):
        name = description.parent.relative_to(root / "components")
        path = root / "build" / "components" / name / f"{name.name}.elf"
        path.parent.mkdir(parents=True)
        path.write_bytes(elf)
    return root


@pytest.fixture
def tessera(tree: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command on the tree, from another directory."""
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(REPOSITORY / "generator" / "tessera"), "--root", str(tree), *arguments], cwd=tree,
                              capture_output=True, text=True, check=False, timeout=120)
    return run
