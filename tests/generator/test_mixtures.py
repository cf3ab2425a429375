# SPDX-License-Identifier: BSD-2-Clause
"""Systems mixed of what the shipped ones say: most of one, with settings, connections and instances of others.

A mutation of one token (test_mutations.py) is seldom a system; these often are, with combinations that nobody wrote. A
mixture is a coded error with a place and a suggestion, or a bundle that verify agrees with, about which each command
has something to say. TESSERA_MUTATIONS=all, as in `make mutate-manifests`: 20,000 of them.
"""
import json
import os
import random
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from test_mutations import MANIFESTS, abi, inputs, outcome  # noqa: F401 (two are fixtures)

from generator import compare, graph, hardening, report, show, size
from generator.abi import Abi
from generator.build import Checked, check_system
from generator.inputs import Inputs, Source
from generator.verify_compose import yaml

PARTS, SAMPLE, ALL = 8, 100, 2500
Tree = dict[str, Any]
MORE: dict[str, dict[str, list[Any]]] = {  # what the shipped manifests say seldom
    "instance": {"mode": ["FAST", "HARDENED", "PARANOID"], "heartbeat": ["500ms", "2s"], "exceptions": [False],
                 "restart": ["never", "on_failure", {"policy": "always", "then": "degrade"}], "cpu": [0, 1],
                 "deny": [["self_clock"], ["unit_create", "self_sleep"]], "importance": [1, 9], "paged": ["1M"],
                 "priority": [1, 100, 254], "slots": [64, 300], "heap": ["64K"], "stack": ["8K", "64K"],
                 "memory": ["512K", "1M", "4M"], "budget": [{"time": "2ms", "period": "10ms"}], "period": ["10ms"]},
    "connection": {"mode": ["FAST", "HARDENED", "PARANOID"], "memory": [True, False], "burst": [1, 7],
                   "rate": ["3 in 1s", "100 in 10ms"], "calls": [0, 5], "methods": [["write"]], "may": [["kill"]],
                   "rights": [["call"], ["send"], ["call", "grant"]]}}


class Mixer:
    """Draws from what all manifests say."""

    def __init__(self, seed: object) -> None:
        self.chance = random.Random(str(seed))
        self.trees: dict[Path, Tree] = {path: yaml(path.read_bytes()) for path in MANIFESTS}
        self.pools: dict[str, dict[str, list[Any]]] = {"instance": {}, "connection": {}, "defaults": {}, "machine": {}}
        self.policy = [rule for tree in self.trees.values() for rule in tree.get("policy") or []]
        self.instances = [row for tree in self.trees.values() for row in (tree.get("instances") or {}).items()]
        for tree in self.trees.values():
            self.fill("defaults", tree.get("defaults") or {})
            self.fill("machine", tree.get("machine") or {})
        for _, row in self.instances:
            self.fill("instance", {key: value for key, value in row.items() if key not in ("component", "connect")})
            for said in (row.get("connect") or {}).values():
                self.fill("connection", said if isinstance(said, dict) else {})
        for kind, more in MORE.items():
            for key, values in more.items():
                self.pools[kind].setdefault(key, []).extend(values)

    def fill(self, kind: str, row: Tree) -> None:
        for key, value in row.items():
            self.pools[kind].setdefault(key, []).append(value)

    def set(self, kind: str, row: Tree) -> None:
        key = self.chance.choice(sorted(self.pools[kind]))
        row[key] = deepcopy(self.chance.choice(self.pools[kind][key]))

    def setting(self, tree: Tree, name: str) -> None:
        self.set("instance", tree["instances"][name])

    def connection(self, tree: Tree, name: str) -> None:
        links = tree["instances"][name].get("connect") or {"log": "log"}
        which, others = self.chance.choice(sorted(links)), [*tree["instances"], "none"]
        said = links[which] if isinstance(links[which], dict) else {"to": links[which]}
        self.set("connection", said)
        if self.chance.random() < 0.3:
            said["to"] = self.chance.choice(others)
        links[which] = said if self.chance.random() < 0.8 else self.chance.choice(others)
        tree["instances"][name]["connect"] = links

    def instance(self, tree: Tree, name: str) -> None:
        new, row = self.chance.choice([(f"{name[:12]}_2", tree["instances"][name]), *self.instances[:20],
                                       self.chance.choice(self.instances)])
        tree["instances"][new] = deepcopy(row)

    def without(self, tree: Tree, name: str) -> None:
        row = tree["instances"] if self.chance.random() < 0.3 else tree["instances"][name] or tree["instances"]
        del row[self.chance.choice(sorted(row))]

    def whole(self, tree: Tree, _: str) -> None:
        kind = self.chance.choice(("defaults", "machine"))
        self.set(kind, tree.setdefault(kind, {}))
        if self.chance.random() < 0.5:
            tree.setdefault("policy", []).append(deepcopy(self.chance.choice(self.policy)))

    def mixture(self) -> tuple[Path, str]:
        """A manifest's path, and what it says now. JSON is YAML."""
        path = self.chance.choice(MANIFESTS)
        tree = deepcopy(self.trees[path])
        for _ in range(self.chance.randint(1, 3)):
            names = sorted(tree.get("instances") or {})
            if names:
                change = self.chance.choices((self.setting, self.connection, self.instance, self.without, self.whole),
                                             (7, 7, 3, 1, 2))[0]
                change(tree, self.chance.choice(names))
        return path, json.dumps(tree, indent=1)


def told(checked: Checked, before: Checked, abi: Abi) -> None:  # noqa: F811
    """What the commands say of a system; the difference to another is the same the other way round."""
    assert checked.system and checked.graph and before.system and before.graph and checked.composed
    assert report.facts(checked, abi, {})["system"] == checked.system.name
    assert graph.dot(checked.system).startswith("digraph")
    assert show.values(checked.composed, checked.system, {}, abi)
    assert size.text(size.facts(checked.system, {}, checked.files, {}), True)
    list(hardening.manifest(checked.system, {}))
    graphs = checked.graph, before.graph
    there = compare.compare(checked.system, before.system, graphs)
    back = compare.compare(before.system, checked.system, (graphs[1], graphs[0]))
    assert len(there) == len(back) and compare.text(there) and compare.to_json(back) is not None
    assert compare.compare(checked.system, checked.system, (graphs[0], graphs[0])) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_mixtures(part: int, inputs: Inputs, elf: bytes, abi: Abi, tmp_path: Path) -> None:  # noqa: F811
    mixer, seen, wrong = Mixer(part), Counter[str](), []
    originals: dict[Path, Checked] = {}
    for number in range(ALL if os.environ.get("TESSERA_MUTATIONS") == "all" else SAMPLE):
        path, text = mixer.mixture()
        try:
            result = outcome(inputs, path, text, elf, tmp_path, abi)
            seen[result] += 1
            if result == "valid":
                checked, original = (check_system(inputs, Source(f"manifests/{path.name}", data, path), tmp_path, None,
                                                  False) for data in (text.encode(), path.read_bytes()))
                told(checked, originals.setdefault(path, original), abi)
        except Exception as error:
            wrong.append(f"number {number} of {part}: {type(error).__name__}: {str(error)[:300]}\n{text}")
    print(f"part {part}: {dict(seen.most_common())}")
    assert wrong == [], f"{len(wrong)} of {seen.total() + len(wrong)}"
    assert seen["valid"] > seen.total() // 10
