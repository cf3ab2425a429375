# SPDX-License-Identifier: BSD-2-Clause
"""`make bench-compare` prints ratios of two files of figures; `make bench-keep` makes a run's figures the kept ones."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.figures import KEPT, Figures, comparison, differences, keep, read, text  # noqa: E402
from lib.plugins import output_folder  # noqa: E402


def kept_anew(measured: Figures, why: str) -> int:
    """Rewrites the kept figures, if there is a reason to."""
    kept = read(KEPT) if KEPT.exists() else Figures({}, {}, {})
    changes = differences(Figures(measured.tools, kept.rows, {}), measured)
    if changes and not why:
        print("\n".join(changes))
        print("bench-keep: say why: make bench-keep WHY='...'", file=sys.stderr)
        return 1
    KEPT.write_text(text(keep(kept, measured, why)))
    print("\n".join([*changes, f"written: {KEPT}"]))
    return 0


def main() -> int:
    """Compares or keeps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path, nargs="?", default=KEPT, help="default: the kept figures")
    parser.add_argument("new", type=Path, nargs="?", default=output_folder() / "bench.json",
                        help="default: those of the last make bench")
    parser.add_argument("--keep", metavar="WHY", help="make NEW the kept figures; WHY is noted beside what changed")
    arguments = parser.parse_args()
    for path in (arguments.new,) if arguments.keep is not None else (arguments.old, arguments.new):
        if not path.exists():
            print(f"bench-compare: there is no {path}: run make bench", file=sys.stderr)
            return 2
    if arguments.keep is not None:
        return kept_anew(read(arguments.new), arguments.keep)
    print(comparison(read(arguments.old), read(arguments.new)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
