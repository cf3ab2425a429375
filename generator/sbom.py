# SPDX-License-Identifier: BSD-2-Clause
"""sbom: the bill of materials of an image, as SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3).

The same inputs give the same text: the date is that of all files in images, the namespace follows from the bundle's
root hash. What comes from outside (GRUB, the font that GRUB's package has) is named with its Debian package and
version.
"""
import hashlib
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CREATED = "2020-01-01T00:00:00Z"
OURS = "BSD-2-Clause"
SUPPLIER = "NOASSERTION"
GRUB_PACKAGES = ("grub-pc-bin", "grub-efi-amd64-bin")
GRUB_LICENCE = "GPL-3.0-or-later"
FONT_USER = "drivers/console"
# Unifont, from which GRUB's package makes the file that drivers/console gets its glyphs from.
FONT = ("grub-common", "GPL-2.0-or-later WITH Font-exception-2.0")
TOOLS = ("gcc", "binutils")


@dataclass(frozen=True)
class Material:
    """What a bill is made of. `versions`: of Debian packages."""

    system: str
    manifest: tuple[str, bytes]  # path as shown, contents
    root_hash: str
    abi: int
    kernel: bytes
    bundle: bytes
    components: Mapping[str, bytes]  # folder below components/ -> ELF
    versions: Mapping[str, str]


def package_version(name: str) -> str:
    """Of an installed Debian package; empty where there is no dpkg or no such package."""
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True,
                              check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def outside(components: Mapping[str, bytes]) -> tuple[str, ...]:
    """Debian packages that matter to an image with these components."""
    return (*GRUB_PACKAGES, *((FONT[0],) if FONT_USER in components else ()), *TOOLS)


def _id(*words: str) -> str:
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(words))


def _package(name: str, spdx_id: str, version: str, licence: str, purpose: str, data: bytes | None) -> dict[str, Any]:
    package = {"SPDXID": spdx_id, "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
               "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence,
               "copyrightText": "NOASSERTION", "supplier": SUPPLIER, "primaryPackagePurpose": purpose}
    if data is not None:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(data).hexdigest()}]
    return package


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def bill(material: Material) -> dict[str, Any]:
    """The document: the image, what it contains, what it was generated from, what built it."""
    system, abi = _id("System", material.system), f"ABI-{material.abi}"
    parts = [_package("tessera-kernel", _id("Kernel"), abi, OURS, "OPERATING-SYSTEM", material.kernel)]
    parts += [_package(name, _id("Component", name), abi, OURS, "APPLICATION", data)
              for name, data in sorted(material.components.items())]
    external = [_package(name, _id("Package", name), material.versions.get(name) or "NOASSERTION", GRUB_LICENCE,
                         "FIRMWARE", None) for name in GRUB_PACKAGES]
    if FONT_USER in material.components:
        external.append(_package(FONT[0], _id("Package", FONT[0]), material.versions.get(FONT[0]) or "NOASSERTION",
                                 FONT[1], "FILE", None))
    tools = [_package(name, _id("Tool", name), material.versions.get(name) or "NOASSERTION", GRUB_LICENCE,
                      "APPLICATION", None) for name in TOOLS]
    path, text = material.manifest
    sums = [{"algorithm": name, "checksumValue": getattr(hashlib, name.lower())(text).hexdigest()}
            for name in ("SHA1", "SHA256")]
    manifest: dict[str, Any] = {
        "SPDXID": _id("Manifest"), "fileName": f"./{path}", "fileTypes": ["SOURCE"], "licenseConcluded": OURS,
        "licenseInfoInFiles": [OURS], "copyrightText": "NOASSERTION", "checksums": sums}
    whole = _package(material.system, system, abi, OURS, "OPERATING-SYSTEM", material.bundle)
    whole["comment"] = f"The checksum is bundle.bin's; its root hash, which the kernel demands, {material.root_hash}"
    relations = [_relation("SPDXRef-DOCUMENT", "DESCRIBES", system)]
    relations += [_relation(system, "CONTAINS", part["SPDXID"]) for part in (*parts, *external[:len(GRUB_PACKAGES)])]
    relations += [_relation(system, "GENERATED_FROM", manifest["SPDXID"])]
    relations += [_relation(_id("Component", FONT_USER), "CONTAINS", part["SPDXID"])
                  for part in external[len(GRUB_PACKAGES):]]
    relations += [_relation(tool["SPDXID"], "BUILD_TOOL_OF", system) for tool in tools]
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"tessera-{material.system}",
            "documentNamespace": f"urn:tessera:{material.system}:{material.root_hash}",
            "creationInfo": {"created": CREATED, "creators": ["Tool: tessera"]},
            "packages": [whole, *parts, *external, *tools], "files": [manifest], "relationships": relations}


def text_of(material: Material) -> str:
    return json.dumps(bill(material), indent=1, sort_keys=True) + "\n"
