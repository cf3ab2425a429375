# SPDX-License-Identifier: BSD-2-Clause
"""The JSON Schema of manifests: up to date, true of what is shipped, and of one mind with the checker."""
import random
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from conftest import HERE, REPOSITORY
from test_fixtures import FIXTURES, read_parts

from generator.cli import main
from generator.diagnostics import Refused
from generator.load import Mapping, Node, Scalar, Sequence, load
from generator.model import read_manifest
from generator.schema import files, manifest_schema, plain

VALIDATOR = jsonschema.Draft202012Validator(manifest_schema())
FRAGMENT = jsonschema.Draft202012Validator(manifest_schema(fragment=True))
# What the schema can say as well as the checker. Not: a number with a unit is too large, or no multiple of a page.
SAYABLE = {"TSS-010", "TSS-011", "TSS-012", "TSS-013", "TSS-014", "TSS-015", "TSS-016", "TSS-040", "TSS-042"}
UNSAYABLE = re.compile(r".*([0-9][KMGums]+ is out of range|whole number of 4K|appears twice)|time of max|backoff|max ")
SHIPPED = sorted((REPOSITORY / "manifests").rglob("*.yaml"))


def test_the_schemas_are_written_on_demand(tmp_path: Path) -> None:
    assert main(["schema", "--out", str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files()


def test_the_schemas_are_schemas() -> None:
    for schema in (manifest_schema(), manifest_schema(fragment=True)):
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", [p for p in SHIPPED if "components" not in p.parts], ids=lambda p: p.stem)
def test_what_is_shipped_is_valid(path: Path) -> None:
    tree, errors = load(path.read_bytes(), path.name)
    validator = FRAGMENT if "fragments" in path.parts else VALIDATOR
    assert [*errors, *validator.iter_errors(plain(tree))] == []


def agree(tree: Mapping, what: str) -> bool:
    """Schema and checker say the same of the tree, where the schema can; true if both refuse it."""
    refused = not VALIDATOR.is_valid(plain(tree))
    errors = read_manifest(tree, "m.yaml")[1]
    if refused:
        assert errors or tree.get("extends") is not None, f"the schema alone refuses {what}"
    elif tree.get("extends") is None:
        told = [e for e in errors if e.code in SAYABLE and not UNSAYABLE.match(e.message)]
        assert told == [], f"the checker alone refuses {what}"
    return refused


def trees() -> Iterator[tuple[str, Mapping]]:
    for fixture in FIXTURES:
        try:
            tree, errors = load(read_parts(fixture).get("manifest.yaml", b""), "m.yaml")
        except Refused:
            continue
        if not errors:
            yield fixture.stem, tree


def test_they_agree_about_every_fixture() -> None:
    assert sum(agree(tree, name) for name, tree in trees()) >= 20


def changed(node: Node, number: Iterator[int], at: int, new: Node) -> Node:
    """The tree with its value number `at` replaced."""
    if next(number) == at:
        return new
    if isinstance(node, Mapping):
        return Mapping(tuple((k, changed(v, number, at, new)) for k, v in node.entries), node.position)
    if isinstance(node, Sequence):
        return Sequence(tuple(changed(v, number, at, new) for v in node.items), node.position)
    return node


def count(node: Node) -> int:
    inner = [v for _, v in node.entries] if isinstance(node, Mapping) else node.items if isinstance(
        node, Sequence) else ()
    return 1 + sum(count(v) for v in inner)


@pytest.mark.parametrize("path", [HERE / "tree" / "full.yaml", HERE / "tree" / "guarded.yaml",
                                  REPOSITORY / "manifests" / "console.yaml"], ids=lambda p: p.stem)
def test_they_agree_about_every_value_replaced(path: Path) -> None:
    chance = random.Random(path.stem)
    tree, _ = load(path.read_bytes(), path.name)
    place = tree.position
    wrong: list[Node] = [
        Sequence((), place), Mapping((), place), Scalar("300", True, place), Scalar("two words", True, place),
        Scalar("UPPER", True, place), Scalar("true", True, place), Scalar("5", False, place),
        Scalar("x-y", True, place)]
    both = 0
    for at in chance.sample(range(count(tree)), min(60, count(tree))):
        for new in wrong:
            whole = changed(tree, iter(range(10000)), at, new)
            if isinstance(whole, Mapping):
                both += agree(whole, f"{path.name}, value {at} replaced by {plain(new)!r}")
    assert both > 200
