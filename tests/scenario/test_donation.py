# SPDX-License-Identifier: BSD-2-Clause
"""Priority inheritance is what makes the inversion scenarios pass: without CONFIG_DONATION exactly those fail.

The three-deep one is components/apps/ktest's inversion_three_deep: a server under a server under a hog, with an urgent
caller above it. With donation the caller is done while the hog still runs; without, the caller waits for the hog.
"""
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from lib import symbols
from lib.images import iso
from lib.vm import VM, output_folder, primary_clock
from scenario.test_build import make

HELPED = {"inversion_three_deep", "queued_caller_helps", "donation_ends_with_the_reply", "helper_times_out",
          "deferred_reply_lends_nothing", "receivers_alternate", "donation_follows_the_reply",
          "a_deferred_caller_lends_to_the_worker", "budget_pays_for_the_server",
          "server_of_a_spent_client_is_helped"}
TIMEOUT_S = 240


def failures(image: Path, kernel: Path, name: str) -> dict[str, str]:
    """The tests of ktest that fail on this image, and why."""
    machine = replace(primary_clock(), iso=image)
    with VM(machine, output_folder() / "consoles" / f"donation.{name}.txt", symbols.load(kernel)) as vm:
        vm.expect(r"\ndone \d+ passed, \d+ failed\n", TIMEOUT_S)
        return dict(re.findall(r"^not ok (\w+): (.*)$", vm.console, re.M))


def test_with_donation_the_urgent_caller_does_not_wait_for_the_hog() -> None:
    found = failures(iso("ktest"), output_folder() / "kernel" / "kernel.sym", "with")
    assert not HELPED & found.keys()


def test_without_donation_it_waits_for_the_hog(tmp_path: Path) -> None:
    make(tmp_path, "dev_defconfig")
    config = tmp_path / ".config"
    text = config.read_text()
    assert "CONFIG_DONATION=y\n" in text
    config.write_text(text.replace("CONFIG_DONATION=y\n", "# CONFIG_DONATION is not set\n"))
    make(tmp_path, "image", "SYSTEM=ktest")
    found = failures(tmp_path / "ktest" / "ktest.iso", tmp_path / "kernel" / "kernel.sym", "without")
    assert found.keys() == HELPED, found
    assert "caller->done got 0x0 want 0x1" in found["inversion_three_deep"]
