# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios: real images, booted and talked to."""
