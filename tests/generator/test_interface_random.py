# SPDX-License-Identifier: BSD-2-Clause
"""Random interfaces, of names that generated code has too: each is refused with a suggestion, or compiles unwarned."""
import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from test_interface import FLAGS, INCLUDES, TOP

from generator import stubs
from generator.abi import read_abi
from generator.interface import InterfaceError, generate
from generator.interface_types import OBJECTS, SCALARS

NATURAL = """a b c data size x y row way words page caps i n length cap memory offset w in out buffer error count op
    method call type name max value good clean serve dispatch text s p at end tag none state1 request reply status
    page_size in2 interface message slot rights badge timeout index at2 view""".split()
COUNT = 300


def names_in_code() -> list[str]:
    """The words that the generator's own lines of C are made of, as far as they can be names of arguments."""
    text = "".join((TOP / "generator" / name).read_text() for name in ("interface_code.py", "interface_types.py"))
    return sorted(set(re.findall(r"\b([a-z][a-z0-9]{0,10})_*\b", " ".join(re.findall(r'f?"[^"\n]*"', text)))))


class Chance(random.Random):
    words = [*NATURAL, *names_in_code()]

    def word(self) -> str:
        return self.choice(self.words)

    def types(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self.randint(0, 3)):
            enums = [name for name, one in found.items() if "enum" in one]
            found[self.word()] = self.choice((
                {"enum": self.sample(["UP", "DOWN", "A", "B", "NONE", "OK", "MAX"], self.randint(1, 5)),
                 "doc": "a */ b"},
                {"struct": [self.member(enums) for _ in range(self.randint(1, 4))]}))
        return found

    def member(self, enums: list[str]) -> dict[str, Any]:
        kind = self.choice((*SCALARS, "string", *enums))
        return {"name": self.word(), "type": kind} | ({"max": self.choice((1, 3, 8, 15))} if kind == "string" else {})

    def argument(self, types: list[str], reply: bool) -> dict[str, Any]:
        kind = self.choice((*SCALARS, "bytes", "string", "array", "cap", *types, *([] if reply else ["buffer"])))
        found: dict[str, Any] = {"name": self.word(), "type": kind}
        if kind in ("bytes", "string"):
            found["max"] = self.choice((1, 7, 8, 9, 31, 32, 40, 64))
        elif kind == "array":
            found |= {"of": self.choice((*SCALARS, *types)), "max": self.choice((1, 2, 3, 5))}
        elif kind == "buffer":
            found |= {"max": self.choice((1, "4K", "1M")), "rights": self.choice((["read"], ["read", "write"]))}
        elif kind == "cap" and self.random() < 0.6:
            found["of"] = self.choice(sorted(OBJECTS))
        return found

    def method(self, number: int, types: list[str]) -> dict[str, Any]:
        sides = {side: [self.argument(types, side == "reply") for _ in range(self.randint(0, most))]
                 for side, most in (("request", 4), ("reply", 2))}
        more = self.choice(({}, {}, {"idempotent": True}, {"oneway": True}))
        return {"number": number, "doc": "What it does", **sides, **more, **({"reply": []} if "oneway" in more else {})}

    def interface(self, name: str) -> dict[str, Any]:
        types = self.types()
        return {"interface": name, "description": "d", "types": types,
                "errors": self.sample(["BUSY", "GONE", "FULL"], 2),
                "methods": {self.word(): self.method(n, sorted(types)) for n in range(1, self.randint(1, 3) + 1)}}


def headers(folder: Path, seed: int) -> list[str]:
    """Writes those of the interfaces that are good; what is wrong with the others is said with a suggestion."""
    chance, good = Chance(seed), []
    for number in range(COUNT):
        path = folder / f"z{number}.yaml"
        path.write_text(json.dumps(chance.interface(path.stem), indent=1))
        try:
            (folder / f"{path.stem}.h").write_text(generate([path])[f"{path.stem}.h"])
            good.append(path.stem)
        except InterfaceError as error:
            assert all(one.hint and one.position.line for one in error.diagnostics), error.diagnostics
    return good


def compiled(folder: Path, names: list[str], compiler: str) -> str:
    """What the compiler says of these interfaces' headers together."""
    abi = TOP / "kernel" / "include" / "abi"
    (folder / "tessera").mkdir()
    (folder / "tessera" / "syscalls.h").write_text(stubs.syscalls_header(read_abi(abi)))
    (folder / "all.c").write_text("".join(f'#include "{name}.h"\n' for name in names))
    done = subprocess.run([compiler, *FLAGS, "-ffreestanding", "-fsyntax-only", str(folder / "all.c"), f"-I{folder}",
                           f"-I{abi}", *INCLUDES], capture_output=True, text=True, check=False)
    return done.stderr


@pytest.mark.parametrize("seed, compiler", [(1, "gcc"), (2, "clang")])
def test_what_is_accepted_compiles(seed: int, compiler: str, tmp_path: Path) -> None:
    good = headers(tmp_path, seed)
    assert len(good) > COUNT // 10
    assert compiled(tmp_path, good, compiler) == ""


@pytest.mark.parametrize("kind", [{"type": "string", "max": 20}, {"type": "array", "of": "u16", "max": 3},
                                  {"type": "row"}, {"type": "buffer", "max": "4K", "rights": ["read"]}])
def test_variables_of_generated_code_take_no_name_away(kind: dict[str, Any], tmp_path: Path) -> None:
    methods = {f"m{n}": {"number": n, "request": [{"name": name, **kind}, {"name": "other", "type": "bytes", "max": 9}]}
               for n, name in enumerate(("page", "end", "i", "w", "tag", "none", "n", "row"), 1)}
    (tmp_path / "z.yaml").write_text(json.dumps({
        "interface": "z", "types": {"row": {"struct": [{"name": "n", "type": "bool"}]}}, "methods": methods}))
    (tmp_path / "z.h").write_text(generate([tmp_path / "z.yaml"])["z.h"])
    assert compiled(tmp_path, ["z"], "gcc") == ""
