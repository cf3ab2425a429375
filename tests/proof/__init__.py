# SPDX-License-Identifier: BSD-2-Clause
"""Proofs about the kernel's pure core, by Frama-C."""
