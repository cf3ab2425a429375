# SPDX-License-Identifier: BSD-2-Clause
"""Applies each defect of defects.yaml to a copy of the tree and runs the test that is to turn red.

Usage: run.py [NAME...]. Ends with `N killed, N survived`; the status is 1 if one survived, did not build or did not
fit. Each worker has a copy of its own under build/mutate/ and builds there, so the tree itself is never changed.
"""
from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

TOP = Path(__file__).resolve().parents[2]
WORKERS = 2
TEST_TIMEOUT_S = 900
RED = 1  # pytest's status when tests ran and some failed
NOT_A_TEST_FAILURE = ("BuildError", "error: command", "CalledProcessError")


@dataclass(frozen=True)
class Defect:
    """One thing to break, and the test (a pytest id) that must notice."""

    name: str
    file: str
    old: str
    new: str
    test: str


def load() -> list[Defect]:
    """The defects, in the order of the file. Errors: KeyError or TypeError for a malformed entry."""
    entries = YAML(typ="safe").load((TOP / "tests/mutate/defects.yaml").read_text())
    return [Defect(e["name"], e["file"], e["old"].rstrip("\n"), e["new"].rstrip("\n"), test_id(e)) for e in entries]


def test_id(entry: dict[str, str]) -> str:
    """`ktest: NAME` is short for the in-image test under the counted clock."""
    if "ktest" in entry:
        return f"tests/scenario/test_ktest.py::test_kernel[counted-{entry['ktest']}]"
    return entry["test"]


def copy_tree(folder: Path) -> None:
    """The tracked and new files of this tree, as they are now; what a copy of an earlier run built stays."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP, check=True,
                            capture_output=True).stdout
    folder.mkdir(parents=True, exist_ok=True)
    names = [Path(raw.decode()) for raw in listed.split(b"\0") if raw]
    kept = {folder / name for name in names if (TOP / name).exists()}
    for old in [path for entry in folder.iterdir() if entry.name != "build" for path in (entry, *entry.rglob("*"))]:
        if not old.is_dir() and old not in kept:
            old.unlink()
    for name in names:
        source, target = TOP / name, folder / name
        if source.exists() and not (target.exists() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)


def attempt(defect: Defect, folder: Path) -> str:
    """'' if the test turned red with the defect in; else what went wrong."""
    path = folder / defect.file
    text = path.read_text()
    if text.count(defect.old) != 1:
        return f"does not fit: its text occurs {text.count(defect.old)} times in {defect.file}"
    path.write_text(text.replace(defect.old, defect.new))
    try:
        ran = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", defect.test],
                             cwd=folder, capture_output=True, text=True, timeout=TEST_TIMEOUT_S,
                             env={**os.environ, "O": "build"})
    except subprocess.TimeoutExpired:
        return f"{defect.test} did not end"
    finally:
        path.write_text(text)
    if ran.returncode == 0:
        return f"survived: {defect.test} passes"
    if ran.returncode != RED or any(word in ran.stdout for word in NOT_A_TEST_FAILURE):
        return f"{defect.test} could not run:\n{ran.stdout[-1500:]}{ran.stderr[-500:]}"
    return ""


def worker(number: int, work: queue.SimpleQueue[Defect], results: dict[str, str]) -> None:
    """Takes defects until none is left."""
    folder = TOP / "build" / "mutate" / str(number)
    copy_tree(folder)
    while True:
        try:
            defect = work.get_nowait()
        except queue.Empty:
            return
        results[defect.name] = attempt(defect, folder)
        word = "SURVIVED" if results[defect.name] else "killed  "
        print(f"  {word} {defect.name} {results[defect.name]}", flush=True)


def main(names: list[str]) -> int:
    """Runs the named defects, or all."""
    defects = load()
    unknown = set(names) - {defect.name for defect in defects}
    if unknown:
        print(f"no such defect: {', '.join(sorted(unknown))}")
        return 2
    work: queue.SimpleQueue[Defect] = queue.SimpleQueue()
    for defect in defects:
        if not names or defect.name in names:
            work.put(defect)
    results: dict[str, str] = {}
    threads = [threading.Thread(target=worker, args=(i, work, results)) for i in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    survived = [name for name, text in results.items() if text]
    print(f"{len(results) - len(survived)} killed, {len(survived)} survived")
    return 1 if survived or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
