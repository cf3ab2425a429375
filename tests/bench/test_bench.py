# SPDX-License-Identifier: BSD-2-Clause
"""The bench's own checks, and its targets as tests."""
from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from bench import peers, profile, worst
from bench.figures import KEPT, Figures, comparison, differences, keep, not_kept, read, text, tools
from bench.measure import AHEAD, BOUNDED, TARGETS, Row, Unsteady, measure, missed, twice
from bench.path import Step, ways
from lib.plugins import output_folder

ROWS = ("null_syscall", "ipc_rt_register_cross", "ipc_rt_register_same", "ipc_rt_64_cross", "ipc_rt_256_cross",
        "ipc_rt_256_cap_cross", "ipc_send_receive_async", "event_signal", "event_wake_switch", "yield_cross",
        "irq_to_user", "revoke_1", "revoke_200", "revoke_latency_200", "sched_pick_2", "sched_pick_200", "boot_to_init")


@pytest.fixture(scope="module")
def measured() -> Figures:
    """All rows as `make bench` measures them; build/bench.json has them too."""
    figures = Figures(tools(), measure(), {})
    (output_folder() / "bench.json").write_text(text(figures))
    return figures


@pytest.mark.xdist_group("bench")
def test_all_rows_are_there_and_meet_the_targets(measured: Figures) -> None:
    assert not [name for name in ROWS if name not in measured.rows]
    assert missed(measured.rows) == []


@pytest.mark.xdist_group("bench")
def test_figures_are_the_kept_ones(measured: Figures) -> None:
    kept = read(KEPT)
    if kept.tools != measured.tools:
        warnings.warn(f"figures are compared roughly: they were kept with {kept.tools}, here is {measured.tools}")
    wrong = not_kept(measured)
    assert not wrong, "\n".join([*wrong, "if that is meant, in the same commit: make bench-keep WHY='...'"])


@pytest.mark.xdist_group("bench")
def test_the_profile_adds_up(measured: Figures) -> None:
    rows = profile.run("bench", profile.ENTRY, "init:_start")
    found = profile.places("bench", rows)
    assert {place.module.name for place in found if place.count} == {"kernel"}
    total = sum(place.count for place in found)
    assert abs(total - measured.rows["boot_to_init"].median) < 0.01 * total
    assert sum(place.count for place in found if place.function == "bundle_check") > 0


def test_a_difference_is_refused() -> None:
    with pytest.raises(Unsteady, match="a: .*1.* then .*2"):
        twice({"a": Row(1, 1, 1)}, {"a": Row(1, 2, 1)})


def test_missed_targets_are_named() -> None:
    good = {name: Row(1, most, 999) for name, most in TARGETS.items()} | {
        f"worst_{name}": Row(1, worst.AHEAD.get(name, worst.BOUND) - 1, 1, BOUNDED) for name in worst.rows_wanted()}
    good |= {"sched_pick_2": Row(1, 100, 1), "sched_pick_200": Row(1, 105, 1)}
    most = TARGETS["null_syscall"]
    assert missed(good) == []
    assert missed({**good, "null_syscall": Row(1, most + 1, most + 1)}) == [f"null_syscall: {most + 1}, target {most}"]
    assert missed({**good, "sched_pick_200": Row(1, 106, 1)}) == [
        "sched_pick_200: 106, but sched_pick_2: 100: not O(1)"]
    assert len(missed({})) == len(TARGETS) + 1 + len(worst.rows_wanted())


def test_a_stretch_above_the_bound_or_unmeasured_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worst, "AHEAD", {"unit_kill": 50_000, "unit_map": 50_000})
    good = {name: 100 for name in worst.rows_wanted()} | {"unit_kill": 40_000, "unit_map": 40_000}
    assert worst.excess(good) == []
    assert worst.excess(good | {"timer": worst.BOUND}) == ["worst_timer: 20000, bound 20000"]
    assert worst.excess(good | {"unit_kill": 50_000}) == ["worst_unit_kill: 50000, bound 50000"]
    assert len(worst.excess(good | {"unit_map": 19_999})) == 1
    assert worst.excess({name: value for name, value in good.items() if name != "page_fault"}) == [
        "worst_page_fault: no row"]


def test_each_call_and_each_trap_has_a_worst_row() -> None:
    kept = {name.removeprefix("worst_"): row.median for name, row in read(KEPT).rows.items() if row.unit == BOUNDED}
    assert worst.rows_wanted() <= kept.keys()
    assert len(worst.calls()) == len(set(worst.calls().values())) > 60


def test_targets_ahead_are_ahead() -> None:
    kept = read(KEPT).rows
    assert [name for name, most in AHEAD.items() if kept[name].median <= most] == []


def test_the_way_of_a_row_is_shown() -> None:
    steps = ways()["ipc_rt_register_cross"]
    functions = [name for name, _ in groupby(step.function for step in steps)]
    fast = ["kernel:arch_syscall_entry", "kernel:arch_syscall_call", "bench_echo:main", "kernel:arch_syscall_entry",
            "kernel:arch_syscall_reply_receive"]
    assert functions == ["bench:call_registers", *fast, "bench:call_registers"]
    assert 0 <= len(steps) - read(KEPT).rows["ipc_rt_register_cross"].median < 10  # reading the clock


def test_one_cr3_write_a_crossing_and_no_msr() -> None:
    found = ways()
    assert special(found["ipc_rt_register_cross"]) == ["cr3", "cr3"]
    assert special(found["ipc_rt_register_same"]) == []
    assert special(found["event_signal"]) == []


def special(steps: list[Step]) -> list[str]:
    """Writes of CR3 and accesses to MSRs."""
    return [kind for step in steps for kind in ("cr3", "msr") if kind in step.text]


GOOD = Figures({"compiler": "1"}, {"a": Row(1, 2, 3), "b": Row(10, 10, 10, "lines")}, {"a": "first", "b": "first"})


def changed(row: Row, compiler: str = "1") -> Figures:
    """GOOD with another row `a`, measured."""
    return Figures({"compiler": compiler}, {**GOOD.rows, "a": row}, {})


def test_kept_figures_hold_exactly() -> None:
    assert differences(GOOD, changed(Row(1, 2, 3))) == []
    assert differences(GOOD, changed(Row(1, 3, 3))) == ["a: 1/3/3 instructions, kept is 1/2/3: longer"]
    assert differences(GOOD, changed(Row(1, 1, 3))) == ["a: 1/1/3 instructions, kept is 1/2/3: shorter"]
    assert differences(GOOD, changed(Row(1, 2, 4))) == ["a: 1/2/4 instructions, kept is 1/2/3: another spread"]
    assert differences(GOOD, Figures(GOOD.tools, {"a": Row(1, 2, 3), "c": Row(1, 1, 1)}, {})) == [
        "b: kept, but not measured", "c: measured, but not kept"]


def test_other_tools_may_differ_a_little() -> None:
    kept = Figures({"compiler": "1"}, {"a": Row(90, 100, 110), "b": Row(10, 10, 10, "lines")}, {})
    near = Figures({"compiler": "2"}, {"a": Row(1, 115, 999), "b": Row(10, 10, 10, "lines")}, {})
    assert differences(kept, near) == []
    assert len(differences(kept, replace(near, rows={**near.rows, "a": Row(1, 116, 999)}))) == 1
    assert len(differences(kept, replace(near, rows={**near.rows, "b": Row(11, 11, 11, "lines")}))) == 1
    assert len(differences(kept, replace(near, tools=kept.tools))) == 1


def test_a_kept_figure_has_its_reason(tmp_path: Path) -> None:
    kept = keep(GOOD, changed(Row(1, 5, 9)), "it does more")
    assert kept.why == {"a": "it does more", "b": "first"}
    (tmp_path / "figures.json").write_text(text(kept))
    assert read(tmp_path / "figures.json") == kept
    ours = read(KEPT)
    assert not [name for name in ours.rows if not ours.why.get(name, "").strip()]


def test_ratios_are_printed() -> None:
    lines = comparison(GOOD, changed(Row(1, 1, 3), "2")).splitlines()
    assert lines[1].split() == ["a", "2", "1", "0.500", "instructions"]
    assert lines[-1] == "other tools: compiler: 1 then 2"


def test_the_peer_s_program_is_packed_as_a_kernel_unpacks_it(tmp_path: Path) -> None:
    archive = peers.build_guest(tmp_path).read_bytes()
    assert archive.startswith(b"070701") and len(archive) % 4 == 0
    names: list[str] = []
    while not names or names[-1] != "TRAILER!!!":
        size, length = int(archive[54:62], 16), int(archive[94:102], 16)
        names.append(archive[110:110 + length - 1].decode())
        start = -(-(110 + length) // 4) * 4
        if names[-1] == "init":
            assert archive[start:start + size] == (tmp_path / "init").read_bytes()
        archive = archive[start + -(-size // 4) * 4:]
    assert names == ["dev", "dev/console", "init", "TRAILER!!!"]


def test_without_package_lists_the_peer_is_skipped_aloud(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figures = tmp_path / "bench.json"
    figures.write_text(text(GOOD))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["peers.py", "--bench", str(figures)])
    assert peers.main() == peers.SKIPPED
    assert "SKIPPED, no Linux to compare with: no apt-cache here" in capsys.readouterr().err


def test_ours_stands_beside_theirs() -> None:
    theirs = {peer: 1000 for _, peer, _ in peers.BESIDE}
    shown = peers.table({"null_syscall": 50}, theirs, "some kernel").splitlines()
    assert shown[3].split()[:4] == ["null_syscall", "50", "1,000", "20.0"]
    assert shown[4].split()[:4] == ["ipc_rt_register_cross", "-", "1,000", "-"]
