# SPDX-License-Identifier: BSD-2-Clause
"""The tool of `make coverage`: what a machine has run is found, what it has not run is not, and the gate is one."""
from __future__ import annotations

from pathlib import Path

import pytest

from lines import report
from lib import cover
from lib.images import iso
from lib.vm import VM, Machine, output_folder, primary_clock


def kernel_file() -> Path:
    """The kernel of this build."""
    return output_folder() / "kernel" / "kernel.elf"


def recorded(machine: Machine, pattern: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boots the machine until its console matches, and records what it ran."""
    monkeypatch.setenv("TESSERA_COVERAGE", str(folder))
    with VM(machine) as vm:
        vm.expect(pattern, timeout=240)


def test_a_boot_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(Machine(iso=iso("hello")), "hello", tmp_path, monkeypatch)
    kernel, code = cover.kernel(kernel_file()), report.read_code(kernel_file())
    counts = report.read_counts(tmp_path / kernel.key, kernel.size)
    idle = {row.split(": ")[1].split(" ")[0] for row in report.idle_functions(code, counts)}
    assert not idle & {"kernel_main", "bundle_check", "sys_unit_create", "sys_thread_start", "frame_alloc"}
    assert {"panic", "sys_unit_restart", "sys_connection_create"} & idle == {"panic", "sys_unit_restart"}
    lines = report.lines_of(code, counts)
    files = {name for (name, _), ran in lines.items() if ran}
    assert {"kernel/core/main.c", "kernel/arch/x86_64/boot.S", "kernel/arch/x86_64/entry.S"} <= files
    assert all(not ran for (name, _), ran in lines.items() if name == "kernel/arch/x86_64/backtrace.c")
    entry = next(at for name, at, _ in code.functions if name == "kernel_main")
    assert counts[entry] == 1


def test_the_gate_holds_and_is_a_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--kernel", str(kernel_file()), "--records", str(tmp_path)]
    recorded(primary_clock(iso("ktest")), r"\ndone \d+ passed", tmp_path, monkeypatch)
    assert report.main(words) == 0, capsys.readouterr().out
    text = capsys.readouterr().out
    assert "kernel/obj/" in text and "kernel/ in all" in text and "panic (" in text
    assert report.main([*words, "--gate", "99.9"]) == 1
    assert report.main([*words[:2], "--records", str(tmp_path / "nothing")]) == 1
