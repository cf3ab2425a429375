/* SPDX-License-Identifier: BSD-2-Clause */
/* vga.h - the VGA in text mode: is it there, and making it show a screen. */
#pragma once
#include "screen.h"

/* True if a VGA shows 80 by 25 characters of text memory; false without one, or in a graphics mode (UEFI). */
bool vga_is_text(void);

/* Brings the changed rows and the cursor onto the glass. */
void vga_show(struct screen *screen);
