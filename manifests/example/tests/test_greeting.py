# SPDX-License-Identifier: BSD-2-Clause
"""The example's scenario: boot the system, see both greeters say what the manifest told them to."""
from lib.vm import PROMPT
from scenario.conftest import Boot


def test_each_greeter_says_its_own(boot: Boot) -> None:
    vm = boot("greeting")
    vm.expect(PROMPT)
    vm.expect(r"(?s)\[morning\] 3.*\[evening\] 2|\[evening\] 2.*\[morning\] 3")
    text = vm.command("log")
    assert "3: good morning." in text and "2: good evening!" in text
    assert "[evening] 3" not in text and "good evening." not in text
