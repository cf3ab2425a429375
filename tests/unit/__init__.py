# SPDX-License-Identifier: BSD-2-Clause
"""Unit tests in C, run on the host."""
