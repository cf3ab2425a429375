# SPDX-License-Identifier: BSD-2-Clause
"""The test bench: virtual machine, images, symbols."""
