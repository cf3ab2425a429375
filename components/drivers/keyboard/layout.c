/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.c - the layouts as tables. Scancodes of set 1 run along a row from left to right, so a row is a text, and a
 * new layout is fifteen texts.
 */
#include <stddef.h>
#include "layout.h"

/* The scancode a row begins with, and its keys: digits, upper, middle, lower row, and the key beside left shift. */
static const struct {
	uint8_t first, keys;
} rows[LAYOUT_ROWS] = {{0x02, 12}, {0x10, 12}, {0x1e, 12}, {0x2b, 11}, {0x56, 1}};

const struct layout layouts[LAYOUTS] = {
	[LAYOUT_US] = {"us",
		       {{u"1234567890-=", u"qwertyuiop[]", u"asdfghjkl;'`", u"\\zxcvbnm,./", u"\\"},
			{u"!@#$%^&*()_+", u"QWERTYUIOP{}", u"ASDFGHJKL:\"~", u"|ZXCVBNM<>?", u"|"},
			{u"            ", u"            ", u"            ", u"           ", u" "}}},
	[LAYOUT_DE] =
		{"de",
		 {{u"1234567890\u00df\u00b4", u"qwertzuiop\u00fc+", u"asdfghjkl\u00f6\u00e4^", u"#yxcvbnm,.-", u"<"},
		  {u"!\"\u00a7$%&/()=?`", u"QWERTZUIOP\u00dc*", u"ASDFGHJKL\u00d6\u00c4\u00b0", u"'YXCVBNM;:_", u">"},
		  {u" \u00b2\u00b3   {[]}\\ ", u"@ \u20ac        ~", u"            ", u"       \u00b5   ", u"|"}}},
};

static bool is_letter(uint16_t plain, uint16_t shifted)
{
	bool lower = (plain >= 'a' && plain <= 'z') || (plain >= 0xe0 && plain <= 0xfe);
	return lower && plain - shifted == 0x20;
}

uint16_t layout_character(const struct layout *layout, uint8_t scancode, enum level level, bool caps)
{
	for (unsigned row = 0; row < LAYOUT_ROWS; row++) {
		if (scancode < rows[row].first || scancode >= rows[row].first + rows[row].keys)
			continue;
		unsigned key = scancode - rows[row].first;
		uint16_t plain = layout->rows[LEVEL_PLAIN][row][key], shifted = layout->rows[LEVEL_SHIFT][row][key];
		if (caps && level != LEVEL_ALTGR && is_letter(plain, shifted))
			level = level == LEVEL_PLAIN ? LEVEL_SHIFT : LEVEL_PLAIN;
		uint16_t found = layout->rows[level][row][key];
		return found == ' ' ? 0 : found;
	}
	return scancode == 0x39 ? ' ' : 0;
}
