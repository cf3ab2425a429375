# SPDX-License-Identifier: BSD-2-Clause
"""Tessera's generator: load -> model -> check -> plan -> emit -> image -> verify."""
