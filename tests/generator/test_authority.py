# SPDX-License-Identifier: BSD-2-Clause
"""The commands about authority: why, why-not, diff, graph, show."""
import html
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator import compare

Run = Callable[..., subprocess.CompletedProcess[str]]
OLD = """tessera: 1
system: test
instances:
  a: {component: apps/user, connect: {next: b}}
  b: {component: apps/user}
  c: {component: apps/user, connect: {store: store}}
  store: {component: servers/store}
"""


@pytest.fixture
def files(tree: Path) -> Path:
    (tree / "old.yaml").write_text(OLD)
    (tree / "new.yaml").write_text("tessera: 1\nsystem: test\nextends: [old.yaml]\ninstances:\n"
                                   "  a: {connect: {store: {to: store, rights: [send]}}, priority: 50}\n"
                                   "policy:\n  - never: a -> c\n")
    return tree


def test_why_shows_steps_both_ways(files: Path, tessera: Run) -> None:
    assert tessera("why", "old.yaml", "a", "b").stdout == """old.yaml: a and b
a holds next, a connection to b.own: call, send  # old.yaml:4:39
a can influence b, which is also what b learns from a:
  1. a calls b through "next"  # old.yaml:4:39
b can influence a, which is also what a learns from b:
  1. b answers a, which calls it through "next"  # old.yaml:4:39
"""


def test_why_not_names_whom_it_trusts(files: Path, tessera: Run) -> None:
    assert tessera("why-not", "new.yaml", "a", "c").stdout == """\
new.yaml: a cannot influence c, as long as store keeps clients apart
  a reaches: b, store
  c is reached by: store
"""
    assert tessera("why-not", "old.yaml", "c", "b").stdout == """old.yaml: c cannot influence b
  c reaches: store
  b is reached by: a
  it would take a connection between one of c, store and one of a, b
"""


def test_the_system_may_be_left_out(files: Path, tessera: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "manifests").mkdir()
    shutil.copy(files / "old.yaml", files / "manifests" / "test.yaml")
    monkeypatch.setenv("SYSTEM", "test")
    assert tessera("why", "a", "b").stdout.startswith("manifests/test.yaml: a and b\n")


def test_diff_says_what_is_more_and_what_is_less(files: Path, tessera: Run) -> None:
    assert tessera("diff", "old.yaml", "new.yaml").stdout == """capabilities
  + a: send store.store through store  # new.yaml:5:17
reach
  + a can influence store  # new.yaml:5:17
  + b can influence store, 2 steps  # old.yaml:4:39
      b answers a, which calls it through "next"  # old.yaml:4:39
      a sends to store through "store"  # new.yaml:5:17
policy
  - never: a -> c is demanded  # new.yaml:7:12
settings
  - a: priority 100 -> 50  # new.yaml:5:64
"""
    assert tessera("diff", "old.yaml", "old.yaml").stdout == "no difference in authority\n"


def test_diff_backwards_swaps_more_and_less(files: Path, tessera: Run) -> None:
    rows = [[(r["section"], r["more"]) for r in json.loads(tessera("diff", *pair, "--json").stdout)]
            for pair in (("old.yaml", "new.yaml"), ("new.yaml", "old.yaml"))]
    assert sorted(rows[0]) == sorted((section, not more) for section, more in rows[1])


def test_less_is_no_growth(files: Path, tessera: Run) -> None:
    (files / "less.yaml").write_text("tessera: 1\nsystem: test\nextends: [old.yaml]\n"
                                     "remove: [instances.a.connect.next]\ninstances: {}\n")
    assert tessera("diff", "old.yaml", "less.yaml", "--fail-on-growth").returncode == 0
    assert tessera("diff", "less.yaml", "old.yaml", "--fail-on-growth").returncode == 1


NO_TIME = ""
FIFTH = "budget: {time: 2ms, period: 10ms}"
LONGER = "budget: {time: 4ms, period: 20ms}"


@pytest.mark.parametrize(("old", "new", "row"), (
    (NO_TIME, FIFTH, "- c: budget none -> 2ms of 10ms"),
    (FIFTH, NO_TIME, "+ c: budget 2ms of 10ms -> none"),
    (FIFTH, LONGER, "+ c: budget 2ms of 10ms -> 4ms of 20ms"),
    (LONGER, "budget: {time: 3ms, period: 20ms}", "- c: budget 4ms of 20ms -> 3ms of 20ms"),
))
def test_diff_knows_what_time_an_instance_gets(files: Path, tessera: Run, old: str, new: str, row: str) -> None:
    for name, what in (("was", old), ("now", new)):
        (files / f"{name}.yaml").write_text(OLD.replace("apps/user, connect: {store: store}}",
                                                        f"apps/user, connect: {{store: store}}, {what}}}"))
    done = tessera("diff", "was.yaml", "now.yaml")
    difference = done.stdout.splitlines()
    assert difference[:1] == ["settings"], done.stderr
    assert difference[1].startswith(f"  {row}  # now.yaml:6:"), done.stderr
    assert len(difference) == 2


@pytest.mark.parametrize(("was", "now", "row"), (
    (0, 9000, (True, "c: deadline none -> 9ms")), (9000, 8000, (True, "c: deadline 9ms -> 8ms")),
    (8000, 9000, (False, "c: deadline 8ms -> 9ms")), (9000, 0, (False, "c: deadline 9ms -> none")),
))
def test_an_earlier_deadline_is_more(was: int, now: int, row: tuple[bool, str]) -> None:
    old, new = (SimpleNamespace(name="c", place=str, budget=None, deadline=deadline) for deadline in (was, now))
    assert [(r.more, r.text) for r in compare._time(old, new)] == [row]


def test_diff_with_the_components_of_another_tree(files: Path, tessera: Run, tmp_path: Path) -> None:
    shutil.copytree(files, tmp_path / "before")
    description = files / "components" / "apps" / "user" / "component.yaml"
    description.write_text(description.read_text() + "system: [device]\n")
    done = tessera("diff", str(tmp_path / "before" / "old.yaml"), "old.yaml", "--old-root", str(tmp_path / "before"))
    assert "+ c: system right device" in done.stdout and "+ c can influence a" in done.stdout


def test_graph_draws_every_instance_and_connection(files: Path, tessera: Run) -> None:
    text = tessera("graph", "old.yaml", "--format", "dot").stdout
    assert text.count("-> ") == 2 and '"c" -> "store" [id="edge-1" class="connection FAST" label="store"' in text
    picture = tessera("graph", "old.yaml").stdout
    text = html.unescape(picture)
    assert picture.startswith("<svg") and all(f'id="instance-{n}"' in text for n in ("a", "b", "c", "store"))
    assert tessera("graph", "old.yaml", "--out", "x.svg").stdout == "x.svg\n"
    assert (files / "x.svg").read_text() == picture


def test_show_says_where_each_value_comes_from(files: Path, tessera: Run) -> None:
    lines = tessera("show", "new.yaml", "instances.a").stdout.splitlines()
    assert [line.split(": ", 1)[0] for line in lines][:2] == ["instances.a.component", "instances.a.priority"]
    said = {line.split(":")[0]: line.split("  # ")[1] for line in lines}
    assert said["instances.a.component"] == "old.yaml:4:18" and said["instances.a.priority"] == "new.yaml:5:64"
    assert said["instances.a.connect.next"] == "old.yaml:4:45" and said["instances.a.memory"] == "factory"
    assert "# components/servers/log/component.yaml" in tessera("show", "full.yaml", "instances.log.heap").stdout
    assert tessera("show", "full.yaml", "config", "--bare").stdout == "test_defconfig\n"
    assert "overrides base.yaml:3:22" in tessera("show", "layered.yaml", "defaults.priority").stdout
    assert "error TSS-010" in tessera("show", "full.yaml", "instances.nobody").stderr
