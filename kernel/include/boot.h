/* SPDX-License-Identifier: BSD-2-Clause */
/* boot.h - steps of kernel_main. */
#pragma once

struct bundle;
void init_build(const struct bundle *bundle); /* the first unit, its thread ready; panics if it cannot */
