# SPDX-License-Identifier: BSD-2-Clause
"""Walls: what only the architecture's folder may do, who may include what, no variants inside functions."""
from __future__ import annotations

import re

import pytest

from lint.tree import KERNEL_CODE, c_functions, files, text, without_comments

ARCH = "kernel/arch/x86_64/"
ARCH_ONLY = {
    "inline assembly": r"\b(asm|__asm__|__asm)\b\s*(volatile|__volatile__|goto|inline)?\s*\(",
    "model-specific register": r"\b(rd|wr)msr\b|\bMSR_\w+",
    "control register": r"\b(mov|read|write)_?cr[0-48]\b|\bCR[0-48]_\w+",
    "page-table bit": r"\b(PTE|PML4E?|PDPTE?|PDE|PT)_[A-Z]\w*",
    "interrupt flag": r"\b(cli|sti)\s*\(",
    "CPU intrinsic": r"\b__builtin_ia32_\w+|\b_mm_\w+",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h", "stdnoreturn.h", "stdalign.h"}


@pytest.mark.parametrize("what", sorted(ARCH_ONLY))
def test_only_the_architecture_has(what: str) -> None:
    pattern = re.compile(ARCH_ONLY[what])
    found = [f"{name}: {match[0]}" for name in files(*KERNEL_CODE, under="kernel/") if not name.startswith(ARCH)
             for match in pattern.finditer(without_comments(text(name), keep_strings=False))]
    assert not found


def test_the_kernel_never_opens_user_memory() -> None:
    pattern = re.compile(r"\b(stac|clac)\b", re.I)
    found = [name for name in files(*KERNEL_CODE, under="kernel/") if pattern.search(without_comments(text(name)))]
    assert not found


def test_the_kernel_includes_only_itself() -> None:
    known = {name.split("/", 2)[2] for name in files(".h", ".def", under="kernel/include/")}
    known |= {name.removeprefix(ARCH + "include/") for name in files(".h", under=ARCH + "include/")}
    known |= FREESTANDING | {"config.h", "asm_offsets.h"}  # made by the build
    bad = []
    for name in files(*KERNEL_CODE, under="kernel/"):
        folder = name.rsplit("/", 1)[0]
        beside = {other.rsplit("/", 1)[1] for other in files(*KERNEL_CODE, under=folder + "/")}
        bad += [f"{name}: {include}" for include in INCLUDE.findall(text(name)) if include not in known | beside]
    assert not bad


def test_the_abi_includes_only_the_abi() -> None:
    for name in files(*KERNEL_CODE, under="kernel/include/abi/"):
        for include in INCLUDE.findall(text(name)):
            base = include.removeprefix("abi/")
            assert f"kernel/include/abi/{base}" in files(under="kernel/include/abi/") or include in FREESTANDING, name


def test_components_see_only_the_abi_of_the_kernel() -> None:
    private = {name.split("/", 2)[2] for name in files(".h", under="kernel/include/") if "/abi/" not in name}
    library = {name.removeprefix("components/lib/include/") for name in files(".h", under="components/lib/include/")}
    bad = [f"{name}: {include}" for name in files(".c", ".h", ".S", under="components/")
           for include in INCLUDE.findall(text(name))
           if "kernel/" in include or include.startswith("..") or (include in private and include not in library)]
    assert not bad


def test_no_variants_inside_functions() -> None:
    pattern = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else)\b", re.M)
    found = [str(f) for under in ("kernel/", "components/") for name in files(".c", ".h", under=under)
             for f in c_functions(name, text(name)) if pattern.search(f.body)]
    assert not found
