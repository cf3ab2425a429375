# SPDX-License-Identifier: BSD-2-Clause
"""The harness for C unit tests must turn red for a wrong result, a memory error and undefined behaviour."""
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CASES = {
    "good": ("int main(void) { return 0; }", True),
    "wrong": ("int main(void) { return 1; }", False),
    "address": ("#include <stdlib.h>\nint main(void) { char *p = malloc(1); free(p); return *(volatile char *)p; }",
                False),
    "undefined": ("int main(int argc, char **argv) { (void)argv; return (0x7fffffff + argc) == 5; }", False),
    "warning": ("int main(void) { int unused; return 0; }", False),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_verdict(name: str, tmp_path: Path) -> None:
    text, good = CASES[name]
    folder = tmp_path / "tests" / "unit"
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).parents[1] / "conftest.py", folder)
    (folder / f"test_{name}.c").write_text(text + "\n")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
                         cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode == 0) is good, run.stdout
    assert ("1 passed" if good else "1 failed") in run.stdout
