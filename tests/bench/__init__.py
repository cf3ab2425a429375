# SPDX-License-Identifier: BSD-2-Clause
"""The bench: figures of the shipped kernel, the same in every run."""
