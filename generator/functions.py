# SPDX-License-Identifier: BSD-2-Clause
"""functions: a component's ELF file -> its functions: how deep each one's frame is, and whom it calls from what depth.

objdump disassembles; each function is walked along all its paths with the distance of rsp from where it was on entry.
What cannot be followed is kept: indirect calls, and instructions that put rsp elsewhere. A jump to another function's
beginning is a call that never comes back; any other jump goes on in the same frame (switches, GCC's `.cold` parts).
"""
import io
import json
import re
import subprocess
from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

from elftools.elf.elffile import ELFFile

from generator.diagnostics import Diagnostic, Position, Refused
from generator.elf import tables

VERSION = 1  # of what `to_json` writes
WORD = 8
VISITS_MAX = 100  # of one instruction, always from deeper: then its function's frame grows in a loop
LINE = re.compile(r"^ *([0-9a-f]+):\t(?:(?:lock|rep|repz|repnz|notrack|bnd|data16|cs) )*(\S+) *(.*)$")
BELOW = re.compile(r"-0x([0-9a-f]+)\(%rsp")  # what a leaf keeps below rsp
ADDRESS = re.compile(r"#? ?([0-9a-f]+) <")
AWAY = re.compile(r"(?:.*,)?%rsp")  # rsp is the destination
ENDS = ("ret", "iretq", "ud2", "hlt", "jmp", "int3", "(bad)")
READS = ("cmp", "test", "bt", "movq", "vmovq")  # with rsp last, but do not change it


@dataclass(frozen=True)
class Edge:
    """A call at that depth of its own frame, the return address included. `target` is a function's address or None."""

    target: int | None
    depth: int


@dataclass(frozen=True)
class Function:
    name: str
    address: int
    place: str  # file:line of its source; empty if unknown
    frame: int  # bytes, without the return address
    edges: tuple[Edge, ...]
    elsewhere: bool  # puts rsp where the walk cannot follow


@dataclass(frozen=True)
class Code:
    functions: dict[int, Function]  # by address
    entry: int
    taken: tuple[int, ...]  # functions whose address is taken: where indirect calls can go


@dataclass(frozen=True)
class _Instruction:
    name: str
    operands: str
    next: int | None

    @property
    def target(self) -> int | None:
        match = re.match(r"([0-9a-f]+) <", self.operands)
        return int(match[1], 16) if match else None


@dataclass
class _Walk:
    """One function on its way to being known."""

    depths: dict[int, int] = field(default_factory=dict)
    visits: Counter[int] = field(default_factory=Counter)
    edges: set[Edge] = field(default_factory=set)
    deepest: int = 0
    frame_pointer: int = 0
    switch: int | None = None  # depth at a jump through a table of places in the function
    returns: bool = False
    elsewhere: bool = False


def _run(words: list[str], data: str = "") -> str:
    try:
        done = subprocess.run(words, input=data, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position(words[0]), f"cannot be run: {error.strerror}",
                                  "run `make setup`")]) from None
    if done.returncode:
        raise Refused([Diagnostic("TSS-080", Position(words[0]), "failed: " + " ".join(done.stderr.split())[-200:])])
    return done.stdout


def _signed(text: str) -> int | None:
    match = re.match(r"\$0x([0-9a-f]+),%rsp$", text)
    if match is None:
        return None
    value = int(match[1], 16)
    return value - (1 << 64) if value >> 63 else value


class _Disassembly:
    """The instructions of a file and where its functions begin."""

    def __init__(self, path: str, data: bytes) -> None:
        elf = ELFFile(io.BytesIO(data))
        self.entry = int(elf["e_entry"])
        self.functions: dict[int, tuple[str, int]] = {}  # address -> name, end
        self.labels: set[int] = set()  # assembler's: code may run into them
        self.read_symbols(elf)
        self.starts = sorted(self.functions)
        self.instructions: dict[int, _Instruction] = {}
        self.order: list[int] = []
        self.read_instructions(_run(["objdump", "-d", "--no-show-raw-insn", path]))
        self.taken = self.addresses_taken(elf)
        self.ending: set[int] = set()  # functions that do not return

    def read_symbols(self, elf: Any) -> None:
        text = elf.get_section_by_name(".text")
        table = elf.get_section_by_name(".symtab")
        if text is None or table is None:
            return
        low, high = text["sh_addr"], text["sh_addr"] + text["sh_size"]
        names: dict[int, tuple[bool, str, int]] = {}
        for symbol in table.iter_symbols():
            kind, start = symbol["st_info"]["type"], symbol["st_value"]
            if symbol["st_shndx"] != "SHN_UNDEF" and low <= start < high and kind in ("STT_FUNC", "STT_NOTYPE"):
                named = (kind == "STT_FUNC", symbol.name, start + symbol["st_size"])
                names[start] = max(names.get(start, named), named)
        order = [*sorted(names), high]
        for start, following in zip(order, order[1:]):
            function, name, end = names[start]
            self.functions[start] = (name, end if function and end > start else following)
            if not function:
                self.labels.add(start)

    def read_instructions(self, text: str) -> None:
        rows = [(int(m[1], 16), m[2], m[3]) for line in text.splitlines() if (m := LINE.match(line))]
        for (address, name, operands), following in zip(rows, [*(r[0] for r in rows[1:]), None]):
            self.instructions[address] = _Instruction(name, operands, following)
            self.order.append(address)

    def addresses_taken(self, elf: Any) -> tuple[int, ...]:
        """Functions that a relocated word names, or an instruction other than a jump or call; never the entry."""
        found = {relocation["r_addend"] for table in tables(elf) for relocation in table.iter_relocations()}
        for one in self.instructions.values():
            if one.name == "lea" and (match := ADDRESS.search(one.operands)):
                found.add(int(match[1], 16))
        return tuple(sorted((found & self.functions.keys()) - {self.entry}))

    def in_table(self, address: int) -> bool:
        """Whether the jump at `address` goes through a table of distances, as switches do."""
        place = bisect_right(self.order, address) - 1
        before = [self.instructions[a] for a in self.order[max(0, place - 4):place]]
        return any(one.name == "movslq" for one in before) and any(one.name == "add" for one in before)


class _Walker:
    """Walks one function."""

    def __init__(self, code: _Disassembly, start: int) -> None:
        self.code, self.start, self.walk = code, start, _Walk()

    def run(self) -> _Walk:
        self.follow([(self.start, 0)])
        while self.walk.switch is not None:
            left = self.unseen()
            if left is None:
                break
            self.follow([(left, self.walk.switch)])
        return self.walk

    def unseen(self) -> int | None:
        """The first instruction of the function, or of its cold part, that no path has led to."""
        name, end = self.code.functions[self.start]
        parts = [(self.start, end)] + [(start, stop) for start, (other, stop) in self.code.functions.items()
                                       if other == f"{name}.cold"]
        for low, high in parts:
            place = bisect_right(self.code.order, low - 1)
            for address in self.code.order[place:]:
                if address >= high:
                    break
                if address not in self.walk.depths and not self.code.instructions[address].name.startswith(
                        ("nop", "xchg", "cs", "data16")):
                    return address
        return None

    def follow(self, ahead: list[tuple[int, int]]) -> None:
        """All paths from these places, each with its depth; a place is visited again only if it lies deeper."""
        walk = self.walk
        while ahead:
            address, depth = ahead.pop()
            if walk.depths.get(address, -1) >= depth or address not in self.code.instructions:
                continue
            walk.depths[address] = depth
            walk.visits[address] += 1
            if walk.visits[address] > VISITS_MAX:
                walk.elsewhere = True
                continue
            ahead += self.step(address, depth)

    def step(self, address: int, depth: int) -> list[tuple[int, int]]:
        """What the instruction does, and where it goes on at which depth."""
        one, walk = self.code.instructions[address], self.walk
        if match := BELOW.search(one.operands):
            walk.deepest = max(walk.deepest, depth + int(match[1], 16))
        if one.name.startswith("call"):
            walk.edges.add(Edge(one.target, depth + WORD))
            if one.target in self.code.ending:
                return []
        elif one.name.startswith(("j", "loop")):
            return self.jump(address, one, depth)
        elif one.name in ENDS:
            walk.returns |= one.name in ("ret", "iretq")
            return []
        else:
            depth = self.moved(one, depth)
        walk.deepest = max(walk.deepest, depth)
        runs_on = one.next is not None and (one.next not in self.code.functions or one.next in self.code.labels)
        return [(one.next, depth)] if one.next is not None and runs_on else []

    def jump(self, address: int, one: _Instruction, depth: int) -> list[tuple[int, int]]:
        target, walk = one.target, self.walk
        ahead = [(one.next, depth)] if one.name != "jmp" and one.next is not None else []
        if target is None:
            if self.code.in_table(address):
                walk.switch = max(walk.switch or 0, depth)
            else:
                walk.edges.add(Edge(None, depth))
                walk.returns = True
        elif target in self.code.functions and target != self.start and not self.cold(target):
            walk.edges.add(Edge(target, depth))
            walk.returns |= target not in self.code.ending
        else:
            ahead.append((target, depth))
        return ahead

    def cold(self, target: int) -> bool:
        return self.code.functions[target][0].partition(".cold")[1] != "" or target in self.code.labels

    def moved(self, one: _Instruction, depth: int) -> int:
        """The depth after an instruction that is no jump."""
        name, operands, walk = one.name, one.operands, self.walk
        if name.startswith("push"):
            return depth + WORD
        if name.startswith("pop") and not name.startswith("popcnt"):
            return max(depth - WORD, 0)
        if name == "leave":
            return max(walk.frame_pointer - WORD, 0)
        if name == "mov" and operands == "%rsp,%rbp":
            walk.frame_pointer = depth
        if name in READS or not AWAY.fullmatch(operands):
            return depth
        return self.set(name, operands, depth)

    def set(self, name: str, operands: str, depth: int) -> int:
        """The depth after an instruction that has rsp as its destination."""
        value = _signed(operands)
        if name in ("sub", "add") and value is not None:
            return max(depth + (value if name == "sub" else -value), 0)
        if name == "and" and value is not None:
            return depth - value - WORD if value < 0 else depth
        if name == "lea" and (match := re.fullmatch(r"(-?)(?:0x([0-9a-f]+))?\(%(rsp|rbp|r10)\),%rsp", operands)):
            offset = int(match[2] or "0", 16) * (-1 if match[1] else 1)
            base = {"rsp": depth, "rbp": self.walk.frame_pointer, "r10": -offset}[match[3]]
            return max(base - offset, 0) if match[3] != "r10" else 0
        if name == "mov" and operands == "%rbp,%rsp" and self.walk.frame_pointer:
            return self.walk.frame_pointer
        if name in ("or", "orq"):
            return depth
        self.walk.elsewhere = True
        return depth


def _walked(code: _Disassembly) -> dict[int, _Walk]:
    """All functions; again until it is settled which of them do not return."""
    while True:
        walks = {start: _Walker(code, start).run() for start in code.starts}
        ending = {start for start, walk in walks.items() if not walk.returns}
        if ending == code.ending:
            return walks
        code.ending = ending


def _places(path: str, starts: list[int]) -> dict[int, str]:
    """file:line of each function, where the compiler said it."""
    lines = _run(["addr2line", "-e", path], "".join(f"{start:#x}\n" for start in starts)).splitlines()
    shown = {start: line.split(" (")[0].removeprefix("./") for start, line in zip(starts, lines)}
    return {start: "" if line.startswith("??") or line.endswith((":0", ":?")) else line
            for start, line in shown.items()}


def read_code(path: str, data: bytes) -> Code:
    """The functions of the ELF file at `path`, whose contents are `data`."""
    code = _Disassembly(path, data)
    walks, places = _walked(code), _places(path, code.starts)
    functions = {start: Function(
        code.functions[start][0], start, places[start], walk.deepest,
        tuple(sorted(walk.edges, key=lambda e: (e.target is None, e.target or 0, e.depth))), walk.elsewhere)
        for start, walk in walks.items()}
    return Code(functions, code.entry, code.taken)


def digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def to_json(code: Code, of: str) -> str:
    """For the file beside the ELF whose digest is `of`."""
    rows = [asdict(function) for function in code.functions.values()]
    return json.dumps({"version": VERSION, "of": of, "entry": code.entry, "taken": code.taken, "functions": rows})


def from_json(text: str, of: str) -> Code | None:
    """What `to_json` wrote; None if that was about another file."""
    try:
        read = json.loads(text)
        if (read["version"], read["of"]) != (VERSION, of):
            return None
        functions = [Function(row["name"], row["address"], row["place"], row["frame"],
                              tuple(Edge(edge["target"], edge["depth"]) for edge in row["edges"]), row["elsewhere"])
                     for row in read["functions"]]
        return Code({function.address: function for function in functions}, read["entry"], tuple(read["taken"]))
    except (ValueError, KeyError, TypeError):
        return None
