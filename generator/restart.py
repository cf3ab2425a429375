# SPDX-License-Identifier: BSD-2-Clause
"""Restart contracts: what `restart:` of a manifest or a component.yaml says, typed and range-checked."""
import re
from dataclasses import dataclass, replace

from generator.diagnostics import Position, short
from generator.fields import NAME, Reader, Shape
from generator.load import Mapping, Node, Scalar

POLICIES = ("never", "always", "on_failure")  # numbers in the supervision table follow from the order, like the next
THEN = ("hold", "degrade", "reboot")
KEYS: dict[str, Shape | None] = {
    "policy": Shape("choice", words=POLICIES), "backoff": None, "max": None, "then": Shape("choice", words=THEN),
    "dependants": None}
BACKOFF = (1000, 60_000_000)  # microseconds, like the next two
WINDOW = (1_000_000, 3_600_000_000)
HEARTBEAT = (10_000, 60_000_000)
COUNT = (1, 16)  # as many ends as servers/reincarnation remembers


@dataclass(frozen=True)
class Named:
    """A name in a list, with its place."""

    name: str
    position: Position


@dataclass(frozen=True)
class Restart:
    """None: not said here. Times in microseconds."""

    policy: str | None = None
    backoff: tuple[int, int] | None = None  # first and longest wait before a restart
    limit: tuple[int, int] | None = None  # so many ends within this time are given up on
    then: str | None = None
    dependants: tuple[Named, ...] | None = None

    def over(self, other: "Restart") -> "Restart":
        """This contract, and that of `other` where this one says nothing."""
        return replace(other, **{name: value for name, value in vars(self).items() if value is not None})


FACTORY = Restart("never", (100_000, 2_000_000), (5, 60_000_000), "hold", ())
ALWAYS = replace(FACTORY, policy="always")


def _backoff(reader: Reader, node: Node) -> tuple[int, int] | None:
    """`100ms..2s`, or one time for both."""
    text = reader.text(node, "backoff")
    if text is None:
        return None
    first, dots, last = text.text.partition("..")
    low = reader.duration(Scalar(first, text.plain, text.position), "backoff", *BACKOFF)
    high = reader.duration(Scalar(last, text.plain, text.position), "backoff", *BACKOFF) if dots else low
    if low is not None and high is not None and low > high:
        reader.error("TSS-013", text.position, f"backoff {short(text.text)} ends before it begins",
                     "write the shorter time first, such as 100ms..2s")
        return None
    return None if low is None or high is None else (low, high)


def _limit(reader: Reader, node: Node) -> tuple[int, int] | None:
    """`5 in 60s`."""
    match = re.fullmatch(r"(\S+) in (\S+)", node.text) if isinstance(node, Scalar) else None
    if match is None:
        found = short(node.text) if isinstance(node, Scalar) else "something else"
        reader.error("TSS-012", node.position, f"max must be such as 5 in 60s, not {found}",
                     "write how many restarts, `in`, and in what time")
        return None
    count = reader.integer(Scalar(match[1], True, node.position), "max", *COUNT)
    window = reader.duration(Scalar(match[2], True, node.position), "time of max", *WINDOW)
    return None if count is None or window is None else (count, window)


def _dependants(reader: Reader, node: Node) -> tuple[Named, ...]:
    found: list[Named] = []
    for item in reader.sequence(node, "dependants"):
        name = reader.name(item, "dependant", NAME)
        if name is not None and name in [n.name for n in found]:
            reader.error("TSS-019", item.position, f"dependant {short(name)} is listed twice")
        elif name is not None:
            found.append(Named(name, item.position))
    return tuple(found)


def read_restart(reader: Reader, node: Node, in_component: bool = False) -> Restart:
    """A policy alone, or the keys; a component does not know what other instances there are."""
    if not isinstance(node, Mapping):
        return Restart(policy=reader.choice(node, "restart policy", POLICIES))
    reader.keys(node, "restart", tuple(KEYS)[:4] if in_component else KEYS)
    policy, backoff, limit, then, dependants = (node.get(key) for key in KEYS)
    return Restart(
        reader.choice(policy, "restart policy", POLICIES) if policy is not None else None,
        _backoff(reader, backoff) if backoff is not None else None,
        _limit(reader, limit) if limit is not None else None,
        reader.choice(then, "restart's then", THEN) if then is not None else None,
        _dependants(reader, dependants) if dependants is not None and not in_component else None)
