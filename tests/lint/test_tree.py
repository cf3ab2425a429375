# SPDX-License-Identifier: BSD-2-Clause
"""The tree's own rules: licence lines, READMEs, options that do something, calls that are tried, links that work."""
from __future__ import annotations

import os
import re
import subprocess

import kconfiglib
import pytest

from lint.tree import TOP, files, text

SPDX = "SPDX-License-Identifier: BSD-2-Clause"
SOURCES = (".c", ".h", ".S", ".def", ".py", ".ld", ".mk", ".sh", "Makefile", "Kconfig", "generator/tessera")
LAYOUT = {"Kconfig", "configs", "kernel", "components", "manifests", "generator", "images", "tests", "Makefile",
          "README.md", "CHANGELOG.md", "LICENSE"}
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]+)[^)]*\)")
CALL = re.compile(r"^SYSCALL\(\w+, (\w+), \w+, (\w+),", re.M)


def kconfig() -> kconfiglib.Kconfig:
    """The parsed options; a warning of the parser is an error."""
    os.chdir(TOP)
    parsed = kconfiglib.Kconfig("Kconfig", warn_to_stderr=False)
    assert not parsed.warnings
    return parsed


def test_licence_lines() -> None:
    assert not [name for name in files(*SOURCES) if SPDX not in "\n".join(text(name).split("\n")[:3])]


def test_top_level() -> None:
    assert not {name.split("/")[0] for name in files("") if not name.startswith(".")} - LAYOUT


def test_each_folder_with_sources_has_a_readme() -> None:
    folders = {name.rsplit("/", 1)[0] for name in files(".c", ".py", ".S", ".yaml") if "/" in name}
    # A component says what it is in component.yaml; folders of cases and headers belong to the README above them.
    wanted = {folder for folder in folders if f"{folder}/component.yaml" not in files("component.yaml")}
    lacking = []
    for folder in sorted(wanted):
        parents = [folder, folder.rsplit("/", 1)[0]] if folder.count("/") >= 1 else [folder]
        if not any((TOP / parent / "README.md").exists() for parent in parents):
            lacking.append(folder)
    assert not lacking


def test_readmes_are_short() -> None:
    names = [name for name in files("README.md") if "/" in name and name != "kernel/README.md"]
    assert not [name for name in names if text(name).count("\n") > 40]


def test_each_option_has_help() -> None:
    lacking = [symbol.name for symbol in kconfig().unique_defined_syms
               if not any((node.help or "").strip() for node in symbol.nodes)]
    assert not lacking


def test_each_option_has_an_effect() -> None:
    sources = "\n".join(text(name) for name in files(".c", ".h", ".S", ".py", ".mk", "Makefile", "component.yaml"))
    options = {symbol for symbol in kconfig().unique_defined_syms}
    unused = []
    for symbol in options:
        in_code = re.search(rf"\bCONFIG_{symbol.name}\b", sources)
        decides = any(symbol in kconfiglib.expr_items(other.nodes[0].dep) or
                      any(symbol in kconfiglib.expr_items(condition) for _, condition in other.defaults)
                      for other in options - {symbol})
        if not in_code and not decides:
            unused.append(symbol.name)
    assert not sorted(unused)


@pytest.mark.parametrize("name", files("_defconfig"))
def test_defconfigs_are_minimal(name: str, tmp_path: object) -> None:
    parsed = kconfig()
    parsed.load_config(name)
    assert not parsed.warnings
    target = f"{tmp_path}/defconfig"
    parsed.write_min_config(target, header="")
    with open(target, encoding="utf-8") as made:
        assert made.read() == text(name)


def test_each_component_has_its_switch() -> None:
    symbols = {f"CONFIG_{symbol.name}" for symbol in kconfig().unique_defined_syms}
    for name in files("component.yaml", under="components/"):
        found = re.search(r"^config: *(\w+)", text(name), re.M)
        assert found is None and name == "components/init/component.yaml" or found and found[1] in symbols, name


def test_each_system_call_is_tried() -> None:
    tests = "\n".join(text(name) for name in
                      files(".py", ".c", ".yaml", under="tests/") + files(".c", under="components/apps/ktest/")
                      if "/lint/" not in name)
    tried = [f"{o}_{v}" for o, v in CALL.findall(text("kernel/include/abi/syscalls.def"))]
    assert tried
    assert not [call for call in tried if not re.search(rf"\b(tss_|sys_)?{call}\b", tests)]


def test_links_in_documents() -> None:
    broken = []
    for name in files(".md"):
        for target in LINK.findall(text(name)):
            here = (TOP / name).parent / target
            if "://" not in target and not target.startswith("mailto:") and not here.exists():
                broken.append(f"{name}: {target}")
    assert not broken


def test_make_targets_in_documents() -> None:
    known = subprocess.run(["make", "-qp", "help"], cwd=TOP, capture_output=True, text=True).stdout
    targets = set(re.findall(r"^([\w%][\w%-]*):", known, re.M))
    unknown = []
    for name in files(".md"):
        for words in re.findall(r"(?:^|`)\s*make ([a-z_][\w -]*)", text(name), re.M):
            target = words.split()[0]
            if target not in targets and not target.endswith("_defconfig"):
                unknown.append(f"{name}: make {target}")
    assert not unknown
