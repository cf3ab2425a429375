# SPDX-License-Identifier: BSD-2-Clause
"""verify: a manifest with what it extends, and the page of parameters, worked out again; see verify_derive.py."""
import functools
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "us": 1, "ms": 1000, "s": 1000000}


def yaml(data: bytes) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(data.decode("utf-8")))


@functools.lru_cache(maxsize=256)
def described(data: bytes) -> Mapping[str, Any]:
    """The description of a component or an interface, which every instance and every connection looks at."""
    return yaml(data)


def _over(under: Any, top: Any, key: str = "") -> Any:
    """`top` laid over `under`."""
    if isinstance(under, dict) and isinstance(top, dict):
        return {k: _over(under[k], top[k], k) if k in under and k in top else top[k] if k in top else under[k]
                for k in [*under, *(k for k in top if k not in under)]}
    return under + top if key == "policy" and isinstance(under, list) and isinstance(top, list) else top


def compose(data: bytes, fragments: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest as if it were one file."""
    own = yaml(data)
    under: dict[str, Any] = {}
    for name in own.pop("extends", []):
        part = compose(fragments[name], fragments)
        under = _over(under, {k: v for k, v in part.items() if k not in ("tessera", "system", "description")})
    for path in own.pop("remove", []):
        *steps, last = path.split(".")
        place = under
        for step in steps:
            place = place[step]
        del place[last]
    whole: dict[str, Any] = _over(under, own)
    return whole


def parameters(declared: Mapping[str, Any], given: Mapping[str, Any]) -> bytes:
    """The bytes of the page."""
    page = b""
    for name, row in declared.items():
        value = given.get(name, row.get("default"))
        if row["type"] == "text":
            page += str(value).encode().ljust(-(-(row["max"] + 1) // 8) * 8, b"\0")
            continue
        if row["type"] == "choice":
            value = row["words"].index(value)
        elif row["type"] != "boolean":
            match = re.fullmatch(r"(\d+)([A-Za-z]*)", str(value))
            assert match
            value = int(match[1]) * UNITS[match[2]]
        page += int(value).to_bytes(8, "little")
    return page
