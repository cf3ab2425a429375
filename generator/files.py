# SPDX-License-Identifier: BSD-2-Clause
"""The only place, besides the command line, that writes files."""
import os
import tempfile
from pathlib import Path


def write_if_changed(path: Path, contents: bytes) -> bool:
    """Write `contents` unless the file has them already, in one step; true if it was written."""
    try:
        if path.read_bytes() == contents:
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
