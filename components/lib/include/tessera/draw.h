/* SPDX-License-Identifier: BSD-2-Clause */
/* draw.h - numbers that are hard to guess, for layouts and canaries; keys want an entropy device (interfaces/entropy.yaml). */
#pragma once
#include <tessera/table.h>

/* 64 bits of RDRAND and of the jitter of time stamps; only the latter, which is weak, on CPUs without RDRAND. */
uint64_t tss_draw(void);

/* A place of a unit whose layout moves, in units of TSS_LAYOUT_MOVED: all of them alike. `more`: entropy from elsewhere, or 0. */
uint32_t tss_draw_place(uint64_t more);
