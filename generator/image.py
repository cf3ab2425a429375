# SPDX-License-Identifier: BSD-2-Clause
"""image: kernel and bundle -> a bootable ISO (BIOS and UEFI; also as a USB stick), the same bytes every time.

grub-mkimage makes one boot image a firmware with only the modules that are needed; xorriso puts them, the kernel and
the bundle together. All dates and serial numbers are fixed. Works in a scratch folder that the caller gives.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path
from string import Template

from generator.diagnostics import Diagnostic, Position, Refused, short

EPOCH = 1577836800  # 2020-01-01: the date of every file; no meaning beyond being the same
GRUB = Path("/usr/lib/grub")
MODULES = ("iso9660", "multiboot2", "normal", "configfile", "search", "search_fs_file", "part_msdos", "part_gpt",
           "echo", "terminal", "test")
BIOS_MODULES = ("biosdisk", "serial", "vbe")
EFI_MODULES = ("fat", "serial", "efi_gop")
EMBEDDED = "search --no-floppy --set=root --file /boot/bundle.bin\nset prefix=($root)/boot/grub\n" \
    "configfile $prefix/grub.cfg\n"


def check_append(append: str) -> None:
    """Refuses what could leave the kernel's command line and become a command of GRUB."""
    if not re.fullmatch(r"[A-Za-z0-9_.,:=/+ -]*", append):
        raise Refused([Diagnostic("TSS-013", Position("--append"), f"{short(append)} cannot stand on the kernel's "
                                  "command line", "use letters, digits, blanks and _ . , : = / + -")])


def grub_config(template: str, root_hash: str, append: str, video: str) -> str:
    """images/grub.cfg.in with the hash, the extra kernel command line and the screen filled in.

    `video` is `text`, which only a BIOS has, or WIDTHxHEIGHT, which any firmware is asked for.
    """
    screen = 'if [ "$grub_platform" = pc ]; then set gfxpayload=text; fi' if video == "text" else (
        f"set gfxpayload={video}x32,{video},auto")
    return Template(template).substitute(root=root_hash, append=f" {append}" if append else "", screen=screen)


def _run(work: Path, *command: str | Path) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1"}
    words = [str(word) for word in command]
    try:
        result = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position(words[0]), f"cannot be run: {error.strerror}",
                                  "run `make setup`")]) from None
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise Refused([Diagnostic("TSS-080", Position(words[0]), f"failed: {last}", "run `make setup`")])


def _mkimage(work: Path, platform: str, output: str, modules: tuple[str, ...]) -> None:
    folder = GRUB / platform.removesuffix("-eltorito")
    _run(work, "grub-mkimage", "-d", folder, "-O", platform, "-p", "/boot/grub", "-c", "embedded.cfg", "-o", output,
         *MODULES, *modules)


def _esp(work: Path) -> None:
    """The FAT image that UEFI boots: one file, fixed serial number."""
    size = (work / "boot.efi").stat().st_size // 1024 + 64
    (work / "esp.img").write_bytes(bytes((size + 31) // 32 * 32 * 1024))
    _run(work, "mformat", "-i", "esp.img", "-N", "54455353", "-v", "TESSERA", "::")
    _run(work, "mmd", "-i", "esp.img", "::/EFI", "::/EFI/BOOT")
    os.utime(work / "boot.efi", (EPOCH, EPOCH))
    _run(work, "mcopy", "-m", "-i", "esp.img", "boot.efi", "::/EFI/BOOT/BOOTX64.EFI")


def iso(work: Path, kernel: Path, bundle: bytes, config: str) -> bytes:
    """The ISO as bytes; `work` is an empty folder that may be thrown away afterwards."""
    tree = work / "tree"
    (tree / "boot" / "grub").mkdir(parents=True)
    (work / "embedded.cfg").write_text(EMBEDDED)
    _mkimage(work, "i386-pc-eltorito", "tree/boot/grub/bios.img", BIOS_MODULES)
    _mkimage(work, "x86_64-efi", "boot.efi", EFI_MODULES)
    _esp(work)
    shutil.move(work / "esp.img", tree / "boot" / "grub" / "efi.img")
    (tree / "boot" / "grub" / "grub.cfg").write_text(config)
    shutil.copyfile(kernel, tree / "boot" / "kernel.elf")
    (tree / "boot" / "bundle.bin").write_bytes(bundle)
    for path in sorted(tree.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))
    os.utime(tree, (EPOCH, EPOCH))
    _run(work, "xorriso", "-as", "mkisofs", "-quiet", "-o", "out.iso", "-V", "TESSERA", "-r",
         "--modification-date=2020010100000000", "--sort-weight", "0", "/",
         "--grub2-mbr", GRUB / "i386-pc" / "boot_hybrid.img", "--protective-msdos-label",
         "-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
         "-eltorito-alt-boot", "-e", "boot/grub/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat", "tree")
    return (work / "out.iso").read_bytes()
