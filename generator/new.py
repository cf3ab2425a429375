# SPDX-License-Identifier: BSD-2-Clause
"""new: the files of a new component, manifest or scenario, ready to build and to be changed."""
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator.component import COMPONENT, Component
from generator.diagnostics import Diagnostic, Position, Refused, did_you_mean, short
from generator.fields import NAME
from generator.inputs import Inputs

TEMPLATES = Path(__file__).parent / "templates" / "new"
DEMO = {"log": "log", "terminal": "serial", "echo": "echo", "power": "power"}  # interface -> instance of the demo
KINDS = ("component", "manifest", "scenario")


def _render(template: str, **values: object) -> str:
    environment = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template(template).render(**values)


def _refuse(code: str, name: str, message: str, hint: str) -> Refused:
    return Refused([Diagnostic(code, Position(name), message, hint)])


def _name(name: str) -> str:
    if not NAME.fullmatch(name) or name in ("init", "none"):
        raise _refuse("TSS-014", name, f"{short(name)} is not a name",
                      "a name has 1 to 15 characters: a-z first, then a-z 0-9 _")
    return name


def component(name: str, inputs: Inputs) -> dict[str, str]:
    """Path below the root -> text, for a component that says hello."""
    if not COMPONENT.fullmatch(name) or name == "init":
        raise _refuse("TSS-014", name, f"{short(name)} is not a component's name",
                      "write drivers/NAME, servers/NAME or apps/NAME; NAME: a-z first, then a-z 0-9 _, up to 23")
    if name in inputs.components:
        raise _refuse("TSS-056", name, f"there is a component {short(name)} already",
                      f"it lies in {Path(inputs.components[name].path).parent}")
    last, folder = name.split("/")[1], f"components/{name}"
    values = {"name": name, "short": last, "symbol": "CONFIG_" + name.upper().replace("/", "_")}
    return {f"{folder}/component.yaml": _render("component.yaml.j2", **values),
            f"{folder}/Kconfig": _render("Kconfig.j2", **values), f"{folder}/{last}.c": _render("main.c.j2", **values)}


def manifest(name: str, of: str, components: Mapping[str, Component], inputs: Inputs) -> dict[str, str]:
    """A system that is the demo and the component `of`."""
    _name(name)
    if inputs.files(f"manifests/{name}.yaml"):
        raise _refuse("TSS-056", name, f"there is a system {short(name)} already", "choose another name")
    if of not in components:
        raise _refuse("TSS-020", name, f"there is no component {short(of)}",
                      did_you_mean(of, components.keys() - {"init"}))
    needs = [f"{n.name}: {DEMO.get(n.interface, 'FILL_IN')}" for n in components[of].needs if not n.optional]
    instance = _instance(of)
    return {f"manifests/{name}.yaml": _render("manifest.yaml.j2", name=name, component=of, instance=instance,
                                              needs=needs)}


def _instance(of: str) -> str:
    """A name for an instance of the component that the demo does not have."""
    last = re.sub(r"\W", "_", of.split("/")[1])[:13]
    return f"{last}_2" if last in (*DEMO.values(), "ping", "shell", "reincarnation", "init", "none") else last


def scenario(name: str, instance: str, inputs: Inputs) -> dict[str, str]:
    """A scenario that boots the system and looks for the instance."""
    _name(name)
    folder = "tests" if inputs.extra is not None else "tests/scenario"
    path = f"{folder}/test_{name}.py"
    if (inputs.roots[-1] / path).exists():
        raise _refuse("TSS-056", path, f"there is a scenario {short(name)} already", "choose another name")
    found = {path: _render("scenario.py.j2", name=name, instance=instance)}
    if inputs.extra is not None and not (inputs.extra / "tests" / "conftest.py").exists():
        found["tests/conftest.py"] = _render("conftest.py.j2")
    return found
