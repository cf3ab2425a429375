# SPDX-License-Identifier: BSD-2-Clause
"""Python runs this when it starts; `make coverage-generator` has it found, so that each process counts its lines."""
import coverage  # type: ignore[import]

coverage.process_startup()
