# SPDX-License-Identifier: BSD-2-Clause
"""The models of the kernel's protocols."""
