# SPDX-License-Identifier: BSD-2-Clause
"""hardening: a product's options and manifest beside what is recommended: what differs, why it matters, what it costs.

Prices are what was measured: guest instructions of rows of the bench, without and with (tests/bench/hardening.json for
switches of the kernel, figures.json for modes of connections).
"""
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from generator.check import Link, System

Prices = Mapping[str, Mapping[str, tuple[int, int]]]  # switch -> row of the bench -> without, with

# Option, recommended value, why.
OPTIONS = (
    ("SMEP", "y", "the kernel cannot be led to run code of a unit"),
    ("SMAP", "y", "the kernel cannot be led to take a unit's memory for its own"),
    ("UMIP", "y", "a unit cannot ask the CPU where the kernel has its tables, which is what KASLR hides"),
    ("KASLR", "y", "who can make the kernel jump does not know where to: 17 bits, other ones at each boot"),
    ("STACK_PROTECTOR", "y", "what writes over the end of an array does not choose where a function returns to"),
    ("RETPOLINE", "y", "what a unit has taught the branch predictor does not steer the kernel"),
    ("PTI", "y", "what a CPU reads ahead of its own checks is not the kernel's: a unit's page tables do not have it"),
    ("GUARD_PAGES", "y", "a kernel stack that runs over ends in a panic, not in other data"),
    ("POISON", "y", "freed memory does not keep its secrets, and what is used after it was freed shows"),
    ("AUDIT", "n", "it is test equipment, and who may inspect can have it break the kernel"),
    ("PERTURB", "0", "it ends time slices at random, for tests"),
    ("TRACK_GRANTS", "n", "it is for a test, and takes the short ways through the kernel from all units"),
)
# What no count of instructions, or no row, shows.
UNSEEN = {"PTI": "two loads of CR3 for each way into the kernel and back", "POISON": "writing each frame that is freed"}
ROWS_SHOWN = ("null_syscall", "ipc_rt_register_cross", "ipc_rt_256_cross", "event_signal", "fault_rt_cross",
              "boot_to_init")


@dataclass(frozen=True)
class Finding:
    """One setting. `which`: where it is not as recommended, for settings that stand in many places."""

    what: str
    has: str
    wanted: str
    good: bool
    why: str
    price: str
    which: tuple[str, ...] = ()


def price_of(switch: str, prices: Prices) -> str:
    """What turning a switch on costs, in a few rows of the bench."""
    if switch not in prices:
        return "not measured"
    rows = prices[switch]
    unseen = [UNSEEN[switch]] if switch in UNSEEN else []
    shown = [f"{row} {rows[row][0]:,} -> {rows[row][1]:,}" for row in ROWS_SHOWN if row in rows]
    more = len(rows) - len(shown)
    if not rows:
        return "; ".join(["nothing that the bench sees", *unseen])
    text = ", ".join([*shown, *([f"{more} more row{'s' * (more > 1)} of the bench"] if more else [])])
    return "; ".join([text, *unseen])


def options(values: Mapping[str, str], prices: Prices) -> Iterator[Finding]:
    """The kernel's switches. `values`: of all options, by name."""
    for name, wanted, why in OPTIONS:
        has = values.get(name, "n")
        price = price_of(name, prices) if wanted == "y" else "nothing"
        yield Finding(f"CONFIG_{name}", has, wanted, has == wanted, why, price)


def _name(link: Link) -> str:
    return f"{link.client}.{link.name} -> {link.server}"


def _of_connections(what: str, wanted: str, wrong: Sequence[Link], everything: Sequence[Link], why: str,
                    price: str) -> Finding:
    has = f"{len(everything) - len(wrong)} of {len(everything)}"
    return Finding(what, has, wanted, not wrong, why, price, tuple(_name(link) for link in wrong))


def manifest(system: System, round_trips: Mapping[str, int]) -> Iterator[Finding]:
    """What the manifest says. `round_trips`: mode -> instructions of a call in registers and its answer."""
    links = system.links
    costs = "not measured" if "HARDENED" not in round_trips or "FAST" not in round_trips else \
        f"a round trip in registers {round_trips['FAST']:,} -> {round_trips['HARDENED']:,}"
    yield _of_connections("connections that are HARDENED or PARANOID", "all", [k for k in links if not k.guard.level],
                          links, "methods are checked, what lies behind a message is wiped, queues are not shared",
                          costs)
    limited = {(i.name, c.name) for i in system.manifest.instances for c in i.connects if c.wish.methods is not None}
    limited |= {(i.name, n.name) for i in system.instances for n in i.component.needs if n.methods is not None}
    yield _of_connections("connections that list the methods called", "all",
                          [k for k in links if (k.client, k.name) not in limited], links,
                          "a client that was taken over calls nothing that it has no business with", "nothing")
    rules = [rule for rule in system.manifest.policy if rule.kind in ("never", "only", "isolated")]
    yield Finding("rules of who may reach whom", str(len(rules)), "1 or more", bool(rules) or not links,
                  "a change of the manifest that lets more be reached than was meant does not build",
                  "nothing")


def text(name: str, findings: Sequence[Finding]) -> str:
    """For people: what is not as recommended with reasons, then the names of the rest."""
    good = [finding.what for finding in findings if finding.good]
    lines = [f"{name}: {len(good)} of {len(findings)} settings are as recommended"]
    for finding in findings:
        if finding.good:
            continue
        lines += [f"  {finding.what}: {finding.has}, recommended: {finding.wanted}",
                  f"    why: {finding.why}", f"    price: {finding.price}"]
        lines += [f"    not so: {', '.join(finding.which)}"] if finding.which else []
    return "\n".join([*lines, *([f"  as recommended: {', '.join(good)}"] if good else [])])
