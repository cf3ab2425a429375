# SPDX-License-Identifier: BSD-2-Clause
"""Security modes, from the manifest to what bites: the system `modes` has connections of each, and clients that
misbehave.

What the kernel itself promises of each mode is in components/apps/ktest/test_mode.c and test_paranoid.c.
"""
from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lib.hardening import kernel, machine
from lib.images import TOP, variant
from lib.tables import PLACE, PLACES
from lib.vm import PROMPT, VM
from scenario.conftest import Boot

QUIET_S = 1.0
IMAGE_AND_STACK = (4, 5, 6, 7)  # TSS_SLOT_TEXT and the next


def audited(console: str, path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What `tessera audit` says of that text."""
    path.write_text(console)
    return subprocess.run(["/usr/bin/python3", "generator/tessera", "audit", str(path), *options], cwd=TOP,
                          capture_output=True, text=True, timeout=60)


def modes_of(vm: VM) -> dict[tuple[str, str], tuple[str, int]]:
    """(client, server) -> mode and violations, as the shell's `mode` prints them."""
    return {(m[1], m[2]): (m[3], int(m[4])) for m in re.finditer(
        r"^(\S+) +-> (\S+) +badge +\d+ (\w+) +methods \w+ violations (\d+)$", vm.command("mode"), re.M)}


def settled(boot: Boot) -> VM:
    """The system when its clients have done what they do and rogue has had its two lives."""
    vm = boot("modes")
    vm.expect(PROMPT)
    vm.expect(r"unit rogue: ended more than 1 times", timeout=60)
    vm.quiet(QUIET_S)
    return vm


def test_clients_that_keep_to_what_they_declared_notice_nothing(boot: Boot) -> None:
    vm = settled(boot)
    assert "[ping] 8 replies\n" in vm.console
    assert "[careful] 8 replies\n" in vm.console
    modes = modes_of(vm)
    assert modes["ping", "guarded"] == ("HARDENED", 0)
    assert modes["careful", "vault"] == ("PARANOID", 0)
    assert modes["careful", "log"] == ("FAST", 0)
    assert modes["vault", "log"] == ("HARDENED", 0)


def addresses(vm: VM, name: str) -> dict[int, int]:
    """Slot of each mapped MEMORY capability -> where it is, as the shell's `caps` says."""
    return {int(m[1]): int(m[2], 16) for m in
            re.finditer(r"^(\d+) memory .* at=(0x[0-9a-f]+)", vm.command(f"caps {name}"), re.M)}


def test_who_speaks_in_mode_paranoid_comes_back_elsewhere(boot: Boot) -> None:
    """Image and stack together; what else it has stays, and so does who speaks in no such mode."""
    vm = settled(boot)
    seen = [addresses(vm, "vault")]
    assert set(IMAGE_AND_STACK) <= set(seen[0])
    calm = addresses(vm, "guarded")
    for _ in range(3):
        assert "restart vault: done" in vm.command("restart vault")
        seen.append(addresses(vm, "vault"))
    places = [now[IMAGE_AND_STACK[0]] // PLACE for now in seen]
    assert len(set(places)) == len(places) and all(place in PLACES for place in places)
    for now, place in zip(seen, places):
        assert {slot: at - place * PLACE * (slot in IMAGE_AND_STACK) for slot, at in now.items()} == \
            {slot: at - places[0] * PLACE * (slot in IMAGE_AND_STACK) for slot, at in seen[0].items()}
    assert "restart guarded: done" in vm.command("restart guarded")
    assert addresses(vm, "guarded") == calm
    assert "audit: all adds up" in vm.command("audit")


def test_a_method_that_is_not_listed_is_refused_and_counted(boot: Boot) -> None:
    vm = settled(boot)
    assert "[narrow] 4 replies\n" in vm.console
    assert modes_of(vm)["narrow", "guarded"] == ("HARDENED", 4)


def test_a_rate_is_kept(boot: Boot) -> None:
    vm = settled(boot)
    assert "[hasty] 3 replies\n" in vm.console
    assert re.search(r"^hasty +-> vault +badge +\d+ calls 3 sends 0 refused 5 PARANOID$", vm.command("connections"),
                     re.M)


def test_who_breaks_a_rule_of_a_paranoid_connection_is_stopped(boot: Boot) -> None:
    """The first forbidden message ends it, its supervisor hears why and restarts it once; the record has both."""
    vm = settled(boot)
    assert "[rogue]" not in vm.console
    assert vm.console.count("unit rogue: fault MESSAGE at 0x10000000004 ip rogue+") == 2
    assert re.search(r"^ *\d+ rogue +dead ", vm.command("ps"), re.M)
    assert modes_of(vm)["rogue", "vault"] == ("PARANOID", 2)
    assert modes_of(vm)["careful", "vault"] == ("PARANOID", 0)


def test_the_record_is_whole_and_says_what_happened(boot: Boot, tmp_path: Path) -> None:
    console = settled(boot).console
    done = audited(console, tmp_path / "console", "--list")
    assert done.returncode == 0, done.stderr
    of = {name: re.findall(rf" (\w+) +{name} (?:->|<-) vault ", done.stdout)
          for name in ("careful", "hasty", "rogue", "ping")}
    assert of["careful"] == ["MODE", *(["CALL", "REPLY"] * 8)]
    assert of["hasty"] == ["MODE", *(["CALL", "REPLY"] * 3)]
    assert of["rogue"] == ["MODE", *(["CALL", "REPLY", "VIOLATION"] * 2)]
    assert of["ping"] == []
    assert ", 2 violations;" in done.stdout


def test_tampering_is_found(boot: Boot, tmp_path: Path) -> None:
    console = settled(boot).console
    lines = re.findall(r"\[audit\] record \w+ \w+\n", console)
    assert len(lines) > 20
    head = lines[-1].split()[-1]
    assert audited(console, tmp_path / "console", "--head", head).returncode == 0
    middle = lines[10]
    digit = middle.index("record ") + 40
    changed = middle[:digit] + ("0" if middle[digit] != "0" else "1") + middle[digit + 1:]
    for name, text in (("changed", console.replace(middle, changed)), ("left out", console.replace(middle, "")),
                       ("in another order", console.replace(middle + lines[11], lines[11] + middle)),
                       ("cut off", console.replace(lines[-1], ""))):
        done = audited(text, tmp_path / "console", "--head", head)
        assert text != console and done.returncode == 1 and "TSS-115" in done.stderr, name


def test_modes_are_raised_and_never_loosened(boot: Boot) -> None:
    vm = settled(boot)
    assert "4 replies" in vm.command("ping")
    assert "done" in vm.command("mode shell echo HARDENED")
    assert modes_of(vm)["shell", "echo"] == ("HARDENED", 0)
    assert "4 replies" in vm.command("ping")
    assert "a mode is only ever raised" in vm.command("mode shell echo FAST")
    assert "done" in vm.command("mode shell echo PARANOID")
    assert "4 replies" in vm.command("ping")
    for mode in ("FAST", "HARDENED"):
        assert "a mode is only ever raised" in vm.command(f"mode shell echo {mode}")
    assert modes_of(vm)["shell", "echo"] == ("PARANOID", 0)
    assert "no such instance" in vm.command("mode shell nobody HARDENED")
    assert "usage" in vm.command("mode shell echo SAFE")


def test_only_whom_the_manifest_lets_raises_modes(boot: Boot) -> None:
    vm = boot("demo")
    vm.expect(PROMPT)
    assert "refused: the manifest does not allow it" in vm.command("mode shell echo HARDENED")


def test_the_chain_goes_on_when_its_writer_is_restarted(boot: Boot, tmp_path: Path) -> None:
    vm = settled(boot)
    assert "done" in vm.command("mode shell echo PARANOID")
    for _ in range(3):
        assert "4 replies" in vm.command("ping")
        assert "done" in vm.command("kill audit")
        vm.expect("unit audit: restarted")
    assert "4 replies" in vm.command("ping")
    vm.quiet(QUIET_S)
    done = audited(vm.console, tmp_path / "console", "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" CALL      shell -> echo ") == 16


def test_without_a_reader_everything_paranoid_is_refused(boot: Boot, tmp_path: Path) -> None:
    """Nobody takes records: the ring fills up, and then fails closed; FAST connections go on."""
    text = (TOP / "manifests" / "modes.yaml").read_text()
    line = "audit:   {component: servers/audit, connect: {out: log}}"
    assert line in text
    (tmp_path / "modes.yaml").write_text(text.replace(line, line.replace("out: log}", "out: log}, restart: never")))
    folder = variant(str(tmp_path / "modes.yaml"), "unread")
    vm = boot("modes", image_file=folder / "modes.iso")
    vm.expect(PROMPT)
    vm.expect(r"unit rogue: ended more than 1 times", timeout=60)
    assert "done" in vm.command("kill audit")
    assert "4 replies" in vm.command("ping")
    assert "done" in vm.command("mode shell echo PARANOID")
    answers = [vm.command("ping") for _ in range(40)]
    full = [n for n, answer in enumerate(answers) if "AUDIT_FULL" in answer]
    assert full and full == list(range(full[0], 40)) and 25 < full[0] < 40
    assert "reincarnation" in vm.command("ps")


def test_the_kernels_copy_of_a_paranoid_message_is_wiped(boot: Boot, tmp_path: Path) -> None:
    """All of memory is searched for what ktest has sent last: a HARDENED message is still in a place of the queue."""
    vm = boot("ktest")
    vm.expect(r"\ndone \d+ passed", timeout=240)
    assert found(vm, tmp_path, 0x0123456789abcdef) >= 1, "the search finds nothing at all"
    assert found(vm, tmp_path, 0x0fedcba987654321) == 0


def found(vm: VM, folder: Path, seed: int) -> int:
    """How often the words that ktest makes of a seed are in the machine's memory."""
    vm.qmp("pmemsave", val=0, size=128 << 20, filename=str(folder / "memory"))
    words = b"".join((seed * (2 * i + 1) % 2**64).to_bytes(8, "little") for i in range(16, 20))
    return (folder / "memory").read_bytes().count(words)


@pytest.mark.parametrize("poisoned", [False, True])
def test_what_a_unit_frees_is_scrubbed_by_its_strictest_mode(poisoned: bool, boot: Boot, tmp_path: Path) -> None:
    """Units at either end of a HARDENED connection, and one with none, which only CONFIG_POISON scrubs."""
    vm = boot("ktest") if poisoned else boot("ktest", machine(kernel("open"), "ktest"))
    vm.expect(r"\ndone \d+ passed", timeout=240)
    plain, client, server = (found(vm, tmp_path, seed << 60 | 0x123456789abcdef) for seed in (1, 2, 3))
    assert (plain == 0) == poisoned
    assert (client, server) == (0, 0)


@pytest.mark.parametrize("system", ["demo", "modes"])
def test_the_report_shows_modes(system: str, tmp_path: Path) -> None:
    done = subprocess.run(["/usr/bin/python3", "generator/tessera", "graph", system], cwd=TOP, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ("connection PARANOID" in done.stdout) == (system == "modes")
