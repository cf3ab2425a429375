# SPDX-License-Identifier: BSD-2-Clause
"""image: kernel and bundle -> what boots, the same bytes every time.

`iso`: for BIOS and UEFI, CD or USB stick. `disk`: the same on a raw disk with a partition for data (ext2, empty).
`qcow2`: the disk in QEMU's format. grub-mkimage makes one boot image a firmware with only the modules that are needed.
With a `Key` both check the signatures of kernel, bundle and grub.cfg, nobody can type commands to GRUB, and GRUB for
UEFI is signed for secure boot; the certificate, which the firmware must be told, lies beside it.
All dates and serial numbers are fixed. Works in a scratch folder that the caller gives.
"""
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from generator.diagnostics import Diagnostic, Position, Refused, short

EPOCH = 1577836800  # 2020-01-01: the date of every file; no meaning beyond being the same
EPOCH_TEXT = "2020-01-01 00:00:00"
GRUB = Path("/usr/lib/grub")
MODULES = ("multiboot2", "normal", "configfile", "search", "search_fs_file", "part_msdos", "part_gpt", "echo",
           "terminal", "test", "sleep", "true")
BIOS_MODULES = ("biosdisk", "serial", "vbe")
EFI_MODULES = ("fat", "serial", "efi_gop")
SIGNING_MODULES = ("pgp", "gcry_rsa", "gcry_sha256")
EMBEDDED = "search --no-floppy --set=root --file /boot/bundle.bin\nset prefix=($root)/boot/grub\n" \
    "configfile $prefix/grub.cfg\n"
# No command line and no editing of entries without a password, and there is none.
LOCKED = "set check_signatures=enforce\nset superusers=nobody\nexport superusers\n"
SIGNED = ("boot/kernel.elf", "boot/bundle.bin", "boot/grub/grub.cfg")
KEY_USER = "Tessera boot key"

SECTOR = 512
BOOT_START = 2048  # sectors; GRUB's own code lies before it
DATA_SIZE = 8 << 20
LABEL_CODE = 440  # bytes of the first sector that are code; the partition table follows
DRIVE_CHECK = 0x66  # in boot.img: a jump that lets it believe any drive number that the BIOS tells (GRUB's boot.h)
DATA_UUID = "54455353-4552-4100-8000-000000000001"


@dataclass(frozen=True)
class Key:
    """A folder with what `make_key` writes: boot.pub and boot.key for GRUB, secure.pem and secure.key for firmware."""

    folder: Path


@dataclass(frozen=True)
class Contents:
    """What an image boots; with a key, signed by it."""

    kernel: Path
    bundle: bytes
    config: str
    key: Key | None = None


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
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "1",
                   "E2FSPROGS_FAKE_TIME": str(EPOCH)}
    words = [str(word) for word in command]
    try:
        result = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Refused([Diagnostic("TSS-080", Position(words[0]), f"cannot be run: {error.strerror}",
                                  "run `make setup`")]) from None
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise Refused([Diagnostic("TSS-080", Position(words[0]), f"failed: {last}", "run `make setup`")])


def _mkimage(work: Path, platform: str, output: str, modules: tuple[str, ...], key: Key | None) -> None:
    folder = GRUB / platform.removesuffix("-eltorito")
    words: list[str | Path] = ["grub-mkimage", "-d", folder, "-O", platform, "-p", "/boot/grub", "-c", "embedded.cfg",
                               "-o", output]
    if key is not None:
        words += ["-k", key.folder.resolve() / "boot.pub"]
        modules = (*modules, *SIGNING_MODULES)
    if key is not None and platform == "x86_64-efi":
        words.append("--disable-shim-lock")  # its own signatures, which are enforced, say what it may start
    _run(work, *words, *MODULES, *modules)
    if key is not None and platform == "x86_64-efi":
        _sign_for_firmware(work, output, key)


def _gpg(work: Path, *words: str | Path) -> None:
    """gpg with a home of its own in `work`, at a fixed time, and without its agent afterwards."""
    home = work / "gnupg"
    home.mkdir(mode=0o700, exist_ok=True)
    _run(work, "gpg", "--homedir", home, "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback",
         "--passphrase", "", "--faked-system-time", f"{EPOCH}!", *words)


def _openssl(work: Path, *words: str | Path) -> None:
    _run(work, "faketime", "-f", EPOCH_TEXT, "openssl", *words)


def _make_firmware_key(work: Path, folder: Path) -> None:
    """A certificate that signs itself, for the firmware's list of what may be started (`db`)."""
    _openssl(work, "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "36500", "-subj",
             f"/CN={KEY_USER}/", "-keyout", "secure.key", "-out", "secure.pem")
    (work / "secure.key").chmod(0o600)
    shutil.copy(work / "secure.pem", folder / "secure.pem")
    shutil.move(work / "secure.key", folder / "secure.key")


def _sign_for_firmware(work: Path, file: str, key: Key) -> None:
    """Signs a program for UEFI, at a fixed time, for the signature tells it; leaves the certificate as `boot.cer`."""
    folder = key.folder.resolve()
    _run(work, "faketime", "-f", EPOCH_TEXT, "sbsign", "--key", folder / "secure.key", "--cert", folder / "secure.pem",
         "--output", file, file)
    _openssl(work, "x509", "-in", folder / "secure.pem", "-outform", "DER", "-out", "boot.cer")


def _gpg_end(work: Path) -> None:
    _run(work, "gpgconf", "--homedir", work / "gnupg", "--kill", "gpg-agent")


def make_key(work: Path, folder: Path) -> Key:
    """The key in `folder`; a new one (RSA, which GRUB can check) if there is none. boot.key stays unencrypted."""
    if not (folder / "boot.key").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _gpg(work, "--quick-gen-key", KEY_USER, "rsa3072", "sign", "never")
        _gpg(work, "--output", "boot.pub", "--export", KEY_USER)
        _gpg(work, "--output", "boot.key", "--export-secret-keys", KEY_USER)
        _gpg_end(work)
        (work / "boot.key").chmod(0o600)
        shutil.copy(work / "boot.pub", folder / "boot.pub")
        shutil.move(work / "boot.key", folder / "boot.key")
        shutil.rmtree(work / "gnupg")
    if not (folder / "secure.key").exists():
        _make_firmware_key(work, folder)
    return Key(folder)


def _sign(work: Path, tree: Path, key: Key) -> None:
    """A detached signature beside each file that GRUB reads."""
    _gpg(work, "--import", key.folder.resolve() / "boot.key")
    for name in SIGNED:
        _gpg(work, "--digest-algo", "SHA256", "--output", tree / f"{name}.sig", "--detach-sign", tree / name)
    _gpg_end(work)


def _tree(work: Path, contents: Contents) -> Path:
    """The files that GRUB reads, below `work`/tree, and its embedded configuration."""
    tree = work / "tree"
    (tree / "boot" / "grub").mkdir(parents=True)
    (work / "embedded.cfg").write_text((LOCKED if contents.key else "") + EMBEDDED)
    (tree / "boot" / "grub" / "grub.cfg").write_text(contents.config)
    shutil.copyfile(contents.kernel, tree / "boot" / "kernel.elf")
    (tree / "boot" / "bundle.bin").write_bytes(contents.bundle)
    if contents.key is not None:
        _sign(work, tree, contents.key)
    return tree


def _same_times(tree: Path) -> None:
    for path in sorted(tree.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))
    os.utime(tree, (EPOCH, EPOCH))


def _esp(work: Path) -> None:
    """The FAT image that UEFI boots: GRUB, and its certificate if it is signed; fixed serial number."""
    files = {"boot.efi": "BOOTX64.EFI"} | ({"boot.cer": "TESSERA.CER"} if (work / "boot.cer").exists() else {})
    size = sum((work / name).stat().st_size // 1024 + 1 for name in files) + 64
    (work / "esp.img").write_bytes(bytes((size + 31) // 32 * 32 * 1024))
    _run(work, "mformat", "-i", "esp.img", "-N", "54455353", "-v", "TESSERA", "::")
    _run(work, "mmd", "-i", "esp.img", "::/EFI", "::/EFI/BOOT")
    for name, target in files.items():
        os.utime(work / name, (EPOCH, EPOCH))
        _run(work, "mcopy", "-m", "-i", "esp.img", name, f"::/EFI/BOOT/{target}")


def iso(work: Path, contents: Contents) -> bytes:
    """The ISO as bytes; `work` is an empty folder that may be thrown away afterwards."""
    tree = _tree(work, contents)
    _mkimage(work, "i386-pc-eltorito", "tree/boot/grub/bios.img", BIOS_MODULES + ("iso9660",), contents.key)
    _mkimage(work, "x86_64-efi", "boot.efi", EFI_MODULES + ("iso9660",), contents.key)
    _esp(work)
    shutil.move(work / "esp.img", tree / "boot" / "grub" / "efi.img")
    _same_times(tree)
    _run(work, "xorriso", "-as", "mkisofs", "-quiet", "-o", "out.iso", "-V", "TESSERA", "-r",
         "--modification-date=2020010100000000", "--sort-weight", "0", "/",
         "--grub2-mbr", GRUB / "i386-pc" / "boot_hybrid.img", "--protective-msdos-label",
         "-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info",
         "-eltorito-alt-boot", "-e", "boot/grub/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat", "tree")
    return (work / "out.iso").read_bytes()


def _boot_partition(work: Path, tree: Path) -> bytes:
    """FAT, for GRUB and UEFI: GRUB as UEFI starts it, and the tree."""
    (tree / "EFI" / "BOOT").mkdir(parents=True)
    shutil.move(work / "boot.efi", tree / "EFI" / "BOOT" / "BOOTX64.EFI")
    if (work / "boot.cer").exists():
        shutil.move(work / "boot.cer", tree / "EFI" / "BOOT" / "TESSERA.CER")
    _same_times(tree)
    size = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) + (1 << 20)
    (work / "boot.img").write_bytes(bytes((size + 0xfffff) & ~0xfffff))
    _run(work, "mformat", "-i", "boot.img", "-N", "54455353", "-v", "TESSERA", "::")
    for path in sorted(tree.rglob("*")):
        name = f"::/{path.relative_to(tree)}"
        if path.is_dir():
            _run(work, "mmd", "-i", "boot.img", name)
        else:
            _run(work, "mcopy", "-m", "-i", "boot.img", path, name)
    return (work / "boot.img").read_bytes()


def _data_partition(work: Path) -> bytes:
    """ext2, empty."""
    (work / "data.img").write_bytes(bytes(DATA_SIZE))
    _run(work, "/usr/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024", "-U", DATA_UUID, "-L", "data",
         "-E", f"hash_seed={DATA_UUID},lazy_itable_init=0", "data.img")
    return (work / "data.img").read_bytes()


def _entry(active: bool, kind: int, start: int, size: int) -> bytes:
    """A row of the partition table, in sectors; cylinders and heads as for what lies beyond them."""
    beyond = b"\xfe\xff\xff"
    return bytes([0x80 if active else 0]) + beyond + bytes([kind]) + beyond + start.to_bytes(4, "little") + \
        size.to_bytes(4, "little")


def disk(work: Path, contents: Contents) -> bytes:
    """A raw disk: MBR with GRUB for BIOS behind it, a partition that boots (also by UEFI), one for data."""
    tree = _tree(work, contents)
    _mkimage(work, "i386-pc", "core.img", BIOS_MODULES + ("fat",), contents.key)
    _mkimage(work, "x86_64-efi", "boot.efi", EFI_MODULES, contents.key)
    boot, data = _boot_partition(work, tree), _data_partition(work)
    data_start = BOOT_START + len(boot) // SECTOR
    first = bytearray((GRUB / "i386-pc" / "boot.img").read_bytes())
    first[DRIVE_CHECK:DRIVE_CHECK + 2] = b"\x90\x90"
    first[LABEL_CODE:] = b"TESS" + bytes(2) + _entry(True, 0xef, BOOT_START, len(boot) // SECTOR) + \
        _entry(False, 0x83, data_start, len(data) // SECTOR) + bytes(32) + b"\x55\xaa"
    head = bytes(first) + (work / "core.img").read_bytes()
    if len(head) > BOOT_START * SECTOR:
        raise Refused([Diagnostic("TSS-080", Position("grub-mkimage"), "GRUB does not fit before the first partition")])
    return head.ljust(BOOT_START * SECTOR, b"\0") + boot + data


def qcow2(work: Path, contents: Contents) -> bytes:
    """The disk in QEMU's format, with room for what the system writes."""
    (work / "disk.img").write_bytes(disk(work, contents))
    _run(work, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "disk.img", "out.qcow2")
    return (work / "out.qcow2").read_bytes()


FORMATS = {"iso": (iso, "iso"), "disk": (disk, "img"), "qcow2": (qcow2, "qcow2")}  # -> maker, ending of its file
