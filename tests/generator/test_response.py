# SPDX-License-Identifier: BSD-2-Clause
"""Response times: against a simulation of random systems, and what each part of the sum is there for."""
import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import REPOSITORY

from generator.response import FIGURES, Analysis, respond
from generator.share import Budget

Run = Callable[..., subprocess.CompletedProcess[str]]
FREE = dict.fromkeys(FIGURES, 0)  # of a kernel that takes no time, as the simulated one
END_US = 3000


def instance(name, priority, period=0, work=0, **more):
    """What the analysis looks at of an instance; its component serves."""
    component = SimpleNamespace(provides=[1], stacks=SimpleNamespace(threads=()))
    told = dict(name=name, component=component, priority=priority, cpu=0, devices=(), heartbeat=0, period=period,
                deadline=0, work=work, position=name, budget=None, place=lambda key: f"{name}.{key}")
    return SimpleNamespace(**told | more)


def link(client, server, calls=1, rights=("call",)):
    return SimpleNamespace(client=client, server=server, name=server, rights=rights, calls=calls, position="link")


def system(instances, links):
    return SimpleNamespace(instances=instances, links=links, supervisor=None, manifest=SimpleNamespace(speed=1000))


def random_system(chance):
    """A few tasks, a few servers that call only later ones."""
    servers = [instance(f"s{n}", chance.randint(1, 9), work=chance.randint(1, 12)) for n in range(3)]
    tasks = [instance(f"t{n}", chance.randint(1, 9), chance.randint(150, 600), chance.randint(1, 30)) for n in range(4)]
    pairs = [(f"s{n}", f"s{m}") for n in range(3) for m in range(n + 1, 3) if chance.random() < .5]
    pairs += [(t.name, f"s{n}") for t in tasks for n in range(3) if chance.random() < .6]
    links = [link(client, server, chance.randint(0, 2)) for client, server in pairs]
    return system([*servers, *tasks], links)


def steps(whole, name, chance):
    """What a job does, as a list: a number of microseconds, or (server, taken or given back)."""
    one = next(i for i in whole.instances if i.name == name)
    before = chance.randint(0, one.work)
    found = [before]
    for k in (k for k in whole.links if k.client == name):
        for _ in range(k.calls):
            found += [(k.server, True), *steps(whole, k.server, chance), (k.server, False)]
    return [*found, one.work - before]


class Simulation:
    """One CPU, fixed priorities, servers that do one request at a time in the order of arrival, lent priorities."""

    def __init__(self, whole, chance):
        self.whole, self.chance = whole, chance
        self.tasks = [i for i in whole.instances if i.period]
        self.next = {t.name: chance.randint(0, t.period) for t in self.tasks}
        self.jobs = {}  # name -> [released, steps left]
        self.lines = {i.name: [] for i in whole.instances}  # server -> who has it, and who waits
        self.worst = dict.fromkeys(self.next, 0)

    def blocked_by(self, name):
        """Who has the server that `name` wants, if it waits."""
        step = self.jobs[name][1][0]
        if isinstance(step, tuple) and step[1]:
            line = self.lines[step[0]]
            if name not in line:
                line.append(name)
            if line[0] != name:
                return line[0]
        return None

    def advance(self, name, now):
        """Takes and gives back servers until the job must compute, wait, or has ended."""
        job = self.jobs[name]
        while job[1] and not self.blocked_by(name):
            step = job[1][0]
            if isinstance(step, tuple):
                if not step[1]:
                    self.lines[step[0]].remove(name)
            elif step:
                return True
            job[1].pop(0)
        if not job[1]:
            self.worst[name] = max(self.worst[name], now - job[0])
            del self.jobs[name]
        return False

    def pick(self, now):
        """Who computes now: the most urgent, or whom it waits for."""
        order = sorted(self.tasks, key=lambda t: (-t.priority, self.chance.random()))
        for name in (t.name for t in order):
            while name in self.jobs:
                if self.advance(name, now):
                    return name
                if name not in self.jobs:
                    break
                name = self.blocked_by(name) or name
        return None

    def run(self):
        for now in range(END_US):
            for t in self.tasks:
                if self.next[t.name] <= now and t.name not in self.jobs:
                    self.jobs[t.name] = [self.next[t.name], steps(self.whole, t.name, self.chance)]
                    self.next[t.name] += t.period + self.chance.choice((0, 0, 0, 40))
            name = self.pick(now)
            if name is not None:
                self.jobs[name][1][0] -= 1
        return self.worst


def test_no_simulated_response_is_longer_than_the_bound():
    """Deadlines are the periods; where the analysis says that they are kept, no simulated run takes longer."""
    seen, tight = 0, 0
    for seed in range(150):
        chance = random.Random(seed)
        whole = random_system(chance)
        found, _ = respond(whole, FREE, 0)
        if not all(r.kept for r in found):
            continue
        worst = {}
        for _ in range(2):
            worst = {n: max(w, worst.get(n, 0)) for n, w in Simulation(whole, chance).run().items()}
        for r in found:
            assert worst[r.instance] * 1000 <= r.time, (seed, r)
            tight += worst[r.instance] * 2000 > r.time
            seen += 1
    assert seen > 150 and tight > seen / 3, (seen, tight)


def terms(whole, figures=FREE, tick=0):
    found, errors = respond(whole, figures, tick)
    assert errors == []
    return {r.instance: r.time for r in found}


def test_each_part_counts():
    loop = instance("loop", 5, 1000, 10)
    assert terms(system([loop], [])) == {"loop": 10_000}
    assert terms(system([loop], []), tick=16) == {"loop": 26_000}
    server, other = instance("server", 1, work=20), instance("other", 1)
    assert terms(system([loop, server], [link("loop", "server", 3)])) == {"loop": 70_000}
    both = [link("loop", "server"), link("other", "server")]
    assert terms(system([loop, server, other], both)) == {"loop": 50_000}, "another client's request before its own"
    assert terms(system([loop, server, other], [both[0], link("other", "server", 0)])) == {"loop": 30_000}
    urgent = instance("urgent", 6, 15, 4)
    assert terms(system([loop, urgent], []))["loop"] == 14_000
    assert terms(system([instance("loop", 5, 1000, 12), urgent], []))["loop"] == 20_000, "twice within 16"
    elsewhere = instance("urgent", 6, 15, 4, cpu=1)
    assert terms(system([loop, elsewhere], []))["loop"] == 10_000
    remote = instance("server", 6, work=20, cpu=1)
    urgent = instance("urgent", 7, 40, 4, cpu=1)
    assert terms(system([loop, remote, urgent], [link("loop", "server")]))["loop"] == 34_000


def test_the_kernel_takes_time_too():
    figures = dict(zip(FIGURES, (100, 20, 30, 400, 50)))
    loop, server = instance("loop", 5, 1000, 10), instance("server", 1, work=20)
    analysis = Analysis(system([loop, server], [link("loop", "server")]), figures, 0)
    assert analysis.response(loop).time == 10_000 + 400 + 30 + 20 + 20_000 + 100
    beating = instance("server", 6, work=20, heartbeat=1000)
    assert Analysis(system([loop, beating], []), figures, 0).response(loop).time == 10_450 + 50 + 2 * 20


def test_a_budget_bounds_who_runs_wild():
    loop, budget = instance("loop", 5, 1000, 10), Budget(4, 15, "budget")
    wild = instance("wild", 6, budget=budget)
    wild.component.provides = []
    assert terms(system([loop, wild], []))["loop"] == 22_000, "at the end of a period, in the next, and in one more"
    small = instance("loop", 5, 1000, 10, budget=Budget(9, 1000, "budget"))
    assert [e.code for e in respond(system([small], []), FREE, 0)[1]] == ["TSS-133"]
    server = instance("server", 1, work=20)
    fits, less = (instance("loop", 5, 1000, 10, budget=Budget(time, 1000, "budget")) for time in (30, 29))
    assert terms(system([fits, server], [link("loop", "server")]))["loop"] == 30_000
    assert [e.code for e in respond(system([less, server], [link("loop", "server")]), FREE, 0)[1]] == ["TSS-133"]


def test_a_deadline_is_kept_to_the_nanosecond():
    figures = dict.fromkeys(FIGURES, 0)
    for stretch, kept in ((90_000, True), (90_001, False)):  # and 10 us of its own, a tick of 64 us
        loop = instance("loop", 5, 1000, 10, deadline=164)
        (found,), _ = respond(system([loop], []), figures | {"revoke_latency_200": stretch}, 64)
        assert (found.time, found.kept) == (74_000 + stretch, kept)


def test_a_slower_machine_takes_longer_for_the_kernel():
    whole = system([instance("loop", 5, 1000, 10)], [])
    whole.manifest.speed = 1
    assert terms(whole, dict.fromkeys(FIGURES, 100))["loop"] == 10_000 + 300_000


def test_send_interrupt_and_program_are_no_servers_that_wait():
    loop = instance("loop", 5, 1000, 10)
    server = instance("server", 6, work=20)
    assert terms(system([loop, server, instance("low", 1)], [link("low", "server")]))["loop"] == 10_000
    sent = system([loop, server, instance("low", 1)], [link("low", "server", rights=("call", "send"))])
    irq = SimpleNamespace(device=SimpleNamespace(kind="irq"))
    program = instance("server", 6)
    program.component.provides = []
    for whole in (sent, system([loop, instance("server", 6, devices=(irq,))], []), system([loop, program], [])):
        assert [e.code for e in respond(whole, FREE, 0)[1]] == ["TSS-097"]


@pytest.fixture
def measured(tree: Path) -> Path:
    (tree / "tests" / "bench").mkdir(parents=True)
    (tree / "tests" / "bench" / "figures.json").write_bytes((REPOSITORY / "tests/bench/figures.json").read_bytes())
    return tree


def test_the_command_shows_the_sum(measured: Path, tessera: Run) -> None:
    text = ("tessera: 1\nsystem: timed\nmachine: {speed: 1000}\ninstances:\n"
            "  hello: {component: apps/hello, period: 10ms, deadline: 1ms, work: 20us}\n")
    (measured / "timed.yaml").write_text(text)
    (row,) = json.loads(tessera("response", "timed.yaml", "--json").stdout)
    assert row["kept"] and row["time_ns"] == sum(term["time_ns"] for term in row["terms"]) > 20_000 + 64_000
    assert tessera("response", "timed.yaml").stdout.startswith("hello: at most ")
    (measured / "timed.yaml").write_text(text.replace("deadline: 1ms", "deadline: 30us"))
    assert tessera("response", "timed.yaml").stdout.startswith("hello: ")
    assert "error TSS-096" in tessera("check", "timed.yaml").stderr
