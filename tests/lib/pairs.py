# SPDX-License-Identifier: BSD-2-Clause
"""Configurations that together try every pair of option values: a small greedy covering array over Kconfig.

A pair that Kconfig does not let come about (an option whose dependency is off) is set aside, with the option at fault.
"""
from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import Any

import kconfiglib

from lib.images import TOP

Value = tuple[str, str]  # option, value
Pair = frozenset[Value]


@dataclass
class Cover:
    """What `cover` found: configurations as text, and the pairs that cannot be."""

    rows: list[str] = field(default_factory=list)
    impossible: dict[Pair, str] = field(default_factory=dict)


def read_options() -> Any:
    """The tree's options. kconfiglib takes the tree from the environment, which others inherit from here."""
    before = os.environ.get("srctree")
    os.environ["srctree"] = str(TOP)
    try:
        return kconfiglib.Kconfig("Kconfig", warn=False)
    finally:
        del os.environ["srctree"]
        if before is not None:
            os.environ["srctree"] = before


def options(kconf: Any) -> dict[str, tuple[str, ...]]:
    """Every option that a user can set, with the values to try: a number's least, most and default."""
    found: dict[str, tuple[str, ...]] = {}
    for choice in kconf.unique_choices:
        found[choice.name] = tuple(symbol.name for symbol in choice.syms)
    for symbol in kconf.unique_defined_syms:
        if symbol.choice is not None or not any(node.prompt for node in symbol.nodes):
            continue
        if symbol.orig_type == kconfiglib.BOOL:
            found[symbol.name] = ("n", "y")
        elif symbol.orig_type in (kconfiglib.INT, kconfiglib.HEX):
            low, high, _ = symbol.ranges[0]
            found[symbol.name] = tuple(dict.fromkeys((low.str_value, high.str_value, symbol.str_value)))
        else:
            raise AssertionError(f"{symbol.name}: which values of a text are to be tried?")
    return found


def assign(kconf: Any, values: dict[str, str]) -> None:
    """Sets options; those of `values` come first to last."""
    kconf.unset_values()
    for name, value in values.items():
        if name in kconf.named_choices:
            kconf.syms[value].set_value("y")
        else:
            kconf.syms[name].set_value(value)


def result(kconf: Any, names: Any) -> dict[str, str]:
    """What came out; an option that cannot be set has no value."""
    found = {}
    for name in names:
        choice = kconf.named_choices.get(name)
        if choice is not None:
            found[name] = choice.selection.name if choice.selection is not None else ""
        else:
            found[name] = kconf.syms[name].str_value if kconf.syms[name].visibility else ""
    return found


def pairs_of(values: dict[str, str]) -> set[Pair]:
    return {frozenset(pair) for pair in itertools.combinations(sorted(values.items()), 2)}


def _extend(row: dict[str, str], left: set[Pair], space: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Gives every other option the value that meets most pairs that are left."""
    for name, values in space.items():
        if name not in row:
            gains = {value: sum(frozenset(((name, value), other)) in left for other in row.items()) for value in values}
            row[name] = max(values, key=lambda value: gains[value])
    return row


def cover() -> Cover:
    """All pairs of the tree's options."""
    kconf = read_options()
    space = options(kconf)
    left = {frozenset(((a, x), (b, y))) for a, b in itertools.combinations(sorted(space), 2)
            for x in space[a] for y in space[b]}
    found = Cover()
    everything = {name: "y" for name, values in space.items() if "y" in values}  # whatever a target may depend on
    starts: tuple[dict[str, str], ...] = ({}, everything)
    while left:
        target = min(left, key=sorted)
        for start in starts:
            assign(kconf, _extend({**start, **dict(sorted(target))}, left, space))
            came_out = result(kconf, space)
            met = left & pairs_of(came_out)
            if target in met:
                break
        else:
            wrong = [name for name, value in sorted(target) if came_out[name] != value]
            found.impossible[target] = wrong[0]
            left.discard(target)
        if met:
            found.rows.append("".join(str(symbol.config_string) for symbol in kconf.unique_defined_syms))
            left -= met
    return found
