# SPDX-License-Identifier: BSD-2-Clause
"""What Tessera's own scenarios have: `boot` starts a system in a fresh machine."""
from scenario.conftest import boot as boot  # noqa: F401
