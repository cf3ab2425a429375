# SPDX-License-Identifier: BSD-2-Clause
"""Which system calls an instance may make, and which of them a monitor is asked about.

What a component can call is read from its ELF: each stub leaves the call's number beside it, and the linker drops the
marks of code that it drops (generator/stubs.py, images/component.ld). component.yaml adds what is called without stubs:

    calls: all                      # or [self_fault_return]

An instance takes away, and a monitor is put between an instance and the kernel:

    worker: {component: apps/worker, deny: [unit_create], exceptions: false}
    strace: {component: apps/strace, interpose: {who: [worker], calls: all}}     # or calls: [event_signal]
"""
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from generator.abi import Abi
from generator.diagnostics import Position, did_you_mean, short
from generator.fields import NAME, Reader
from generator.load import Node, Scalar

FIRST, WORD = 0x1000, 64  # TSS_SYSCALL_FIRST, bits of a word of a mask
EXCEPTIONS = ("self_fault_handler", "self_fault_return")  # what `exceptions: false` denies
INTERFACE = "monitor"  # that a monitor provides
BADGE_MONITOR, MONITOR_SLOT = 0x40000, 13  # of the connection to it: + index of its client, and where that holds it
ALL = "all"


@dataclass(frozen=True)
class Named:
    """A word and where it stands."""

    name: str
    position: Position


@dataclass(frozen=True)
class Interpose:
    """`interpose:` of an instance. `calls` None: all that the others may make."""

    who: tuple[Named, ...]
    calls: tuple[Named, ...] | None
    position: Position


@dataclass(frozen=True)
class Watch:
    """`monitor` is asked about these calls of `client`; None: about all."""

    client: str
    monitor: str
    provided: str
    calls: tuple[str, ...] | None
    position: Position


def names_of(abi: Abi) -> dict[str, int]:
    """Name of each call -> number."""
    return {f"{call.object}_{call.verb}": call.number for call in abi.calls}


def read_list(reader: Reader, node: Node, what: str) -> tuple[Named, ...]:
    """A list of names, each once."""
    found: list[Named] = []
    for item in reader.sequence(node, what):
        name = reader.name(item, f"name in {what}")
        if name in [one.name for one in found]:
            reader.error("TSS-019", item.position, f"{short(name or '')} is listed twice in {what}")
        elif name is not None:
            found.append(Named(name, item.position))
    return tuple(found)


def read_calls(reader: Reader, node: Node, what: str) -> tuple[Named, ...] | None:
    """`calls:`; None: all."""
    if isinstance(node, Scalar) and node.plain and node.text == ALL:
        return None
    return read_list(reader, node, what)


def read_interpose(reader: Reader, node: Node) -> Interpose | None:
    """`interpose:` of an instance."""
    mapping = reader.mapping(node, "interpose")
    if mapping is None:
        return None
    reader.keys(mapping, "interpose", ("who", "calls"), ("who", "calls"))
    who, calls = mapping.get("who"), mapping.get("calls")
    names: tuple[Named, ...] = ()
    if isinstance(who, Scalar):
        name = reader.name(who, "instance", NAME)
        names = (Named(name, who.position),) if name is not None else ()
    elif who is not None:
        names = read_list(reader, who, "who")
    return Interpose(names, read_calls(reader, calls, "calls") if calls is not None else (), mapping.position)


def unknown(listed: Collection[Named], known: Mapping[str, int],
            error: Callable[[str, Position, str, str], None]) -> None:
    """Names that no row of syscalls.def has."""
    for one in listed:
        if one.name not in known:
            error("TSS-120", one.position, f"there is no system call {short(one.name)}", did_you_mean(one.name, known))


def mask(numbers: Collection[int]) -> tuple[int, int]:
    """The two words of a mask."""
    words = [0, 0]
    for number in numbers:
        words[(number - FIRST) // WORD] |= 1 << (number - FIRST) % WORD
    return words[0], words[1]


def names_in(abi: Abi, words: tuple[int, int]) -> list[str]:
    """Names of the calls in a mask."""
    return sorted(name for name, number in names_of(abi).items()
                  if words[(number - FIRST) // WORD] >> (number - FIRST) % WORD & 1)


def allowed(stubs: Collection[int], by_hand: tuple[Named, ...] | None, denied: Collection[str],
            known: Mapping[str, int]) -> frozenset[int]:
    """Numbers of what an instance may call; `by_hand` None: its component calls anything."""
    more = known.values() if by_hand is None else [known[one.name] for one in by_hand]
    return (frozenset(stubs) | frozenset(more)) - frozenset(known[name] for name in denied)
