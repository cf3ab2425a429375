/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/drivers/keyboard/decode.c components/drivers/keyboard/layout.c
// flags: -Icomponents/drivers/keyboard
/* test_decode.c - scancodes to bytes: modifiers, locks, layouts, sequences, and whatever a keyboard might say. */
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "decode.h"

static struct decoder d;
static char got[256];
static size_t got_size;

static void start(unsigned layout)
{
	d = (struct decoder){.layout = &layouts[layout]};
	got_size = 0;
}

/* Feeds the codes, a text of bytes; what comes out gathers in got[]. */
static void feed(const char *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t out[KEY_BYTES_MAX];
		size_t size = decode(&d, (uint8_t)codes[i], out);
		CHECK(size <= KEY_BYTES_MAX && got_size + size < sizeof(got));
		memcpy(got + got_size, out, size);
		got_size += size;
	}
	got[got_size] = '\0';
}

/* After these codes exactly this text has come since the last time. */
#define GIVES(codes, text)                                                                                             \
	do {                                                                                                           \
		got_size = 0;                                                                                          \
		feed(codes, sizeof(codes) - 1);                                                                        \
		CHECK(got_size == sizeof(text) - 1 && memcmp(got, text, got_size) == 0);                               \
	} while (0)

static void test_letters(void)
{
	start(LAYOUT_US);
	GIVES("\x1e\x9e\x30\xb0", "ab");
	GIVES("\x1e\x1e\x1e\x9e", "aaa"); /* the keyboard repeats */
	GIVES("\x39\x1c\x0e\x0f\x01", " \r\x7f\t\x1b");
	GIVES("\x02\x03\x0b\x0c\x0d\x29\x2b\x35\x56", "120-=`\\/\\");
}

static void test_shift(void)
{
	start(LAYOUT_US);
	GIVES("\x2a\x1e\x02\xaa\x1e", "A!a");
	GIVES("\x36\x1e\x2a\xb6\x1e\xaa\x1e", "AAa"); /* one shift goes, the other stays */
	GIVES("\x2a\x0f\xaa", "\x1b[Z");
}

static void test_caps(void)
{
	start(LAYOUT_US);
	GIVES("\x3a\x3a\x3a\xba\x1e\x02", "A1"); /* held down it toggles once */
	CHECK(d.lights == LIGHT_CAPS);
	GIVES("\x2a\x1e\x02\xaa", "a!");
	GIVES("\x3a\xba\x1e", "a");
	CHECK(d.lights == 0);
}

static void test_ctrl_and_alt(void)
{
	start(LAYOUT_US);
	GIVES("\x1d\x2e\x1e\x9d\x2e", "\x03\x01"
				      "c");
	GIVES("\xe0\x1d\x2e\xe0\x9d\x2e", "\x03"
					  "c");
	GIVES("\x1d\x39\x1a\x9d", "\0\x1b");
	GIVES("\x38\x1e\xb8\x1e", "\x1b"
				  "aa");
	GIVES("\x1d\x02\x9d", "1"); /* what has no control character stays itself */
}

static void test_cursor(void)
{
	start(LAYOUT_US);
	GIVES("\xe0\x48\xe0\xc8", "\x1b[A");
	GIVES("\xe0\x50\xe0\x4d\xe0\x4b\xe0\x47\xe0\x4f", "\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F");
	GIVES("\xe0\x52\xe0\x53\xe0\x49\xe0\x51", "\x1b[2~\x1b[3~\x1b[5~\x1b[6~");
	GIVES("\x1d\xe0\x4d\x9d", "\x1b[1;5C");
	GIVES("\x2a\xe0\x53\xaa", "\x1b[3;2~");
	GIVES("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e", "\x1b[Aa"); /* with the false shifts that num lock brings */
}

static void test_function_keys(void)
{
	start(LAYOUT_US);
	GIVES("\x3b\x3c\x3d\x3e", "\x1bOP\x1bOQ\x1bOR\x1bOS");
	GIVES("\x3f\x44\x57\x58", "\x1b[15~\x1b[21~\x1b[23~\x1b[24~");
	GIVES("\x2a\x3b\x58\xaa", "\x1b[1;2P\x1b[24;2~");
}

static void test_keypad(void)
{
	start(LAYOUT_US);
	GIVES("\x48\x4c\x53\x4a\x4e\x37", "\x1b[A\x1b[E\x1b[3~-+*");
	GIVES("\x45\xc5\x48\x4c\x53\xe0\x35\xe0\x1c", "85./\r");
	CHECK(d.lights == LIGHT_NUM);
}

static void test_pause_and_print(void)
{
	start(LAYOUT_US);
	GIVES("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a");
	CHECK(d.lights == 0 && d.held == 0);
	GIVES("\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa\x1e", "a");
}

static void test_german(void)
{
	start(LAYOUT_DE);
	GIVES("\x15\x2c\x0c\x27\x28\x1a", "zy\u00df\u00f6\u00e4\u00fc");
	GIVES("\x2a\x08\x27\x0d\xaa", "/\u00d6`");
	GIVES("\xe0\x38\x10\x12\x08\x0c\x56\x1b\x1e\xe0\xb8", "@\u20ac{\\|~");
	GIVES("\x3a\xba\x28\x0c\x1b\x3a\xba", "\u00c4\u00df+"); /* caps is for letters that have two cases */
	GIVES("\x56\x2a\x56\xaa", "<>");
}

static void test_choosing_a_layout(void)
{
	start(LAYOUT_US);
	GIVES("\x15\x1d\x38\x3c\xb8\x9d\x15", "yz");
	CHECK(strcmp(d.layout->name, "de") == 0);
	GIVES("\x1d\x38\x3b\xb8\x9d\x15", "y");
}

static void test_every_layout_has_ascii(void)
{
	for (unsigned layout = 0; layout < LAYOUTS; layout++) {
		bool have[128] = {false};
		for (unsigned code = 0; code < 0x80; code++)
			for (enum level level = 0; level < LEVELS; level++) {
				uint16_t c = layout_character(&layouts[layout], (uint8_t)code, level, false);
				if (c < 128)
					have[c] = true;
			}
		for (unsigned c = ' '; c < 0x7f; c++)
			CHECK(have[c]);
	}
}

/* Any bytes: never too many out, and releasing all modifiers leads back to a plain `a`. */
static void test_noise(void)
{
	for (unsigned seed = 1; seed <= 200; seed++) {
		start(seed % LAYOUTS);
		srand(seed);
		for (unsigned i = 0; i < 2000; i++) {
			char code = (char)rand();
			got_size = 0;
			feed(&code, 1);
		}
		feed("\x81\x81\x81\x81\x81\x81\xaa\xb6\x9d\xe0\x9d\xb8\xe0\xb8", 14);
		d.lights = 0;
		GIVES("\x1e", "a");
	}
}

int main(void)
{
	RUN(test_letters);
	RUN(test_shift);
	RUN(test_caps);
	RUN(test_ctrl_and_alt);
	RUN(test_cursor);
	RUN(test_function_keys);
	RUN(test_keypad);
	RUN(test_pause_and_print);
	RUN(test_german);
	RUN(test_choosing_a_layout);
	RUN(test_every_layout_has_ascii);
	RUN(test_noise);
	return tap_end();
}
