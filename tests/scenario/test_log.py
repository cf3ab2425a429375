# SPDX-License-Identifier: BSD-2-Clause
"""The log says of each line who wrote it, and loses none, however many write."""
from __future__ import annotations

import re
from pathlib import Path

from lib.images import variant
from lib.vm import PROMPT
from scenario.conftest import Boot

CLIENTS = 75
HEAD = """tessera: 1
system: demo
config: dev_defconfig
instances:
  serial: {component: drivers/serial, priority: 220}
  log: {component: servers/log, priority: 150, connect: {terminal: serial}}
  echo: {component: apps/echo, priority: 120}
  shell: {component: apps/shell, priority: 90, connect: {terminal: serial, log: log}}
"""


def test_each_line_has_its_name(boot: Boot, tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(CLIENTS)]
    (tmp_path / "demo.yaml").write_text(HEAD + "".join(
        f"  {name}: {{component: apps/ping, connect: {{log: log, echo: echo}}}}\n" for name in names))
    vm = boot("demo", image_file=variant(str(tmp_path / "demo.yaml"), "crowd") / "demo.iso")
    vm.expect(PROMPT)
    shown = re.findall(r"^\[(\S+)\] 8 replies$", vm.console, re.M)
    assert sorted(shown) == sorted(names)
    assert re.findall(r"^\[(\S+)\] 8 replies$", vm.command("log"), re.M) == shown
