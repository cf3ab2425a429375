# SPDX-License-Identifier: BSD-2-Clause
"""The protocol between CPUs as a model: it holds in every interleaving, and a planted defect is found."""
from __future__ import annotations

import re

import pytest

from model.run import check, errors


def test_every_interleaving_is_fine() -> None:
    said = check("handover.pml")
    assert errors(said) == 0, said
    states = re.search(r"(\d+) states, stored", said)
    assert states and int(states[1]) > 50_000, said


@pytest.mark.parametrize("defect", ("NO_REWIND", "NO_LOOK"))
def test_a_defect_is_found(defect: str) -> None:
    assert errors(check("handover.pml", defect)) == 1
