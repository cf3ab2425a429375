/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.c - scancodes of set 1 (IBM PS/2 Technical Reference, keyboard section) to what xterm sends for the key.
 *
 * A key is its scancode; its release the same with bit 7. 0xe0 before it means the younger key of that code (cursor
 * block, right ctrl and alt); with these the keyboard also sends false shifts, which are dropped. The pause key is the
 * six bytes that begin with 0xe1, and has no release.
 */
#include "decode.h"

#define RELEASE 0x80u
#define PREFIX 0xe0u
#define PREFIX_PAUSE 0xe1u
#define PAUSE_REST 5u
#define ESCAPE 0x1bu

enum {
	KEY_CTRL = 0x1d,
	KEY_SHIFT_LEFT = 0x2a,
	KEY_SHIFT_RIGHT = 0x36,
	KEY_PAD_STAR = 0x37,
	KEY_ALT = 0x38,
	KEY_CAPS = 0x3a,
	KEY_F1 = 0x3b,
	KEY_F10 = 0x44,
	KEY_NUM = 0x45,
	KEY_SCROLL = 0x46,
	KEY_PAD = 0x47,
	KEY_PAD_END = 0x53,
	KEY_F11 = 0x57,
	KEY_F12 = 0x58,
	KEY_SLASH = 0x35,
	KEY_ENTER = 0x1c,
	KEY_TAB = 0x0f
};

/* The keypad from KEY_PAD on: with num lock, and as cursor block ('A' to 'H': ESC [ letter; a digit: ESC [ digit ~). */
static const char pad_digits[] = "789-456+1230.";
static const char pad_cursor[] = "HA5-DEC+FB623";
_Static_assert(sizeof(pad_digits) == KEY_PAD_END - KEY_PAD + 2 && sizeof(pad_cursor) == sizeof(pad_digits), "keypad");

static unsigned modifier_of(uint8_t key, bool prefixed)
{
	switch (key) {
	case KEY_SHIFT_LEFT:
		return prefixed ? 0 : SHIFT_LEFT;
	case KEY_SHIFT_RIGHT:
		return prefixed ? 0 : SHIFT_RIGHT;
	case KEY_CTRL:
		return prefixed ? CTRL_RIGHT : CTRL_LEFT;
	case KEY_ALT:
		return prefixed ? ALTGR : ALT;
	}
	return 0;
}

static unsigned light_of(uint8_t key)
{
	return key == KEY_CAPS ? LIGHT_CAPS : key == KEY_NUM ? LIGHT_NUM : key == KEY_SCROLL ? LIGHT_SCROLL : 0;
}

/* Keys that only change what others mean; true if it was one. */
static bool change_state(struct decoder *d, uint8_t key, bool prefixed, bool released)
{
	unsigned modifier = modifier_of(key, prefixed), light = prefixed ? 0 : light_of(key);
	if (modifier != 0)
		d->held = (uint8_t)(released ? d->held & ~modifier : d->held | modifier);
	if (light != 0 && !released && !(d->locked & light))
		d->lights ^= (uint8_t)light;
	if (light != 0)
		d->locked = (uint8_t)(released ? d->locked & ~light : d->locked | light);
	return modifier != 0 || light != 0;
}

/* xterm's number for the modifiers that are held, 1 for none (XTerm Control Sequences, PC-Style Function Keys). */
static unsigned modifier_number(const struct decoder *d)
{
	return 1u + (d->held & (SHIFT_LEFT | SHIFT_RIGHT) ? 1u : 0u) + (d->held & ALT ? 2u : 0u) +
	       (d->held & (CTRL_LEFT | CTRL_RIGHT) ? 4u : 0u);
}

static size_t put_number(uint8_t *out, unsigned number)
{
	size_t size = 0;
	if (number >= 10)
		out[size++] = (uint8_t)('0' + number / 10);
	out[size++] = (uint8_t)('0' + number % 10);
	return size;
}

/* ESC [ number ; modifiers last; the parts that would say nothing are left out. `last` '~' always has its number. */
static size_t sequence(const struct decoder *d, unsigned number, uint8_t last, uint8_t *out)
{
	unsigned modifiers = modifier_number(d);
	size_t size = 0;
	out[size++] = ESCAPE;
	if (modifiers == 1 && last >= 'P' && last <= 'S') {
		out[size++] = 'O';
	} else {
		out[size++] = '[';
		if (modifiers > 1 || last == '~')
			size += put_number(out + size, number);
		if (modifiers > 1) {
			out[size++] = ';';
			size += put_number(out + size, modifiers);
		}
	}
	out[size++] = last;
	return size;
}

static size_t function_key(struct decoder *d, unsigned n, uint8_t *out)
{
	static const uint8_t numbers[] = {15, 17, 18, 19, 20, 21, 23, 24}; /* F5 to F12 */
	if (d->held & ALT && d->held & (CTRL_LEFT | CTRL_RIGHT) && n <= LAYOUTS) {
		d->layout = &layouts[n - 1];
		return 0;
	}
	return n <= 4 ? sequence(d, 1, (uint8_t)('P' + n - 1), out) : sequence(d, numbers[n - 5], '~', out);
}

static size_t cursor_key(const struct decoder *d, uint8_t key, uint8_t *out)
{
	uint8_t what = (uint8_t)pad_cursor[key - KEY_PAD];
	if (what == '-' || what == '+')
		return 0;
	return what >= 'A' ? sequence(d, 1, what, out) : sequence(d, what - '0', '~', out);
}

static size_t utf8(uint16_t c, uint8_t *out)
{
	size_t size = 0;
	if (c < 0x80) {
		out[size++] = (uint8_t)c;
	} else if (c < 0x800) {
		out[size++] = (uint8_t)(0xc0 | c >> 6);
		out[size++] = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		out[size++] = (uint8_t)(0xe0 | c >> 12);
		out[size++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[size++] = (uint8_t)(0x80 | (c & 0x3f));
	}
	return size;
}

/* A character with ctrl and alt applied: ctrl makes the control character of its column, alt puts ESC before it. */
static size_t character(const struct decoder *d, uint16_t c, uint8_t *out)
{
	size_t size = 0;
	if (d->held & (CTRL_LEFT | CTRL_RIGHT) && (c == ' ' || (c >= '@' && c < 0x7f)))
		c &= 0x1f;
	if (d->held & ALT)
		out[size++] = ESCAPE;
	return size + utf8(c, out + size);
}

/* Keys that mean the same in every layout; 0 if it is none of them. */
static uint8_t control_key(uint8_t key)
{
	switch (key) {
	case 0x01:
		return ESCAPE;
	case 0x0e:
		return 0x7f;
	case KEY_TAB:
		return '\t';
	case KEY_ENTER:
		return '\r';
	case KEY_PAD_STAR:
		return '*';
	}
	return 0;
}

static size_t plain_key(struct decoder *d, uint8_t key, uint8_t *out)
{
	bool shift = d->held & (SHIFT_LEFT | SHIFT_RIGHT);
	enum level level = d->held & ALTGR ? LEVEL_ALTGR : shift ? LEVEL_SHIFT : LEVEL_PLAIN;
	uint8_t control = control_key(key);
	if (key >= KEY_F1 && key <= KEY_F10)
		return function_key(d, key - KEY_F1 + 1u, out);
	if (key == KEY_F11 || key == KEY_F12)
		return function_key(d, key - KEY_F11 + 11u, out);
	if (key >= KEY_PAD && key <= KEY_PAD_END) {
		uint8_t digit = (uint8_t)pad_digits[key - KEY_PAD];
		if (d->lights & LIGHT_NUM || digit == '-' || digit == '+')
			return character(d, digit, out);
		return cursor_key(d, key, out);
	}
	if (key == KEY_TAB && shift)
		return out[0] = ESCAPE, out[1] = '[', out[2] = 'Z', 3;
	uint16_t c = control != 0 ? control : layout_character(d->layout, key, level, d->lights & LIGHT_CAPS);
	return c != 0 ? character(d, c, out) : 0;
}

static size_t prefixed_key(struct decoder *d, uint8_t key, uint8_t *out)
{
	if (key == KEY_ENTER || key == KEY_SLASH)
		return character(d, key == KEY_ENTER ? '\r' : '/', out);
	return key >= KEY_PAD && key <= KEY_PAD_END ? cursor_key(d, key, out) : 0;
}

size_t decode(struct decoder *d, uint8_t scancode, uint8_t out[KEY_BYTES_MAX])
{
	bool prefixed = d->prefix == PREFIX;
	uint8_t key = scancode & (uint8_t)~RELEASE;
	if (d->skip > 0) {
		d->skip--;
		return 0;
	}
	if (scancode == PREFIX || scancode == PREFIX_PAUSE) {
		d->prefix = scancode == PREFIX ? scancode : 0;
		d->skip = scancode == PREFIX_PAUSE ? PAUSE_REST : 0;
		return 0;
	}
	d->prefix = 0;
	if (change_state(d, key, prefixed, scancode & RELEASE) || scancode & RELEASE)
		return 0;
	return prefixed ? prefixed_key(d, key, out) : plain_key(d, key, out);
}
