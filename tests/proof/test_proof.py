# SPDX-License-Identifier: BSD-2-Clause
"""The proofs can fail: each planted defect turns its proof red. Whether all of them hold is what `make verify` says."""
from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from proof.run import HERE, OUTPUT, PROOFS, TOP, prove, words

SHORT = "-DENTRIES=3 -DSTRIDE=29 -DSTEPS=3"  # fewer states are enough to find a defect
DEFECTS = (
    ("lists", "kernel/obj/cspace.c", "if (victim->depth <= cap->depth)", "if (victim->depth < cap->depth)"),
    ("revoke", "kernel/obj/cspace.c", "if (victim->depth <= cap->depth)", "if (victim->depth < cap->depth)"),
    ("bitmap", "kernel/mm/frame.c", "if (index >= frames.bitmap_frames)", "if (index > frames.bitmap_frames)"),
    ("frames", "kernel/mm/frame.c", "(void)frame_bitmap_flip(frame);\n\t\t\tframe->next", "frame->next"),
    ("order", "kernel/sched/sched.c", "\trun_queue->occupied[sched->word] &= ~sched->bit;\n", ""),
    ("queue", "kernel/sched/sched.c", "__builtin_clzll(run_queue->occupied[word]);",
     "__builtin_clzll(run_queue->summary);"),
    ("rings", "kernel/obj/mailbox.c", "if (done > port->posted - port->retired)\n\t\treturn;", ";"),
    ("slots", "kernel/obj/cspace.c", "slot >= unit->caps.slots", "slot > unit->caps.slots"),
    ("decode", "kernel/include/message_copy.h", "TSS_TAG_CAPS(tag) <= TSS_MESSAGE_CAPS", "TSS_TAG_CAPS(tag) <= 5"),
)


@pytest.fixture(scope="module", autouse=True)
def configuration() -> None:
    subprocess.run(["make", "-s", f"{OUTPUT}/include/config.h"], cwd=TOP, check=True)


def test_words() -> None:
    verdict = words()
    assert verdict.good, verdict.said


@pytest.mark.parametrize("name", ("lists", "frames", "slots"))
def test_it_holds(name: str) -> None:
    proof = next(proof for proof in PROOFS if proof.name == name)
    verdict = prove(replace(proof, defines=SHORT))
    assert verdict.good, verdict.said


@pytest.mark.parametrize("name, file, old, new", DEFECTS)
def test_a_defect_is_found(name: str, file: str, old: str, new: str, tmp_path: Path) -> None:
    for folder in ("kernel", HERE):
        shutil.copytree(TOP / folder, tmp_path / folder)
    source = (tmp_path / file).read_text()
    assert source.count(old) == 1
    (tmp_path / file).write_text(source.replace(old, new))
    proof = next(proof for proof in PROOFS if proof.name == name)
    verdict = prove(replace(proof, defines=SHORT), tmp_path, goal_s=1)
    assert "Error" not in verdict.said.replace("Unknown error", "") and not verdict.good, verdict.said
