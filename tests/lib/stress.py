# SPDX-License-Identifier: BSD-2-Clause
"""The stress system with a seed of its own, and one run of it that is the same each time (`make stress-replay`).

QEMU runs several CPUs as the host's threads happen to run, so a seed there fixes only what each CPU draws by lot. Bochs
runs them in turn by counted instructions, and its clock is theirs: a seed, a number of CPUs, and the whole run follows.
"""
from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from lib.bochs import Bochs
from lib.images import TOP

IPS = 20_000_000  # so that a second of the machine is over soon
END = r"stress: (done|failed[^\n]*)[^\n]*\n"


def configured(folder: Path, system: str, options: dict[str, int | str]) -> Path:
    """A system of dev_defconfig with other values of some options, built in `folder`, which may hold another one."""
    def make(*targets: str) -> None:
        subprocess.run(["make", "-C", str(TOP), f"O={folder}", *targets], check=True, capture_output=True, text=True)

    make("dev_defconfig")
    config = folder / ".config"
    text = [line for line in config.read_text().splitlines() if line.partition("=")[0] not in options]
    config.write_text("\n".join([*text, *(f"{name}={value}" for name, value in options.items())]) + "\n")
    make("image", f"SYSTEM={system}")
    return folder / system / f"{system}.iso"


def stress_image(folder: Path, seed: int, seconds: int) -> Path:
    """Preemption and workers draw from `seed`, for `seconds`."""
    return configured(folder, "stress", {"CONFIG_PERTURB": seed, "CONFIG_STRESS_SEED": seed,
                                         "CONFIG_STRESS_SECONDS": seconds})


def replayed(image: Path, cpus: int, timeout: float = 600.0) -> str:
    """The console of one run, to its end."""
    with Bochs(image, cpus=cpus, ips=IPS) as bochs:
        bochs.expect(END, timeout=timeout)
        return bochs.console


def main() -> None:
    """Prints one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tessera-stress-") as folder:
        print(replayed(stress_image(Path(folder), wanted.seed, wanted.seconds), wanted.cpus, 600.0 * wanted.seconds))


if __name__ == "__main__":
    main()
