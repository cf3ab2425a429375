# SPDX-License-Identifier: BSD-2-Clause
"""Images other than the ISO: raw disk, qcow2, a kernel given to QEMU; and GRUB that checks signatures."""
from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lib.images import image
from lib.products import direct, make, product
from lib.screen import Screen
from lib.vm import PROMPT, Machine
from scenario.conftest import Boot

FORMATS = {"disk": ("img", "raw"), "qcow2": ("qcow2", "qcow2")}
DATA_PARTITION = 8 << 20
ALL = ("image", "disk", "qcow2")


def on_a_disk(path: Path, kind: str, firmware: str) -> Machine:
    """The image as the machine's only disk; what is written to it is forgotten."""
    drive = f"if=none,id=disk,format={kind},snapshot=on,file={path}"
    return Machine(firmware=firmware, cd=False, extra=("-drive", drive, "-device", "ide-hd,drive=disk,bootindex=1"))


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_disk_boots(name: str, firmware: str, boot: Boot) -> None:
    """Signed, so GRUB on the disk has checked kernel, bundle and configuration."""
    ending, kind = FORMATS[name]
    file = product("vault", *ALL) / f"vault.{ending}"
    vm = boot("vault", on_a_disk(file, kind, firmware), image_file=product("vault", *ALL) / "vault.iso")
    vm.expect(PROMPT, timeout=90)


def test_the_data_partition_is_a_file_system(tmp_path: Path) -> None:
    raw = (product("vault", *ALL) / "vault.img").read_bytes()
    entry = raw[446 + 16:446 + 32]
    start, size = (int.from_bytes(entry[at:at + 4], "little") * 512 for at in (8, 12))
    assert entry[4] == 0x83 and size == DATA_PARTITION and start + size == len(raw)
    (tmp_path / "data").write_bytes(raw[start:])
    subprocess.run(["/usr/sbin/e2fsck", "-fn", str(tmp_path / "data")], check=True, capture_output=True)


def replaced(file: Path, target: Path, old: bytes, new: bytes) -> Path:
    """A copy of an image in which bytes that occur once are others of the same length."""
    data = file.read_bytes()
    assert len(old) == len(new) and data.count(old) == 1
    target.write_bytes(data.replace(old, new))
    return target


@pytest.mark.parametrize("system", ["vault", "hello"])
def test_direct_boot(system: str, boot: Boot) -> None:
    """QEMU's -kernel, no GRUB: the same system, clock, tables and power-off, from a HARDENED and from a DEV kernel."""
    folder = product("vault", *ALL) if system == "vault" else image(system)
    machine = direct(folder)
    vm = boot(system, machine, image_file=folder / f"{system}.iso")
    vm.expect("hello, world" if system == "hello" else r"\[teller\] 8 replies\n")
    if system == "vault":
        assert re.search(r"^ *\d+ keeper +running", vm.command("ps"), re.M)


def test_direct_boot_says_what_is_wrong(boot: Boot, tmp_path: Path) -> None:
    folder = image("hello")
    good = direct(folder)
    option = good.extra.index("-initrd") + 1
    bundle = folder / "bundle.bin"
    for modules, said in ((f"{bundle}", "two modules are needed"), (f"{bundle},{bundle}", "no 64-bit ELF file")):
        broken = replace(good, extra=(*good.extra[:option], modules))
        boot("hello", broken, image_file=folder / "hello.iso").expect(f"direct: .*{said}")


@pytest.mark.parametrize("what", ["bundle", "kernel", "configuration"])
def test_what_is_not_signed_does_not_boot(what: str, boot: Boot, tmp_path: Path) -> None:
    """A bundle that is well-formed but another's, a patched kernel, a changed command line: GRUB refuses each."""
    iso = product("vault", *ALL) / "vault.iso"
    bundle = (product("vault", *ALL) / "bundle.bin").read_bytes()
    old, new = {
        "bundle": (bundle, bundle[:-1] + bytes([bundle[-1] ^ 1])),
        "kernel": (b"multiboot2: module at", b"multiboot2: Module at"),
        "configuration": (b'menuentry "Tessera"', b'menuentry "Tesserb"'),
    }[what]
    vm = boot("vault", image_file=replaced(iso, tmp_path / "other.iso", old, new))
    # A kernel without its bundle is not started either. Without its configuration GRUB would give a command line; to
    # whom, it asks, and there is nobody.
    screen = Screen(vm)
    screen.expect("Enter username:" if what == "configuration" else "bad signature")
    screen.expect("Enter username:" if what == "configuration" else "Tessera does not start")
    assert "Tessera, ABI" not in vm.console


def test_images_are_the_same_elsewhere_and_later(tmp_path: Path) -> None:
    """With the same key all are; the key is what makes two builds of a HARDENED product differ."""
    first = product("vault", *ALL)
    shutil.copytree(first.parent / "keys", tmp_path / "keys")
    make(tmp_path, "SYSTEM=vault", *ALL)
    assert make(tmp_path, "SYSTEM=vault", *ALL).count("Nothing to be done") == len(ALL)
    for ending in ("iso", "img", "qcow2"):
        assert (tmp_path / "vault" / f"vault.{ending}").read_bytes() == (first / f"vault.{ending}").read_bytes(), ending
