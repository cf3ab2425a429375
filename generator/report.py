# SPDX-License-Identifier: BSD-2-Clause
"""report: a system as one HTML page that needs nothing else: picture, capabilities with reasons, memory, prices."""
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator import budget, graph
from generator.abi import Abi
from generator.authority import Reasons, planned
from generator.build import Checked
from generator.check import Resolved, System
from generator.elf import PAGE
from generator.fields import size_text, time_text
from generator.layout import MOVED, moving
from generator.parameters import Value
from generator.reach import Graph
from generator.response import us_text
from generator.stack import plain
from generator.stack_check import threads

ELSEWHERE = ", at each start higher by a multiple of 1 GiB"
TEMPLATES = Path(__file__).parent / "templates"


def _restart(instance: Resolved) -> str:
    r = instance.restart
    if r.policy == "never" or r.backoff is None or r.limit is None:
        return str(r.policy)
    dependants = ", ".join(d.name for d in r.dependants or ())
    return (f"{r.policy}, after {time_text(r.backoff[0])} to {time_text(r.backoff[1])}, at most {r.limit[0]} in "
            f"{time_text(r.limit[1])}, then {r.then}" + (f"; restarts {dependants}" if dependants else ""))


def _settings(instance: Resolved) -> dict[str, str]:
    values: dict[str, Value] = {"priority": instance.priority, "slice": time_text(instance.slice),
                                "slots": instance.slots, "restart": _restart(instance)}
    if instance.heartbeat:
        values["heartbeat"] = time_text(instance.heartbeat)
    for name in ("period", "work", "deadline"):
        if getattr(instance, name):
            values[name] = time_text(getattr(instance, name))
    if instance.budget:
        values["budget"] = f"{instance.budget}, held to it by the kernel"
    if instance.under:
        values["scheduler"] = f"{instance.under.name}, which sets priority, slice and budget"
    for parameter, value in zip(instance.component.parameters, instance.parameters):
        values[f"parameter {parameter.name}"] = value
    return {name: str(value) for name, value in values.items()}


def _stacks(instance: Resolved, checked: Checked) -> list[dict[str, Any]]:
    """Worst stack of each thread, with the way down."""
    return [{"thread": t.entry or "the first", "needs": t.bound.bytes, "has": t.size, "circles": list(t.bound.circles),
             "chain": [{"function": plain(s.function.name), "depth": s.depth, "place": s.function.place}
                       for s in t.bound.chain]}
            for t in threads(checked.system, checked.stacks) if t.instance == instance.name] if checked.system else []


def _instance(instance: Resolved, system: System, reasons: Reasons, checked: Checked) -> dict[str, Any]:
    image = checked.images.get(instance.component.name)
    moves = instance.name in moving(system)
    kinds = budget.by_kind(instance, system, checked.images, checked.files)
    held = reasons.capabilities(instance.name)
    rows = [{"slot": c.slot, "type": c.type, "rights": " ".join(c.rights).lower(), "what": c.what, "why": c.why,
             "place": str(c.position)} for c in held]
    mapped = sorted((c for c in held if c.address), key=lambda c: c.address)
    return {"name": instance.name, "component": instance.component.name, "place": str(instance.position),
            "description": instance.component.description, "settings": _settings(instance), "capabilities": rows,
            "trusted": instance.component.keeps_apart is not None,
            "stacks": _stacks(instance, checked),
            "calls": reasons.calls(instance.name) if image else None,
            "map": [{"address": f"{c.address:#014x}", "size": size_text(c.pages * PAGE), "what":
                     c.what + ELSEWHERE * (moves and c.address < MOVED), "rights": " ".join(c.rights).lower()}
                    for c in mapped],
            "memory": {"budget": instance.memory, "needed": sum(kinds.values()) * PAGE,
                       "kinds": {kind: count * PAGE for kind, count in kinds.items()},
                       "image": {s.kind: s.memory_size for s in image.segments} if image else None}}


def _connections(system: System) -> list[dict[str, Any]]:
    return [{"client": k.client, "name": k.name, "server": k.server, "provided": k.provided, "interface": k.interface,
             "rights": " ".join(k.rights), "may": " ".join(k.may), "mode": k.guard.mode,
             "methods": " ".join(k.guard.names), "place": str(k.position)}
            for k in system.links]


def _paths(flows: Graph) -> dict[str, Any]:
    """Who reaches whom: for each source and target the steps, as indexes into a list of all steps."""
    numbers: dict[tuple[str, str], int] = {}
    paths: dict[str, dict[str, list[int]]] = {}
    for source in sorted(flows.names):
        found = flows.search(source, None, flows.apart)
        paths[source] = {target: [numbers.setdefault((str(f), str(f.position)), len(numbers)) for f in found[target]]
                         for target in sorted(found.keys() - {source})}
    return {"steps": [{"text": text, "place": place} for text, place in numbers], "paths": paths}


def _price_list(prices: dict[str, Any]) -> list[dict[str, Any]]:
    """What a round trip costs in each mode, by the size of the message; None: not measured."""
    return [{"mode": mode, **{size: prices.get(f"ipc_rt_{size}_cross{suffix}", {}).get("median")
                              for size in ("register", "64", "256")}}
            for mode, suffix in (("FAST", ""), ("HARDENED", "_hardened"), ("PARANOID", "_paranoid"))]


def facts(checked: Checked, abi: Abi, prices: dict[str, Any]) -> dict[str, Any]:
    """Everything that the page shows."""
    system, flows = checked.system, checked.graph
    assert system is not None and flows is not None
    reasons = Reasons(system, planned(system, checked.images, abi, checked.files), abi)
    return {"system": system.name, "description": system.description, "machine": system.memory,
            "instances": [_instance(i, system, reasons, checked) for i in system.instances],
            "connections": _connections(system), "reach": _paths(flows),
            "responses": [{"instance": r.instance, "deadline": time_text(r.deadline), "time": us_text(r.time),
                           "terms": [{"text": t.text, "time": us_text(t.time), "place": str(t.position)}
                                     for t in r.terms]} for r in checked.responses],
            "policy": [{"rule": str(v.rule), "trusted": list(v.trusted), "place": str(v.rule.position)}
                       for v in checked.verdicts],
            "prices": [{"name": name, "median": row["median"], "max": row["max"], "unit": row["unit"]}
                       for name, row in sorted(prices.items())],
            "price_list": _price_list(prices), "colours": graph.COLOURS}


def page(checked: Checked, abi: Abi, prices: dict[str, Any]) -> str:
    """The HTML; `prices` are the rows of bench.json, or empty."""
    assert checked.system is not None
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              keep_trailing_newline=True)
    data = json.dumps(facts(checked, abi, prices), sort_keys=True).replace("<", "\\u003c")
    return environment.get_template("report.html.j2").render(
        system=checked.system, picture=graph.svg(graph.dot(checked.system)), data=data,
        style=(TEMPLATES / "report.css").read_text(), script=(TEMPLATES / "report.js").read_text())
