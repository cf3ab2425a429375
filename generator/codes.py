# SPDX-License-Identifier: BSD-2-Clause
"""Every error code with its title and the text of `tessera explain`. Codes are never renumbered or reused."""

CODES: dict[str, tuple[str, str]] = {}
