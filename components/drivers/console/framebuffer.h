/* SPDX-License-Identifier: BSD-2-Clause */
/* framebuffer.h - pixels that the firmware or the boot loader set up: are they there, and drawing a screen on them. */
#pragma once
#include "screen.h"

/* True if this machine has a framebuffer with room for 80 by 25 glyphs; clears it. */
bool framebuffer_start(void);

/* Draws the changed rows and the cursor. */
void framebuffer_show(struct screen *screen);
