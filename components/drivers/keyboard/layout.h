/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.h - which character is on which key: three levels of a layout, by scancode (set 1). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum level { LEVEL_PLAIN, LEVEL_SHIFT, LEVEL_ALTGR, LEVELS };

/* The character keys in rows as they lie, each level one text of code points; a blank is a key without a character. */
#define LAYOUT_ROWS 5u
struct layout {
	const char *name;
	const uint16_t *rows[LEVELS][LAYOUT_ROWS];
};
enum { LAYOUT_US, LAYOUT_DE, LAYOUTS };
extern const struct layout layouts[LAYOUTS];

/* The code point of a key, 0 if it has none at that level. Caps lock exchanges plain and shift of letters. */
uint16_t layout_character(const struct layout *layout, uint8_t scancode, enum level level, bool caps);
