# SPDX-License-Identifier: BSD-2-Clause
"""`tessera hardening`: options and manifest beside the recommended ones, word for word."""
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import REPOSITORY

from generator import hardening

Run = Callable[..., subprocess.CompletedProcess[str]]

KCONFIG = "".join(f"config {name}\n\tbool \"{name}\"\n\tdefault y\n" for name, wanted, _ in hardening.OPTIONS
                  if wanted in "yn") + 'config PERTURB\n\tint "PERTURB"\n\tdefault 0\n'
SYSTEM = """tessera: 1
system: product
config: product_defconfig
instances:
  serial: {component: drivers/serial}
  log: {component: servers/log, connect: {terminal: {to: serial, mode: HARDENED}}}
"""
WEAK = """product: 10 of 15 settings are as recommended
  CONFIG_SMEP: n, recommended: y
    why: the kernel cannot be led to run code of a unit
    price: nothing that the bench sees
  CONFIG_RETPOLINE: n, recommended: y
    why: what a unit has taught the branch predictor does not steer the kernel
    price: null_syscall 22 -> 1,076, 2 more rows of the bench
  CONFIG_POISON: n, recommended: y
    why: freed memory does not keep its secrets, and what is used after it was freed shows
    price: boot_to_init 1 -> 2; writing each frame that is freed
  connections that list the methods called: 0 of 1, recommended: all
    why: a client that was taken over calls nothing that it has no business with
    price: nothing
    not so: log.terminal -> serial
  rules of who may reach whom: 0, recommended: 1 or more
    why: a change of the manifest that lets more be reached than was meant does not build
    price: nothing
  as recommended: CONFIG_SMAP, CONFIG_UMIP, CONFIG_KASLR, CONFIG_STACK_PROTECTOR, CONFIG_PTI, CONFIG_GUARD_PAGES, \
CONFIG_AUDIT, CONFIG_PERTURB, CONFIG_TRACK_GRANTS, connections that are HARDENED or PARANOID
"""


@pytest.fixture
def product(tree: Path) -> Path:
    """A manifest, options and figures of its own."""
    (tree / "Kconfig").write_text(KCONFIG)
    (tree / "configs" / "product_defconfig").write_text(
        "# CONFIG_AUDIT is not set\n# CONFIG_TRACK_GRANTS is not set\n# CONFIG_SMEP is not set\n"
        "# CONFIG_RETPOLINE is not set\n# CONFIG_POISON is not set\n")
    (tree / "product.yaml").write_text(SYSTEM)
    (tree / "components" / "interfaces" / "terminal.yaml").write_text(
        "interface: terminal\ndescription: test\nmethods:\n  write: {number: 1, doc: test}\n")
    figures = tree / "tests" / "bench"
    figures.mkdir(parents=True)
    (figures / "hardening.json").write_text(json.dumps({"prices": {
        "SMEP": {}, "POISON": {"boot_to_init": [1, 2]},
        "RETPOLINE": {"null_syscall": [22, 1076], "yield_cross": [1, 2], "map_page": [1, 2]}}}))
    return tree


def test_what_is_weaker_is_named_with_reason_and_price(product: Path, tessera: Run) -> None:
    done = tessera("hardening", "product.yaml")
    assert (done.stdout, done.stderr, done.returncode) == (WEAK, "", 1)


def test_all_as_recommended_is_status_0(product: Path, tessera: Run) -> None:
    config = product / "good.config"
    config.write_text("# CONFIG_AUDIT is not set\n# CONFIG_TRACK_GRANTS is not set\n")
    text = SYSTEM.replace("mode: HARDENED", "mode: HARDENED, methods: [write]")
    (product / "product.yaml").write_text(text + "policy:\n  - only: {who: [log], may_use: serial}\n")
    done = tessera("hardening", "product.yaml", "--config", str(config))
    names = ", ".join(f"CONFIG_{name}" for name, _, _ in hardening.OPTIONS)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", (
        f"product: 15 of 15 settings are as recommended\n  as recommended: {names}, connections that are HARDENED or "
        "PARANOID, connections that list the methods called, rules of who may reach whom\n"))


def test_as_json(product: Path, tessera: Run) -> None:
    (product / "tests" / "bench" / "figures.json").write_text(json.dumps({"rows": {
        "ipc_rt_register_cross": {"median": 219, "max": 219},
        "ipc_rt_register_cross_hardened": {"median": 1346, "max": 1346}}}))
    (product / "product.yaml").write_text(SYSTEM.replace("HARDENED", "FAST"))
    done = tessera("hardening", "product.yaml", "--json")
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert rows["CONFIG_SMEP"] == {"what": "CONFIG_SMEP", "has": "n", "wanted": "y", "good": False, "which": [],
                                   "why": "the kernel cannot be led to run code of a unit",
                                   "price": "nothing that the bench sees"}
    fast = rows["connections that are HARDENED or PARANOID"]
    assert fast["price"] == "a round trip in registers 219 -> 1,346" and fast["which"] == ["log.terminal -> serial"]


def test_without_its_configuration_it_is_refused(product: Path, tessera: Run) -> None:
    (product / "configs" / "product_defconfig").unlink()
    done = tessera("hardening", "product.yaml")
    assert done.returncode == 1 and "error TSS-" in done.stderr and "product_defconfig" in done.stderr
    done = tessera("hardening", "product.yaml", "--config", "nowhere")
    assert done.returncode == 1 and "error TSS-" in done.stderr and "Traceback" not in done.stderr


def test_every_switch_that_is_recommended_is_an_option_with_a_kept_price() -> None:
    """The real tree: names of options, and figures for each that is to be on."""
    text = (REPOSITORY / "kernel" / "Kconfig").read_text()
    kept = json.loads((REPOSITORY / "tests" / "bench" / "hardening.json").read_text())["prices"]
    assert [name for name, _, _ in hardening.OPTIONS if f"\nconfig {name}\n" not in text] == []
    assert sorted(kept) == sorted(name for name, wanted, _ in hardening.OPTIONS if wanted == "y")
    assert any(rows for rows in kept.values())
