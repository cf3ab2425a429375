/* SPDX-License-Identifier: BSD-2-Clause */
/* decode.h - scancodes in, the bytes out that a terminal sends. No device in here: tests run it on the host. */
#pragma once
#include <stddef.h>
#include "layout.h"

#define KEY_BYTES_MAX 8u /* one key gives at most this many bytes */

enum modifier {
	SHIFT_LEFT = 0x01,
	SHIFT_RIGHT = 0x02,
	CTRL_LEFT = 0x04,
	CTRL_RIGHT = 0x08,
	ALT = 0x10,
	ALTGR = 0x20,
};

enum light { LIGHT_SCROLL = 0x01, LIGHT_NUM = 0x02, LIGHT_CAPS = 0x04 }; /* as the keyboard's command 0xed takes them */

struct decoder {
	const struct layout *layout;
	uint8_t held; /* enum modifier */
	uint8_t lights; /* enum light: the locks that are on */
	uint8_t locked; /* lock keys that are down: they repeat, but toggle once */
	uint8_t prefix; /* 0xe0 or 0xe1 when that came before */
	uint8_t skip; /* bytes of a longer sequence that say nothing */
};

/* One byte from the keyboard (set 1). Returns how many bytes were put into `out`. */
size_t decode(struct decoder *decoder, uint8_t scancode, uint8_t out[KEY_BYTES_MAX]);
