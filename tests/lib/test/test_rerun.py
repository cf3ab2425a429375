# SPDX-License-Identifier: BSD-2-Clause
"""What `make test` runs a second time: a machine that was late, and nothing else."""
from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[3]
TESTS = '''
from pathlib import Path
import pytest
from lib.vm import Late, MonitorGone, VMError

@pytest.mark.parametrize("error", (Late, VMError, MonitorGone, AssertionError))
def test(error):
    ran = Path(error.__name__)
    if not ran.exists():
        ran.touch()
        raise error("30.0 s without 'x'\\n--- console\\nlib.vm.Late: 1.0 s without 'y'")

def test_always_late():
    raise Late("30.0 s without 'x'")
'''


def test_only_what_was_late_is_tried_again_and_once(tmp_path: Path) -> None:
    """With the options that the Makefile gives: each test but the last would pass the second time."""
    (tmp_path / "test_it.py").write_text(TESTS)
    options = re.search(r"^RERUN := (.*)$", (TOP / "Makefile").read_text(), re.M)
    assert options
    run = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:labgrid", "--tb=short",
                          *shlex.split(options[1]), "test_it.py"], cwd=tmp_path, capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": str(TOP / "tests")}, check=False)
    assert "RERUN test_it.py::test[Late]" in run.stdout, run.stdout
    assert re.search(r"4 failed, 1 passed, 2 rerun in", run.stdout), run.stdout
    assert run.stdout.count("FAILED test_it.py::test[") == 3 and "FAILED test_it.py::test_always_late" in run.stdout
