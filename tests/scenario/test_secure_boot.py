# SPDX-License-Identifier: BSD-2-Clause
"""A HARDENED product under UEFI's secure boot: the firmware starts only the GRUB that the product's key has signed, and
that starts only the kernel, bundle and configuration that were signed."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lib.images import iso
from lib.products import product
from lib.secure_boot import secure
from lib.vm import PROMPT, VM, Machine
from scenario.conftest import Boot
from scenario.test_images import ALL, replaced

TIMEOUT_S = 180.0


def certificate(folder: Path) -> bytes:
    return subprocess.run(["openssl", "x509", "-in", str(folder / "secure.pem"), "-outform", "DER"], check=True,
                          capture_output=True).stdout


def started(boot: Boot, image: Path, folder: Path, trusted: Path, machine: Machine = Machine()) -> VM:
    """The image on a firmware that trusts the certificate in `trusted` alone."""
    return boot("vault", secure(machine, certificate(trusted), folder), image_file=image)


def test_what_the_firmware_is_told_to_trust_boots(boot: Boot, tmp_path: Path) -> None:
    folder = product("vault", *ALL)
    vm = started(boot, folder / "vault.iso", tmp_path, folder.parent / "keys")
    vm.expect(PROMPT, timeout=TIMEOUT_S)
    assert "profile=HARDENED" in vm.command("config")


def test_the_disk_boots_too(boot: Boot, tmp_path: Path) -> None:
    folder = product("vault", *ALL)
    drive = f"if=none,id=disk,format=raw,snapshot=on,file={folder / 'vault.img'}"
    machine = Machine(cd=False, extra=("-drive", drive, "-device", "ide-hd,drive=disk,bootindex=1"))
    vm = started(boot, folder / "vault.iso", tmp_path, folder.parent / "keys", machine)
    vm.expect(PROMPT, timeout=TIMEOUT_S)


@pytest.mark.parametrize("whose", ["nobody", "another"])
def test_a_loader_that_is_not_signed_by_the_key_is_refused(whose: str, boot: Boot, tmp_path: Path) -> None:
    """An image of a product that is not HARDENED, and the right image where the firmware trusts another key."""
    folder = product("vault", *ALL)
    trusted = folder.parent / "keys"
    if whose == "another":
        trusted = tmp_path
        subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=another/",
                        "-keyout", "secure.key", "-out", "secure.pem"], cwd=tmp_path, check=True, capture_output=True)
    vm = started(boot, iso("hello") if whose == "nobody" else folder / "vault.iso", tmp_path, trusted)
    vm.expect("failed to load [^\n]*: Access Denied", timeout=TIMEOUT_S)
    vm.expect("No bootable option", timeout=TIMEOUT_S)
    assert "Tessera, ABI" not in vm.console and "GRUB" not in vm.console


def test_a_replaced_bundle_is_refused(boot: Boot, tmp_path: Path) -> None:
    """Well-formed, but not what was signed: the firmware starts GRUB, and GRUB refuses."""
    folder = product("vault", *ALL)
    bundle = (folder / "bundle.bin").read_bytes()
    other = replaced(folder / "vault.iso", tmp_path / "other.iso", bundle, bundle[:-1] + bytes([bundle[-1] ^ 1]))
    vm = started(boot, other, tmp_path, folder.parent / "keys")
    vm.expect("error: bad signature", timeout=TIMEOUT_S)
    vm.expect("Tessera does not start", timeout=TIMEOUT_S)
    assert "Tessera, ABI" not in vm.console
