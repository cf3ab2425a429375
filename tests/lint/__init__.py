# SPDX-License-Identifier: BSD-2-Clause
"""Checks of the sources themselves."""
