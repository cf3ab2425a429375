# SPDX-License-Identifier: BSD-2-Clause
"""One run of the command line: where things are and which files were read, so that errors can show their lines."""
import argparse
import os
from pathlib import Path

from generator import conflict
from generator.build import Checked, check_system
from generator.diagnostics import Refused
from generator.inputs import Inputs, Source, manifest_path, read_inputs, read_source


class Session:
    """The arguments, the roots and the texts of all files that were read."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.root = Path(os.path.abspath(arguments.root))
        self.texts: dict[str, str] = {}
        extra = arguments.extra or os.environ.get("TESSERA_EXTRA")
        self.inputs: Inputs = read_inputs(self.root, Path(extra) if extra else None)

    def read(self, path: Path, hint: str = "") -> Source:
        source = read_source(path, self.root, hint)
        self.texts[source.path] = source.text
        return source

    def sources(self) -> dict[str, str]:
        return {**self.inputs.sources(), **self.texts}

    def build_dir(self) -> Path:
        given = getattr(self.arguments, "build_dir", None)
        return Path(given) if given else self.root / "build"

    def dot_config(self) -> str | None:
        """The build's configuration."""
        path = self.build_dir() / ".config"
        complete = self.build_dir() / "include" / "auto.conf"  # the same with a value for every symbol, made by make
        if complete.is_file() and path.is_file() and complete.stat().st_mtime >= path.stat().st_mtime:
            path = complete
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None

    def checked(self, required: bool, name: str | None = None, configured: bool = True) -> tuple[Source, Checked]:
        """A system, the one of the command line if not named, after its checks.

        `required`: its components must be built. Not `configured`: whatever the build's configuration says.
        """
        source = self.read(manifest_path(self.inputs, self.arguments.system if name is None else name))
        checked = check_system(self.inputs, source, self.build_dir(), self.dot_config() if configured else None,
                               required, self.read)
        if checked.errors:
            raise Refused(conflict.explained(checked.errors, self.root, self.build_dir() / ".config", self.read)
                          if configured else checked.errors)
        return source, checked
