# SPDX-License-Identifier: BSD-2-Clause
"""The only place, besides the command line, that writes files; and what is read of files that others may have made."""
import errno
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

SHELL = ("/dev/fd/", "/dev/stdin", "/proc/")  # pipes here are what a shell made of `<(...)`, and end


def read_file(path: Path) -> bytes:
    """The bytes of a file; raises OSError. A device, or a pipe that nobody may ever write to, is none."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISFIFO(mode) and str(path).startswith(SHELL):
        return path.read_bytes()
    raise OSError(errno.EINVAL, "It is a pipe, a socket or a device", str(path))


def read_figures(path: Path, *wanted: str, part: str = "rows") -> dict[str, Any]:
    """The rows of a file that the bench wrote, those that have what is wanted; none if there is no such file."""
    try:
        rows = json.loads(read_file(path))[part].items()
        return {name: row for name, row in rows if isinstance(row, dict) and all(key in row for key in wanted)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_if_changed(path: Path, contents: bytes) -> bool:
    """Write `contents` unless the file has them already, in one step; true if it was written."""
    try:
        if read_file(path) == contents:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(contents)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True
