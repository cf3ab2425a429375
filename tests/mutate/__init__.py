# SPDX-License-Identifier: BSD-2-Clause
"""Defects that the tests must find."""
