# SPDX-License-Identifier: BSD-2-Clause
"""The stages in a row, as the commands `check` and `build` use them."""
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from generator import budget, emit, reach, response, stack_check, verify
from generator.abi import Abi, read_abi
from generator.attached import load_file
from generator.calls import names_of
from generator.check import Surroundings, System, check
from generator.component import Component
from generator.compose import Composed, compose
from generator.diagnostics import Diagnostic, Note, Position, Refused
from generator.elf import Image, read_image
from generator.files import read_figures, read_file
from generator.inputs import Inputs, Source, find_fragment, load_component, read_source, shown
from generator.interface import Interface, read_interface
from generator.model import Manifest, check_version, read_manifest
from generator.plan import Plan, plan
from generator.policy import Verdict, judge
from generator.stack import Stacks
from generator.unused import source_words, unnamed_threads, unused

SECTIONS_MAX = 1024
OBJECTS_MAX = 3400  # components/init has an array of this many


@dataclass(frozen=True)
class Product:
    """What a build makes."""

    plan: Plan
    bundle: bytes
    root: bytes
    plan_json: str


@dataclass
class Checked:
    """Everything that is known of a system after its checks."""

    text: bytes = b""  # the manifest as it was read, and behind it what it extends, sorted by name
    composed: Composed | None = None
    manifest: Manifest | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    system: System | None = None
    errors: list[Diagnostic] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    elfs: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)  # of the ELF files
    stacks: dict[str, Stacks] = field(default_factory=dict)
    responses: list[response.Response] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # what instances have in the image, by its path

    @functools.cached_property
    def graph(self) -> reach.Graph | None:
        """Who can influence whom; made only when somebody asks."""
        return None if self.system is None else reach.Graph(self.system)


def _symbols(text: str) -> dict[str, str]:
    """Kconfig's .config: symbol -> value; those that are "not set" have the value n."""
    found = {}
    for line in text.splitlines():
        if line.startswith("CONFIG_") and "=" in line:
            name, _, value = line.partition("=")
            found[name] = value
        elif line.startswith("# CONFIG_") and line.endswith(" is not set"):
            found[line.split()[1]] = "n"
    return found


@functools.lru_cache(maxsize=1024)
def _interface(data: bytes, path: str) -> tuple[Interface | None, tuple[Diagnostic, ...]]:
    """An interface, or what is wrong with it; read once, however many systems of one run need it."""
    try:
        interface, errors = read_interface(data, path)
    except Refused as refused:
        return None, refused.diagnostics
    return None if errors else interface, tuple(errors)


def interfaces_of(inputs: Inputs) -> dict[str, Interface]:
    """Each interface without errors; those are reported when its stubs are made, and for systems that use it."""
    found = {name: _interface(source.data, source.path)[0] for name, source in inputs.interfaces.items()}
    return {name: one for name, one in found.items() if one is not None}


def _broken_interfaces(inputs: Inputs, components: Iterable[Component]) -> list[Diagnostic]:
    """What is wrong with the interfaces that these provide or need."""
    names = {interface for component in components
             for interface in (*(p.interface for p in component.provides), *(n.interface for n in component.needs))}
    return [error for name in sorted(names & inputs.interfaces.keys())
            for error in _interface(inputs.interfaces[name].data, inputs.interfaces[name].path)[1]]


def methods_of(interfaces: Mapping[str, Interface]) -> dict[str, dict[str, int]]:
    """Methods and their numbers."""
    return {name: {method.name: method.number for method in one.methods} for name, one in interfaces.items()}


def _compiled_with(image: Image, interfaces: Mapping[str, Interface], position: Position) -> list[Diagnostic]:
    """Interfaces that are no longer what the program was compiled with."""
    found = []
    for mark in sorted(image.interfaces):
        name, version, fingerprint = mark.split()
        one = interfaces.get(name)
        if one is not None and fingerprint != one.fingerprint:
            found.append(Diagnostic("TSS-140", position, f"was compiled with version {version} of the interface {name} "
                                    f"({fingerprint}), which is version {one.version} ({one.fingerprint}) now",
                                    "compile it again: `make image`"))
    return found


def surroundings(inputs: Inputs, used: set[str], dot_config: str | None) -> tuple[Surroundings, list[Diagnostic]]:
    """What a manifest is checked against, and the errors in the descriptions of the components it uses."""
    components: dict[str, Component] = {}
    errors: list[Diagnostic] = []
    for name in inputs.components:
        component, more = load_component(inputs, name)
        if name in used:
            errors += more
        if component is not None and not more:
            components[name] = component
    errors += _broken_interfaces(inputs, [one for name, one in components.items() if name in used])
    interfaces = interfaces_of(inputs)
    configs = frozenset(path.name for path in inputs.files("configs/*_defconfig"))
    return Surroundings(components, frozenset(inputs.components), configs,
                        None if dot_config is None else _symbols(dot_config), methods_of(interfaces),
                        {name: one.carriers for name, one in interfaces.items()},
                        {name: one.version for name, one in interfaces.items()}, {}), errors


def elf_path(build: Path, component: str) -> Path:
    return build / "components" / component / f"{component.rsplit('/', 1)[-1]}.elf"


def read_images(checked: Checked, names: list[str], build: Path, inputs: Inputs, required: bool) -> None:
    """ELF files of the components in use; missing ones are an error only if `required`."""
    root, interfaces = inputs.root, interfaces_of(inputs)
    for name in names:
        path = elf_path(build, name)
        try:
            data = read_file(path)
        except OSError:
            if required:
                checked.errors.append(Diagnostic("TSS-065", Position(shown(path, root)), f"{name} is not built",
                                                 "compile it first: `make image`"))
            continue
        image, errors = read_image(data, shown(path, root))
        if image is not None and not errors:
            errors = _compiled_with(image, interfaces, Position(shown(path, root)))
        checked.errors += errors
        if image is not None and not errors:
            checked.images[name], checked.elfs[name], checked.paths[name] = image, data, path


class Read(Protocol):
    """Reads a file whose lines errors can show."""

    def __call__(self, path: Path, hint: str = "") -> Source: ...


def read_composed(inputs: Inputs, source: Source, read: Read | None) -> Composed:
    """The manifest with all that it extends; raises Refused."""
    def fetch(name: str) -> Source | None:
        path = find_fragment(inputs, source.file, name)
        return None if path is None else read(path) if read else read_source(path, inputs.root)

    return compose(source, fetch, check_version)


def check_system(inputs: Inputs, source: Source, build: Path, dot_config: str | None, required: bool,
                 read: Read | None = None) -> Checked:
    """load, compose, model, check, policy and budgets. Errors are collected, not raised."""
    checked = Checked()
    try:
        checked.composed = read_composed(inputs, source, read)
    except Refused as refused:
        checked.errors += refused.diagnostics
        return checked
    checked.text = b"".join((source.data, *(file.data for _, file in sorted(checked.composed.files.items()))))
    checked.errors += checked.composed.errors
    checked.manifest, more = read_manifest(checked.composed.tree, source.path)
    checked.errors += more
    _check_model(checked, inputs, build, dot_config, required)
    checked.errors = checked.composed.explained(checked.errors)
    return checked


def _check_model(checked: Checked, inputs: Inputs, build: Path, dot_config: str | None, required: bool) -> None:
    """Everything after the manifest is read."""
    assert checked.manifest is not None
    used = {i.component for i in checked.manifest.instances if i.component is not None}
    around, more = surroundings(inputs, used, dot_config)
    checked.errors += more
    if _names_calls(checked.manifest, around):
        around = replace(around, calls=names_of(read_abi(inputs.root / "kernel" / "include" / "abi")))
    checked.system, more = check(checked.manifest, around)
    checked.errors += more
    _check_policy(checked)
    checked.errors += [error for name in sorted(used & around.components.keys())
                       for error in (*unused(around.components[name], inputs),
                                     *unnamed_threads(around.components[name], inputs))]
    names = sorted({i.component.name for i in checked.system.instances} | {"init"})
    read_images(checked, names, build, inputs, required)
    _read_files(checked, build, inputs.roots, required)
    checked.errors += budget.check_budgets(checked.system, checked.images, checked.files)
    checked.errors += budget.check_machine(checked.system, budget.INIT_SPARE_PAGES, 0) if not required else []

    def words(name: str) -> frozenset[str]:
        return source_words(name, inputs)

    checked.stacks, more = stack_check.measure_files(checked.elfs, checked.paths, around.components, words)
    checked.errors += [*more, *stack_check.check_stacks(checked.system, checked.stacks, around.components)]
    if not checked.errors:  # what lacks because of them would be told as well
        _check_times(checked, inputs.root, around.symbols)


def _check_times(checked: Checked, root: Path, symbols: Mapping[str, str] | None) -> None:
    """Deadlines against response times."""
    assert checked.system is not None
    rows = read_figures(root / "tests" / "bench" / "figures.json", "max")
    tick = 1 << int((symbols or {}).get("CONFIG_TIMER_TICK_SHIFT", response.TICK_SHIFT))
    checked.responses, more = response.respond(checked.system, {name: row["max"] for name, row in rows.items()}, tick)
    checked.errors += more


def _names_calls(manifest: Manifest, around: Surroundings) -> bool:
    """Is there a system call in it by name? Reading the contract takes a compiler, and time."""
    return any(i.deny or i.interpose or not i.exceptions or (i.component in around.components and
                                                             around.components[i.component].calls)
               for i in manifest.instances if i.component is not None)


def _read_files(checked: Checked, build: Path, roots: tuple[Path, ...], required: bool) -> None:
    assert checked.system is not None
    for one in (one for instance in checked.system.instances for one in instance.files):
        data = load_file(one, build, roots, required)
        if isinstance(data, Diagnostic):
            checked.errors.append(data)
        elif data is not None:
            checked.files[one.path] = data


def _check_policy(checked: Checked) -> None:
    """Judged on whatever could be resolved: an error elsewhere does not hide a violation."""
    assert checked.system is not None
    if not checked.system.manifest.policy:
        return

    def error(code: str, position: Position, message: str, hint: str, *notes: Note) -> None:
        checked.errors.append(Diagnostic(code, position, message, hint, notes))

    assert checked.graph is not None
    checked.verdicts = judge(checked.system, checked.graph, error)


def make(checked: Checked, abi: Abi, dump: bool) -> Product:
    """plan and emit, for a system without errors."""
    assert checked.system is not None
    planned = plan(checked.system, checked.images, abi, dump, checked.files, checked.text)
    errors = budget.check_machine(checked.system, planned.init_pages, planned.bundle_bytes)
    for what, count, limit in (("sections", len(planned.sections), SECTIONS_MAX),
                               ("objects", len(planned.objects), OBJECTS_MAX),
                               ("slots of init", planned.rows[0].slots, abi["TSS_SLOTS_MAX"])):
        if count > limit:
            errors.append(Diagnostic("TSS-039", checked.system.manifest.position, f"{count} {what} are too many",
                                     f"a system has at most {limit}: fewer instances, or fewer replies each"))
    if errors:
        raise Refused(errors)
    bundle, root = emit.bundle(planned)
    return Product(planned, bundle, root, emit.plan_json(planned, root))


def verify_files(bundle: bytes, plan_json: str, manifest: bytes, inputs: Inputs, checked: Checked, dump: bool,
                 where: str) -> list[Diagnostic]:
    """verify: the files as they are on disk against manifest, fragments and components."""
    components = {name: source.data for name, source in inputs.components.items()}
    interfaces = {name: source.data for name, source in inputs.interfaces.items()}
    names = names_of(read_abi(inputs.root / "kernel" / "include" / "abi"))
    fragments = {name: source.data for name, source in checked.composed.files.items()} if checked.composed else {}
    given = verify.Inputs(manifest, components, checked.elfs, dump, fragments, checked.files, interfaces, names)
    found, errors = verify.verify(bundle, given, f"{where}/bundle.bin")
    if found is not None and not errors:
        errors += verify.verify_plan(plan_json, found, f"{where}/plan.json", names)
    return errors
