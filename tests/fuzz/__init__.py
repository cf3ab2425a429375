# SPDX-License-Identifier: BSD-2-Clause
"""Readers of files fed with what is no such file."""
