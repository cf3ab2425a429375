# SPDX-License-Identifier: BSD-2-Clause
"""servers/name: connections by name among those whom the manifest connects, and nothing for those who misbehave."""
from __future__ import annotations

import re

from lib.vm import PROMPT
from scenario.conftest import Boot


def test_names(boot: Boot) -> None:
    """A server registers itself, the shell finds and calls it; a hostile client gets errors and harms nobody."""
    vm = boot("names")
    vm.expect(PROMPT)
    held = vm.expect(r"\[nametest\] (\d+) checks held, 0 failed", timeout=60)
    assert int(held[1]) > 2500
    assert re.search(r"^echo +echo$", vm.command("names"), re.M)
    assert "brief" not in vm.command("names")
    assert vm.command("find echo") == "echo answers\n"
    assert vm.command("find nobody") == "find: no such name\n"
    assert vm.command("find NO") == "find: no such name\n"


def test_who_is_not_connected_has_no_names(boot: Boot) -> None:
    vm = boot("demo")
    vm.expect(PROMPT)
    assert vm.command("names") == "names: not connected\n"
    assert vm.command("find echo") == "find: not connected\n"
