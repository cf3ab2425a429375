# SPDX-License-Identifier: BSD-2-Clause
"""Line coverage of the kernel."""
