# SPDX-License-Identifier: BSD-2-Clause
"""The bill of materials: what SPDX 2.3 demands is there, and every checksum is that of a file of the build."""
from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lib.images import TOP
from lib.products import make, product

ID = {"type": "string", "pattern": r"^SPDXRef-[A-Za-z0-9.-]+$"}
TEXT = {"type": "string", "minLength": 1}
CHECKSUMS = {"type": "array", "minItems": 1, "items": {
    "type": "object", "required": ["algorithm", "checksumValue"], "additionalProperties": False, "properties": {
        "algorithm": {"enum": ["SHA1", "SHA256"]},
        "checksumValue": {"type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$"}}}}


def table(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {
        "type": "object", "required": required, "properties": properties}}


# The clauses of SPDX 2.3 on documents (6), packages (7), files (8) and relationships (11) that are mandatory.
SPDX = {
    "type": "object",
    "required": ["spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages"],
    "properties": {
        "spdxVersion": {"const": "SPDX-2.3"}, "dataLicense": {"const": "CC0-1.0"},
        "SPDXID": {"const": "SPDXRef-DOCUMENT"}, "name": TEXT,
        "documentNamespace": {"type": "string", "pattern": "^[a-z]+:[^#]+$"},
        "creationInfo": {"type": "object", "required": ["created", "creators"], "properties": {
            "created": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
            "creators": {"type": "array", "minItems": 1, "items": {
                "type": "string", "pattern": "^(Person|Organization|Tool): .+"}}}},
        "packages": table(["SPDXID", "name", "downloadLocation"], SPDXID=ID, name=TEXT, checksums=CHECKSUMS,
                          filesAnalyzed={"const": False}, licenseDeclared=TEXT, licenseConcluded=TEXT),
        "files": table(["SPDXID", "fileName", "checksums"], SPDXID=ID, checksums=CHECKSUMS,
                       fileName={"type": "string", "pattern": r"^\./"}),
        "relationships": table(["spdxElementId", "relationshipType", "relatedSpdxElement"],
                               spdxElementId=ID, relatedSpdxElement=ID, relationshipType={
                                   "enum": ["DESCRIBES", "CONTAINS", "GENERATED_FROM", "BUILD_TOOL_OF"]}),
    },
}


def read(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{folder.name}.spdx.json").read_text())
    return found


def sha256(package: dict[str, Any]) -> str:
    return next(str(c["checksumValue"]) for c in package["checksums"] if c["algorithm"] == "SHA256")


def of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["vault", "appliance"])
def test_the_bill_is_valid_and_true(name: str) -> None:
    folder = product(name, "image", "sbom")
    bill = read(folder)
    jsonschema.validate(bill, SPDX)
    elements = [bill["SPDXID"], *(item["SPDXID"] for item in (*bill["packages"], *bill["files"]))]
    assert len(set(elements)) == len(elements)
    named = {r[end] for r in bill["relationships"] for end in ("spdxElementId", "relatedSpdxElement")}
    assert named == set(elements), "everything is related, and only what is there"
    packages = {package["name"]: package for package in bill["packages"]}
    assert sha256(packages[name]) == of((folder / "bundle.bin").read_bytes())
    assert sha256(packages["tessera-kernel"]) == of((folder.parent / "kernel" / "kernel.elf").read_bytes())
    assert sha256(bill["files"][0]) == of((TOP / "manifests" / f"{name}.yaml").read_bytes())
    plan = json.loads((folder / "plan.json").read_text())
    used = {instance["component"] for instance in plan["instances"]}
    for component in used:
        elf = folder.parent / "components" / component / f"{component.rsplit('/', 1)[-1]}.elf"
        assert sha256(packages[component]) == of(elf.read_bytes())
    others = set(packages) - used - {name, "tessera-kernel"}
    assert others == {"grub-pc-bin", "grub-efi-amd64-bin", "gcc", "binutils"} | (
        {"grub-common"} if "drivers/console" in used else set())
    assert all(re.match(r"\d", packages[other]["versionInfo"]) for other in others)


def test_the_bill_is_the_same_elsewhere(tmp_path: Path) -> None:
    first = product("tiny", "image", "sbom")
    make(Path(os.path.relpath(tmp_path, TOP)), "SYSTEM=tiny", "image", "sbom")
    assert (tmp_path / "tiny" / "tiny.spdx.json").read_bytes() == (first / "tiny.spdx.json").read_bytes()
    assert (tmp_path / "tiny" / "tiny.iso").read_bytes() == (first / "tiny.iso").read_bytes()
