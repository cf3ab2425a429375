# SPDX-License-Identifier: BSD-2-Clause
"""schema: the JSON Schema of manifests, for editors, made from the same tables that the reader goes by.

`tessera schema --out build/schema` writes it. A schema cannot say everything (ranges of sizes, what refers to
what); what it refuses, `tessera check` refuses too.
"""
import json
from collections.abc import Mapping as Table
from typing import Any

from generator import attached, model, policy, restart, share
from generator.compose import FILE
from generator.component import RIGHTS
from generator.fields import NAME, WORD, Shape
from generator.load import Mapping, Node, Scalar
from generator.modes import MODES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NUMBER, TIME = "(0|[1-9][0-9]*)", "(0|[1-9][0-9]*)(us|ms|s)"
Schema = dict[str, Any]


def of_shape(shape: Shape) -> Schema:
    """The schema of one value."""
    if shape.kind == "integer":
        return {"type": "integer", "minimum": shape.low, "maximum": shape.high}
    if shape.kind == "size":
        return {"anyOf": [{"type": "integer", "minimum": shape.low, "maximum": shape.high, "multipleOf": 4096},
                          {"type": "string", "pattern": f"^{NUMBER}[KMG]$"}]}
    if shape.kind == "choices":
        return {"type": "array", "items": {"enum": list(shape.words)}, "uniqueItems": True}
    simple: dict[str, Schema] = {
        "text": {"type": "string"}, "boolean": {"type": "boolean"}, "choice": {"enum": list(shape.words)},
        "duration": {"type": "string", "pattern": f"^{TIME}$"}}
    return simple[shape.kind]


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _names() -> Schema:
    return {"type": "array", "items": _text(NAME.pattern), "uniqueItems": True}


def _words() -> Schema:
    return {"type": "array", "items": _text(WORD.pattern), "uniqueItems": True}


def _object(table: Table[str, Shape | None], special: Table[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """Lines with the keys of `table`; those without a shape stand in `special`."""
    properties = {key: special[key] if shape is None else of_shape(shape) for key, shape in table.items()}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _lines(keys: str, value: Schema) -> Schema:
    return {"type": "object", "propertyNames": {"pattern": f"^(?:{keys})$"}, "additionalProperties": value}


def _connect() -> Schema:
    rights = {**of_shape(Shape("choices", words=RIGHTS)), "minItems": 1}
    target = _text(model.TARGET.pattern)
    methods = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1}
    rate = _text(f"{NUMBER} in {TIME}")
    whole = _object(model.CONNECT, {"to": target, "rights": rights, "methods": methods, "rate": rate}, ("to",))
    return _lines(WORD.pattern, {"anyOf": [target, whole]})


def _restart() -> Schema:
    special = {"backoff": _text(rf"{TIME}(\.\.{TIME})?"), "max": _text(f"{NUMBER} in {TIME}"), "dependants": _names()}
    policies = restart.KEYS["policy"]
    assert policies is not None
    return {"anyOf": [of_shape(policies), _object(restart.KEYS, special)]}


def _policy() -> Schema:
    only = {"type": "object", "properties": {"who": _names(), "may_use": _text(NAME.pattern)},
            "required": list(policy.ONLY), "additionalProperties": False}
    mode = {"enum": list(MODES)}
    least = {"type": "object", "properties": {"mode": mode, "of": _names()}, "required": list(policy.MINIMUM),
             "additionalProperties": False}
    rules = {"never": _text(policy.ARROW.pattern), "only": only, "isolated": {**_names(), "minItems": 2},
             "no_cycles": {"enum": list(policy.CYCLES)}, "minimum_mode": {"anyOf": [mode, least]}}
    return {"type": "array", "items": {
        "type": "object", "properties": {name: rules[name] for name in policy.RULES}, "additionalProperties": False,
        "minProperties": 1, "maxProperties": 1}}


def _instance() -> Schema:
    parameters = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}}
    return _object(model.INSTANCE, {
        "connect": _connect(), "devices": _lines(WORD.pattern, {"type": "string"}), "parameters": parameters,
        "deny": _words(), "interpose": {
            "type": "object", "required": ["who", "calls"], "additionalProperties": False, "properties": {
                "who": {"anyOf": [_text(NAME.pattern), _names()]}, "calls": {"anyOf": [{"const": "all"}, _words()]}}},
        "budget": _object(share.KEYS, {}, tuple(share.KEYS)), "scheduler": _text(NAME.pattern),
        "files": _lines(WORD.pattern, _text(attached.PATH.pattern)), "restart": _restart()})


def manifest_schema(fragment: bool = False) -> Schema:
    """Of a manifest, or of a file that only others extend."""
    instances = _lines(rf"(?!(?:init|{model.NONE})$){NAME.pattern}", _instance())
    files = {"type": "array", "items": _text(FILE.pattern)}
    whole = _object(model.KEYS, {
        "tessera": {"const": 1}, "system": _text(NAME.pattern), "config": _text(model.CONFIG.pattern),
        "requires": {"type": "array", "items": _text(model.OPTION.pattern), "uniqueItems": True},
        "extends": files, "remove": {"type": "array", "items": {"type": "string"}},
        "machine": _object(model.MACHINE, {"video": _text(model.VIDEO.pattern)}),
        "defaults": _object(model.DEFAULTS, {}), "instances": instances, "policy": _policy()})
    title = "Fragment of a Tessera manifest" if fragment else "Tessera manifest"
    head = {"$schema": DRAFT, "title": title, "description": "Made by `tessera schema`; see manifests/README.md."}
    if fragment:
        return {**head, **whole, "required": ["tessera"]}
    complete = {"required": list(model.REQUIRED), "properties": {
        "instances": {"additionalProperties": {"required": ["component"], "dependentRequired": {
            "deadline": ["period"], "period": ["work"]}}}}}
    return {**head, **whole, "required": list(model.REQUIRED[:2]), "if": {"required": ["extends"]}, "else": complete}


def files() -> dict[str, str]:
    """File name -> text."""
    return {f"{name}.schema.json": json.dumps(manifest_schema(name == "fragment"), indent=2) + "\n"
            for name in ("manifest", "fragment")}


def plain(node: Node) -> Any:
    """What a YAML 1.2 reader makes of the node; the schema speaks about that."""
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    if not isinstance(node, Scalar):
        return [plain(item) for item in node.items]
    if not node.plain:
        return node.text
    if node.text in ("true", "false", ""):
        return {"true": True, "false": False}.get(node.text)
    try:
        return int(node.text) if node.text.lstrip("-+").isdigit() and len(node.text) < 100 else node.text
    except ValueError:
        return node.text
