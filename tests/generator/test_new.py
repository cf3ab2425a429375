# SPDX-License-Identifier: BSD-2-Clause
"""tessera new: what it writes is complete and accepted; what is there already is left alone."""
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_new_component_is_described_and_compiles_to_slots(tree: Path, tessera: Run) -> None:
    assert "next: generator/tessera new manifest hi --of servers/hi" in tessera("new", "component", "servers/hi").stdout
    assert "  servers/hi " in tessera("list").stdout
    assert tessera("stubs", "--out", "gen").returncode == 0
    assert "struct parameters {" in (tree / "gen" / "slots" / "servers" / "hi" / "slots.h").read_text()
    assert "config SERVERS_HI\n" in (tree / "components" / "servers" / "hi" / "Kconfig").read_text()


def test_it_goes_to_the_extra_tree_with_what_tests_need(tree: Path, tessera: Run) -> None:
    (tree / "mine").mkdir()
    (tree / "manifests").mkdir()
    (tree / "manifests" / "demo.yaml").write_text(
        "tessera: 1\nsystem: demo\ninstances:\n  log: {component: servers/log}\n")
    for kind, name in (("component", "apps/hi"), ("manifest", "hi"), ("scenario", "hi")):
        done = tessera("--extra", "mine", "new", kind, name)
        assert done.returncode == 0, done.stderr
    written = sorted(str(p.relative_to(tree / "mine")) for p in (tree / "mine").rglob("*") if p.is_file())
    assert written == ["components/apps/hi/Kconfig", "components/apps/hi/component.yaml", "components/apps/hi/hi.c",
                       "manifests/hi.yaml", "tests/conftest.py", "tests/test_hi.py"]
    assert tessera("--extra", "mine", "check", "hi").stdout.startswith("mine/manifests/hi.yaml: fine")


@pytest.mark.parametrize("words,code", [
    (("component", "apps/echo"), "TSS-056"), (("component", "echo"), "TSS-014"),
    (("component", "apps/../x"), "TSS-014"), (("component", "init"), "TSS-014"), (("manifest", "a/b"), "TSS-014"),
    (("manifest", "none"), "TSS-014"), (("manifest", "x", "--of", "apps/ech"), "TSS-020"),
    (("scenario", "nosuch"), "TSS-001")])
def test_what_cannot_be_is_refused(words: tuple[str, ...], code: str, tree: Path, tessera: Run) -> None:
    before = sorted(tree.rglob("*"))
    done = tessera("new", *words)
    assert done.returncode == 1 and f"error {code}: " in done.stderr and sorted(tree.rglob("*")) == before
