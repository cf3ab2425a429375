# SPDX-License-Identifier: BSD-2-Clause
"""Proves what kernel/doc/proofs.md says: `python3 tests/proof/run.py [NAME...]`, a line a proof; 1 if one fails."""
from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
HERE = "tests/proof"
OUTPUT = os.environ.get("O", "build")
TIMEOUT_S = 1200
GOAL_S = 60
PROVERS = {  # command lines that take their turns at a goal; the first that proves it ends that
    "CVC4": {"1.8": "cvc4 --lang=smt2", "1.8:full": "cvc4 --full-saturate-quant --lang=smt2"},
    "Z3": {"4.8.12:a": "z3 -smt2 auto_config=false smt.mbqi=false smt.arith.solver=2 smt.case_split=3",
           "4.8.12:b": "z3 -smt2 auto_config=false smt.mbqi=false"}}
LEMMAS = "@lemma"
QUIET = ("asm:clobber=inactive,typing:implicit-function-declaration=inactive,annot:missing-spec=inactive,"
         "typing:incompatible-types-call=inactive")
LIMITS = {"CVC4": ("--tlimit-per=%t000", "--rlimit=%S"), "Z3": ("-T:%t", "rlimit=%S")}
DRIVERS = {"CVC4": "cvc4_16", "Z3": "z3_471_nobv"}
# Frama-C wants no value in `return f();` of a function that returns none, where gcc allows one that is void itself.
VOID = r"s/return (cpu_resched|sched_put_back|sched_run|sched_pick)(\(.*\));/{ \1\2; return; }/"
READ = ("gcc -E -C -m64 -D__FRAMAC__ -std=gnu2x -ffreestanding -I. -Ikernel/include -Ikernel/arch/x86_64/include "
        "-include {config} {defines} -include tests/proof/prelude.h %args %1 | sed -E '{void}' > %2")


@dataclass(frozen=True)
class Proof:
    """One run of Frama-C. With `functions` WP proves their contracts; else Eva follows `entry` with every value."""

    name: str
    source: str
    functions: str = ""
    entry: str = ""
    options: tuple[str, ...] = ()
    defines: str = ""


@dataclass(frozen=True)
class Verdict:
    """`line` is what to print; `good`: everything was proved."""

    good: bool
    line: str
    said: str


PROOFS = (
    Proof("revoke", "revoke.c", "capability_next,capability_has_children,capability_victim,capability_revoke",
          options=("-wp-split",)),
    Proof("slots", "revoke.c", "cspace_slot"),
    Proof("lists", "lists.c", entry="lists_prove", defines="-DENTRIES=4"),
    Proof("order", "order.c", entry="order_prove"),
    Proof("frames", "frames.c", entry="frames_prove"),
    Proof("decode", "decode.c", "cspace_at,cspace_lookup_in,cspace_lookup_needed,tag_valid,syscall_capability,"
          "timeout_valid"),
    Proof("payload", "payload.c", entry="payload_prove"),
    Proof("bitmap", "bitmap.c", "frame_bitmap_flip"),
    Proof("queue", "queues.c", "run_queue_first"),
    Proof("log", "log.c", "log_read"),
    Proof("queue lemmas", "queues.c", LEMMAS),
    Proof("rings lemmas", "rings.c", LEMMAS),
    Proof("rings", "rings.c", "mailbox_place,mailbox_retire,trace_place", options=("-wp-model", "Typed+cast")),
)


def why3_config() -> str:
    """Tells Why3 which provers there are, without asking or changing what is in anybody's home folder."""
    text = "[main]\nmagic = 14\nmemlimit = 1000\nrunning_provers_max = 2\ntimelimit = 10\n"
    for prover, ways in PROVERS.items():
        for way, command in ways.items():
            version, _, alternative = way.partition(":")
            by_time, by_steps = LIMITS[prover]
            text += (f'\n[prover]\nname = "{prover}"\nversion = "{version}"\nalternative = "{alternative}"\n'
                     f'command = "{command} {by_time} %f"\ncommand_steps = "{command} {by_steps} %f"\n'
                     f'driver = "{DRIVERS[prover]}"\neditor = ""\nin_place = false\ninteractive = false\n')
    return text


def frama_c(proof: Proof, tree: Path, goal_s: int) -> str:
    """What Frama-C prints of a proof about the sources in `tree`."""
    folder = TOP / OUTPUT / "proof"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "why3.conf").write_text(why3_config())
    config = TOP / OUTPUT / "include" / "config.h"
    read = READ.format(config=config, defines=proof.defines, void=VOID)
    command = ["frama-c", "-machdep", "gcc_x86_64", "-c11", "-no-frama-c-stdlib", "-cpp-command", read,
               "-cpp-frama-c-compliant", "-kernel-warn-key", QUIET, f"{HERE}/{proof.source}"]
    if proof.functions:
        provers = ",".join(f"{prover}:{way}" for prover, ways in PROVERS.items() for way in ways)
        command += ["-wp", "-wp-rte", "-wp-prover", provers, "-wp-timeout", str(goal_s), "-wp-par", "2",
                    "-wp-prop" if proof.functions == LEMMAS else "-wp-fct", proof.functions]
    else:
        command += ["-kernel-warn-key", "annot-error=inactive", "-main", proof.entry, "-eva",
                    "-eva-slevel", "100000000", "-eva-plevel", "2000"]
    environment = {**os.environ, "WHY3CONFIG": str(folder / "why3.conf"), "HOME": str(folder)}
    return subprocess.run([*command, *proof.options], cwd=tree, env=environment, capture_output=True, text=True,
                          timeout=TIMEOUT_S).stdout


def prove(proof: Proof, tree: Path = TOP, goal_s: int = GOAL_S) -> Verdict:
    """Runs one proof and reads the verdict from Frama-C's summary; no summary is no proof."""
    began = time.monotonic()
    said = frama_c(proof, tree, goal_s)
    took = f"{time.monotonic() - began:.0f} s"
    if proof.functions:
        found = re.search(r"Proved goals:\s+(\d+) / (\d+)", said)
        good = found is not None and found[1] == found[2] != "0"
        result = f"{found[1]} of {found[2]} goals proved" if found else "nothing proved"
        return Verdict(good, f"{proof.name}: {result}, WP with CVC4 and Z3, {took}", said)
    alarms = re.search(r"(\d+) alarms? generated", said)
    holds = re.search(r"Assertions +(\d+) valid +(\d+) unknown +(\d+) invalid", said)
    clean = "No errors or warnings raised" in said
    good = bool(alarms and holds and clean and alarms[1] == "0" and holds[2] == holds[3] == "0" and holds[1] != "0")
    result = f"{alarms[1]} alarms, {holds[1]} assertions hold" if alarms and holds else "no result"
    return Verdict(good, f"{proof.name}: {result}, Eva, {took}", said)


def words(tree: Path = TOP) -> Verdict:
    """What the proofs assume of words and products: z3 finds no counterexample to any of it."""
    said = subprocess.run(["z3", f"{HERE}/words.smt2"], cwd=tree, capture_output=True, text=True, timeout=60).stdout
    asked, proved = said.count("\n") - said.count("sat\n"), len(re.findall(r"^unsat$", said, re.M))
    return Verdict(asked == proved > 0, f"words: {proved} of {asked} goals proved, Z3", said)


def main(names: list[str]) -> int:
    subprocess.run(["make", "-s", f"{OUTPUT}/include/config.h"], cwd=TOP, check=True)
    chosen = [proof for proof in PROOFS if not names or proof.name in names]
    good = True
    for verdict in itertools.chain([] if names else [words()], map(prove, chosen)):
        print(verdict.line, flush=True)
        if not verdict.good:
            print(verdict.said)
            good = False
    return 0 if good and chosen else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
