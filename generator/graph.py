# SPDX-License-Identifier: BSD-2-Clause
"""graph: a system as a picture, by graphviz. Arrows go from client to server, coloured by mode."""
import subprocess

from generator.check import System
from generator.diagnostics import Diagnostic, Position, Refused

COLOURS = {"FAST": "#2b6cb0", "HARDENED": "#b7791f", "PARANOID": "#c53030"}
FILLS = {"drivers": "#fde8d7", "servers": "#dcebfb", "apps": "#e3f4e1"}
SUPERVISION = "#a0aec0"


def _node(name: str, component: str) -> str:
    group = component.split("/")[0]
    return (f'  "{name}" [id="instance-{name}" class="instance {group}" label="{name}\\n{component}" '
            f'fillcolor="{FILLS.get(group, "#ffffff")}"]')


def _edge(client: str, server: str, label: str, look: str, kind: str, number: int) -> str:
    return f'  "{client}" -> "{server}" [id="edge-{number}" class="{kind}" label="{label}" {look}]'


def dot(system: System) -> str:
    """The picture as DOT."""
    lines = [f'digraph "{system.name}" {{', "  rankdir=LR; nodesep=0.25; ranksep=0.9;",
             '  node [shape=box style="filled,rounded" fontname="sans-serif" fontsize=11 color="#4a5568"]',
             '  edge [fontname="sans-serif" fontsize=9]']
    lines += [_node(i.name, i.component.name) for i in system.instances]
    number = 0
    for link in system.links:
        style = "solid" if "call" in link.rights else "dashed"
        colour = COLOURS[link.guard.mode]
        look = f'color="{colour}" fontcolor="{colour}" style={style}'
        label = link.name + (f" ({', '.join(link.may)})" if link.may else "") + (
            " +grant" if "grant" in link.rights else "")
        lines.append(_edge(link.client, link.server, label, look, f"connection {link.guard.mode}", number))
        number += 1
    guard = system.supervisor
    for other in system.instances if guard is not None else ():
        if guard is not None and other is not guard:
            look = f'color="{SUPERVISION}" style=dotted constraint=false arrowhead=empty'
            lines.append(_edge(guard.name, other.name, "", look, "supervision", number))
            number += 1
    for instance in system.instances:
        for assigned in instance.devices:
            name = f"{instance.name}.{assigned.slot}"
            lines.append(f'  "{name}" [class="device" shape=plain style="" label="{assigned.device}" fontsize=8]')
            lines.append(_edge(instance.name, name, "", 'arrowhead=none color="#a0aec0"', "device", number))
            number += 1
    return "\n".join([*lines, "}"]) + "\n"


def svg(text: str) -> str:
    """The picture drawn by `dot`, from its <svg> tag on."""
    try:
        done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position("dot"), f"cannot be run: {error.strerror}",
                                  "run `make setup`")]) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Refused([Diagnostic("TSS-080", Position("dot"), f"failed: {last}", "run `make setup`")])
    return done.stdout[done.stdout.index("<svg"):]
