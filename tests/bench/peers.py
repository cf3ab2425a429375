# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-peers`: the rows of build/bench.json beside what Linux pays for the same work on the same machine.

Fetches Debian's cloud kernel through apt into build/peers (no root, nothing is installed), packs linux.c as its
only program, boots it under the primary clock and prints both systems' medians with their ratio. Without package lists
or network it says so and ends with status 77, which the test takes for "skipped".
"""
from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib import plugins  # noqa: E402
from lib.count import Counter  # noqa: E402
from lib.vm import VM, output_folder, primary_clock  # noqa: E402

SKIPPED = 77
META_PACKAGE = "linux-image-cloud-amd64"
ARGUMENTS = "console=ttyS0 quiet nokaslr norandmaps mitigations=off tsc=reliable panic=-1 reboot=t rdinit=/init"
BZIMAGE_ENTRY = 0x100000  # Linux boot protocol: the protected-mode kernel is loaded and entered there
GUEST_TIMEOUT_S = 300
ROW = re.compile(r"^peer (\w+) (\d+) (\d+) (\d+)$", re.M)
FAILED = re.compile(r"^peer-failed .*$", re.M)

# Row of ours, what comes nearest to it in the guest, and what that is.
BESIDE = (
    ("null_syscall", "null_call", "getpid"),
    ("ipc_rt_register_cross", "pipe_1", "1 byte through a pipe to a process and back"),
    ("ipc_rt_register_cross", "eventfd_8", "the same, eventfd"),
    ("ipc_rt_register_same", "futex", "futex to a thread and back"),
    ("ipc_rt_64_cross", "socket_64", "64 bytes through a unix socket and back"),
    ("ipc_rt_256_cross", "socket_256", "256 bytes"),
    ("yield_cross", "yield", "sched_yield with its switch, SCHED_FIFO"),
    ("fault_rt_same", "signal_fault", "SIGSEGV to a handler and back"),
    ("pagefault_zero_page", "first_touch", "first touch of an anonymous page"),
    ("boot_to_init", "boot_to_init", "kernel's entry to the first user instruction"),
)


class Unavailable(Exception):
    """The peer cannot be fetched here; the text says why."""


def apt(*command: str, folder: Path | None = None) -> str:
    """The output of an apt or dpkg command; Unavailable if it says no."""
    try:
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise Unavailable(f"no {command[0]} here") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command)}: {error.stderr.strip() or 'failed'}") from error
    return made.stdout


def kernel_package() -> tuple[str, str]:
    """Name and version of the package that Debian's always-newest one stands for."""
    found = re.search(r"Depends: (linux-image-\d\S*)", apt("apt-cache", "depends", META_PACKAGE))
    if not found:
        raise Unavailable(f"apt knows no {META_PACKAGE}: run apt-get update")
    version = re.search(r"^Version: (.*)$", apt("apt-cache", "show", "--no-all-versions", found[1]), re.M)
    return found[1], version[1] if version else ""


def fetch_kernel(folder: Path) -> tuple[Path, str]:
    """The kernel, and the package it is from; downloaded once a version."""
    name, version = kernel_package()
    label, kernel = f"{name} {version}", folder / "vmlinuz"
    noted = folder / "package"
    if kernel.exists() and noted.exists() and noted.read_text() == label:
        return kernel, label
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        # What is fetched belongs to whoever runs this, so apt's own user could not write here.
        apt("apt-get", "download", "--quiet", "-o", "APT::Sandbox::User=root", name, folder=Path(scratch))
        package = next(Path(scratch).glob("*.deb"))
        apt("dpkg-deb", "--extract", str(package), scratch)
        next((Path(scratch) / "boot").glob("vmlinuz-*")).replace(kernel)
    noted.write_text(label)
    return kernel, label


def archive_entry(name: str, mode: int, data: bytes, device: tuple[int, int] = (0, 0)) -> bytes:
    """One member of a cpio archive (new ASCII format, as the kernel's initramfs documentation has it)."""
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def build_guest(folder: Path) -> Path:
    """The initramfs: /dev/console and the program as /init."""
    source = Path(__file__).with_name("linux.c")
    program = folder / "init"
    subprocess.run(["gcc", "-std=gnu2x", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-pthread", "-o",
                    str(program), str(source)], check=True)
    members = [archive_entry("dev", 0o040755, b""), archive_entry("dev/console", 0o020600, b"", (5, 1)),
               archive_entry("init", 0o100755, program.read_bytes()), archive_entry("TRAILER!!!", 0, b"")]
    archive = folder / "initramfs.cpio"
    archive.write_bytes(b"".join(members))
    return archive


def measure_linux(kernel: Path, archive: Path) -> dict[str, int]:
    """Medians of the guest's rows, in instructions."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "count"
        file.write_bytes(bytes(16))
        count = Counter(file)
        machine = primary_clock()
        extra = (*machine.extra, "-kernel", str(kernel), "-initrd", str(archive), "-append", ARGUMENTS, "-plugin",
                 f"{plugins.built('count')},out={file},entry={BZIMAGE_ENTRY:x}")
        with VM(replace(machine, memory="512M", extra=extra)) as vm:
            vm.expect("peers done", GUEST_TIMEOUT_S)
            failures = FAILED.findall(vm.console)
            if failures:
                raise SystemExit("peers: " + "; ".join(failures))
            rows = {m[1]: int(m[3]) for m in ROW.finditer(vm.console)}
            rows["boot_to_init"] -= count.at_entry()
    return rows


def table(ours: dict[str, int], linux: dict[str, int], label: str) -> str:
    """Both systems' medians, and how many times ours Linux's are; a row that we do not have yet shows a dash."""
    lines = [f"guest instructions, medians; Linux: {label}", "",
             f"{'row':<24} {'Tessera':>12} {'Linux':>12} {'ratio':>8}  there"]
    for row, peer, what in BESIDE:
        mine = f"{ours[row]:,}" if row in ours else "-"
        ratio = f"{linux[peer] / ours[row]:.1f}" if row in ours else "-"
        lines.append(f"{row:<24} {mine:>12} {linux[peer]:>12,} {ratio:>8}  {what}")
    return "\n".join(lines)


def main() -> int:
    """Fetches, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=output_folder() / "bench.json", help="our figures")
    arguments = parser.parse_args()
    if not arguments.bench.exists():
        print(f"peers: there is no {arguments.bench}: run make bench", file=sys.stderr)
        return 1
    ours = {name: int(row["median"]) for name, row in json.loads(arguments.bench.read_text())["rows"].items()}
    folder = output_folder() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        kernel, label = fetch_kernel(folder)
    except Unavailable as reason:
        print(f"peers: SKIPPED, no Linux to compare with: {reason}", file=sys.stderr)
        return SKIPPED
    print(table(ours, measure_linux(kernel, build_guest(folder)), label))
    return 0


if __name__ == "__main__":
    sys.exit(main())
