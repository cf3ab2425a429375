# SPDX-License-Identifier: BSD-2-Clause
"""Manners of the command line: examples that parse, exit statuses, completion, colour; Kconfig's blame."""
import argparse
import os
import pty
import shlex
import subprocess
from pathlib import Path

import kconfiglib
import pytest

from conftest import REPOSITORY

from generator import cli, kconfig, terminal

TESSERA = str(REPOSITORY / "generator" / "tessera")


def commands() -> dict[str, argparse.ArgumentParser]:
    return terminal._commands(cli._parser())


def test_every_command_has_examples_that_parse() -> None:
    for name in commands():
        for example in terminal.EXAMPLES[name]:
            words = shlex.split(example.partition("<(")[2].rstrip(")") or example)
            assert words[0] == "tessera"
            if words[1] in commands():
                cli._parser().parse_args(cli.rewritten(words[1:words.index("--") if "--" in words else None]))


def test_help_shows_examples_and_exit_statuses() -> None:
    text = subprocess.run([TESSERA, "--help"], capture_output=True, text=True, check=True).stdout
    assert "examples:\n  tessera check demo\n" in text and "exit status:\n  0  all is well\n  1  refused" in text
    text = subprocess.run([TESSERA, "build", "--help"], capture_output=True, text=True, check=True).stdout
    assert text.endswith("examples:\n  tessera build demo\n  tessera build demo --dump --out build/dumping\n")


@pytest.mark.parametrize("words, status", [(["check", "demo"], 0), (["check", "no_such"], 1), (["check"], 2),
                                           (["explain", "TSS-999"], 1), (["frobnicate"], 2)])
def test_exit_statuses_are_the_documented_ones(words: list[str], status: int, tmp_path: Path) -> None:
    more = ["--build-dir", str(tmp_path)] if words[0] == "check" and len(words) > 1 else []
    assert subprocess.run([TESSERA, *words, *more], capture_output=True).returncode == status


SHELLS = {
    "bash": ["bash", "-c", 'source <("$0" completion bash); COMP_WORDS=("$0" $1); COMP_CWORD=$2; _tessera; '
             'echo "${COMPREPLY[@]}"'],
    "zsh": ["zsh", "-fc", 'compdef() { : }; compadd() { shift; print -- "$@" }; source <("$0" completion zsh); '
            'words=("$0" ${=1}); CURRENT=$(($2 + 1)); _tessera'],
}


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_completion_offers_commands_systems_and_options(shell: str) -> None:
    def offered(words: str, at: int) -> list[str]:
        done = subprocess.run([*SHELLS[shell], TESSERA, words, str(at)], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert {"check", "build"} <= set(offered("", 1)) and "why-config" not in offered("", 1)
    assert {"demo", "vault", "--json"} <= set(offered("check", 2)) | set(offered("check --", 2))
    assert {"disk", "qcow2"} <= set(offered("image demo", 3))


def test_colour_is_for_terminals_alone() -> None:
    def on_a_terminal(**variables: str) -> bytes:
        master, slave = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        subprocess.run([TESSERA, "check", "no_such"], stderr=slave, env={**environment, **variables})
        os.close(slave)
        text = os.read(master, 65536)
        os.close(master)
        return text

    assert b"\033[31merror TSS-001:\033[0m" in on_a_terminal()
    assert b"\033" not in on_a_terminal(NO_COLOR="1")
    assert b"\033" not in subprocess.run([TESSERA, "check", "no_such"], capture_output=True).stderr


KCONFIG = """
config NET
\tbool "network" if !SEALED
config SEALED
\tbool "sealed"
config DRIVER
\tbool "driver"
\tdepends on NET
config WEB
\tbool "web"
\tdepends on DRIVER && (LARGE || FAST)
config LARGE
\tbool "large"
\tdepends on !TINY
config TINY
\tbool "tiny"
\tdefault y
config FAST
\tbool "fast"
config USER
\tbool "user"
\tselect FAST
config HIDDEN
\tbool
\tdefault y if USER
config NEEDS_HIDDEN
\tbool "needs"
\tdepends on HIDDEN
config SLOW
\tbool "slow"
\tdepends on !FAST
config BOTH
\tbool "both"
\tdepends on FAST && SLOW
config DEPTH
\tint "depth"
\tdepends on NET
"""


@pytest.fixture
def kconf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> kconfiglib.Kconfig:
    (tmp_path / "Kconfig").write_text(KCONFIG.lstrip())
    monkeypatch.setenv("srctree", str(tmp_path))
    return kconfig.parse(tmp_path)


def mended(kconf: kconfiglib.Kconfig, name: str) -> list[str] | None:
    found = kconfig.causes(kconf.syms[name].direct_dep)
    return None if found is None else [f"{cause.name}={cause.wanted}" for cause in found]


def test_a_smallest_set_of_settings_is_found(kconf: kconfiglib.Kconfig) -> None:
    assert mended(kconf, "WEB") == ["NET=y", "DRIVER=y", "FAST=y"], "FAST alone, not LARGE without TINY"
    assert mended(kconf, "LARGE") == ["TINY=n"]
    assert mended(kconf, "NEEDS_HIDDEN") == ["USER=y"], "through what has no prompt"
    for name in ("NET", "DRIVER", "FAST"):
        kconf.syms[name].set_value("y")
    assert mended(kconf, "WEB") == []


def test_blame_names_the_dependency_and_the_selector(kconf: kconfiglib.Kconfig) -> None:
    warnings = kconfig.merge(kconf, [("f", "CONFIG_USER=y\n# CONFIG_FAST is not set\nCONFIG_WEB=y\nCONFIG_HIDDEN=n\n")])
    assert warnings == [
        "f:2: CONFIG_FAST=n was asked for, but it is y: it is selected by USER [=y]",
        "f:3: CONFIG_WEB=y was asked for, but it is n: it depends on DRIVER [=n], which is not so (Kconfig:8); "
        "set CONFIG_NET=y, CONFIG_DRIVER=y",
        "f:4: CONFIG_HIDDEN=n was asked for, but it is y: it has no prompt, so it follows from others (Kconfig:22)"]


def test_settings_are_proposed_only_if_they_help(kconf: kconfiglib.Kconfig) -> None:
    before = [symbol.str_value for symbol in kconf.unique_defined_syms]
    assert kconfig.others(kconf.syms["BOTH"]) == "", "what it needs excludes one another"
    assert kconfig.others(kconf.syms["DEPTH"]) == "CONFIG_NET=y", "a number can be set then"
    assert kconfig.others(kconf.syms["NET"]) == "", "it can be set"
    assert [symbol.str_value for symbol in kconf.unique_defined_syms] == before
    assert kconfig.merge(kconf, [("f", "CONFIG_BOTH=y\n")]) == [
        "f:1: CONFIG_BOTH=y was asked for, but it is n: it depends on FAST [=n] and SLOW [=n], which is not so "
        "(Kconfig:31)"]


def test_random_options_follow_the_seed(kconf: kconfiglib.Kconfig) -> None:
    seen = set()
    for seed in range(20):
        texts = set()
        for _ in range(2):
            kconf.unset_values()
            kconfig.randomize(kconf, seed)
            texts.add(tuple(symbol.str_value for symbol in kconf.unique_defined_syms))
        assert len(texts) == 1
        seen |= texts
    assert len(seen) > 10
