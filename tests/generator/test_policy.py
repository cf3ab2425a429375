# SPDX-License-Identifier: BSD-2-Clause
"""Who can influence whom: the search against a slow second opinion on random systems, and what verdicts rest on."""
import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import make_tree

from generator.build import check_system
from generator.check import Link, System
from generator.diagnostics import Position
from generator.inputs import read_inputs, read_source
from generator.reach import Graph

Run = Callable[..., subprocess.CompletedProcess[str]]
NAMES = ("a", "b", "c", "d", "e", "f")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, elf: bytes) -> System:
    """A system of one user, from which others are made."""
    root = make_tree(tmp_path_factory.mktemp("policy") / "root", elf)
    (root / "m.yaml").write_text("tessera: 1\nsystem: m\ninstances: {a: {component: apps/user}}\n")
    system = check_system(read_inputs(root), read_source(root / "m.yaml", root), root / "build", None, False).system
    assert system is not None
    return system


def system_of(template: System, links: list[Link], apart: set[str]) -> System:
    user = template.instances[0]
    claims = replace(user.component, keeps_apart=Position("x"))
    rows = tuple(replace(user, name=n, component=claims if n in apart else user.component) for n in NAMES)
    return replace(template, instances=rows, links=tuple(links))


def random_system(template: System, chance: random.Random) -> System:
    links = {}
    for number in range(chance.randint(2, 8)):
        client, server = chance.sample(NAMES, 2)
        rights = chance.choice([("call",), ("send",), ("call", "send"), ("call", "grant"), ("send", "grant")])
        links[client, server] = Link(client, f"n{number}", server, "own", "echo", rights)
    return system_of(template, list(links.values()), set(chance.sample(NAMES, chance.randint(0, 3))))


def held(system: System) -> set[tuple[str, Link]]:
    """Who can come to hold which connection, by trying all pairs until nothing changes."""
    found = {(link.client, link) for link in system.links}
    while True:
        joined = {(c, k.server) for c, k in found if {"call", "send"} & set(k.rights) and c != k.server}
        joined |= {(k.server, c) for c, k in found if "call" in k.rights and c != k.server}
        new = {(to, k) for holder, k in found if "grant" in k.rights for of, to in joined if of == holder}
        if new <= found:
            return found
        found |= new


def slow_reach(system: System, source: str) -> set[str]:
    """Every path one by one. A path is a list of (instance, came in by a request)."""
    apart = {i.name for i in system.instances if i.component.keeps_apart is not None}
    holders = held(system)
    seen: set[tuple[str, bool, frozenset[str]]] = set()
    ahead = [(source, False, frozenset[str]())]
    while ahead:
        place = ahead.pop()
        if place in seen:
            continue
        seen.add(place)
        here, asked, through = place
        for client, link in holders:
            if client == here != link.server and {"call", "send"} & set(link.rights):
                keeps = link.server in apart
                ahead.append((link.server, keeps, through | {link.server} if keeps else through))
            answers = "call" in link.rights and link.server == here != client
            if answers and not (asked and here in apart) and client not in through:
                ahead.append((client, False, through))
    return {name for name, _, _ in seen} - {source}


def test_the_search_finds_what_trying_everything_finds(template: System) -> None:
    chance = random.Random(7)
    pairs = 0
    for _ in range(400):
        system = random_system(template, chance)
        graph = Graph(system)
        assert {(u.client, u.link) for u in graph.uses.values()} == held(system)
        for name in NAMES:
            assert graph.reached(name) == slow_reach(system, name)
            pairs += len(graph.reached(name))
    assert pairs > 1000


def test_a_verdict_names_just_those_it_rests_on(template: System) -> None:
    chance = random.Random(8)
    named = 0
    for _ in range(500):
        graph = Graph(random_system(template, chance))
        for source in NAMES:
            for target in NAMES:
                path, trusted = graph.verdict(source, target) if source != target else ((), ())
                if path or source == target:
                    assert not path or (path[0].source, path[-1].target) == (source, target)
                    continue
                assert not graph.path(source, target, frozenset(trusted))
                assert all(graph.path(source, target, frozenset(trusted) - {name}) for name in trusted)
                named += len(trusted)
    assert named > 80


def test_a_path_is_a_chain_of_its_steps(template: System) -> None:
    chance = random.Random(9)
    for _ in range(100):
        graph = Graph(random_system(template, chance))
        for source in NAMES:
            for target, path in graph.search(source, None, graph.apart).items():
                ends = [source, *(flow.target for flow in path)]
                assert [flow.source for flow in path] == ends[:-1] and ends[-1] == target


def test_much_remembered_only_finds_more(template: System, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(10)
    graphs = [Graph(random_system(template, chance)) for _ in range(1500)]
    before = [[g.reached(n) for n in NAMES] for g in graphs]
    monkeypatch.setattr("generator.reach.LABELS_MAX", 0)
    after = [[g.reached(n) for n in NAMES] for g in graphs]
    assert all(b <= a for one, two in zip(before, after) for b, a in zip(one, two)) and before != after


def test_what_holds_is_said_with_whom_it_trusts(tree: Path, tessera: Run) -> None:
    (tree / "m.yaml").write_text(
        "tessera: 1\nsystem: m\ninstances:\n  store: {component: servers/store}\n"
        "  a: {component: apps/user, connect: {store: store}}\n  b: {component: apps/user, connect: {store: store}}\n"
        "  c: {component: apps/user}\n"
        "policy:\n  - isolated: [a, b]\n  - never: a -> c\n  - only: {who: [a, b], may_use: store}\n"
        "  - no_cycles: call\n")
    assert tessera("check", "m.yaml").stdout.splitlines()[1:] == [
        "  holds: isolated: [a, b], trusting store to keep clients apart", "  holds: never: a -> c",
        "  holds: only: {who: [a, b], may_use: store}", "  holds: no_cycles: call"]
