/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/drivers/console/screen.c components/drivers/console/control.c components/drivers/console/glyph.c
// flags: -Icomponents/drivers/console
/* test_screen.c - text and control sequences onto the model of the screen. */
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "screen.h"

static struct screen s;

static void say(const char *text)
{
	screen_write(&s, (const uint8_t *)text, strlen(text));
}

/* A fresh screen, and this written on it. */
static void show(const char *text)
{
	screen_start(&s);
	say(text);
}

static bool row_is(unsigned row, const char *text)
{
	for (unsigned i = 0; i < SCREEN_COLUMNS; i++) {
		uint8_t wanted = *text != '\0' ? (uint8_t)*text++ : ' ';
		if ((s.cells[row][i] & 0xff) != wanted)
			return false;
	}
	return *text == '\0';
}

static bool cursor_is(unsigned row, unsigned column)
{
	return s.row == row && s.column == column;
}

static unsigned attribute(unsigned row, unsigned column)
{
	return s.cells[row][column] >> 8;
}

static void test_text(void)
{
	show("one\ntwo\rT\tx");
	CHECK(row_is(0, "one") && row_is(1, "Two     x") && cursor_is(1, 9));
	CHECK(attribute(0, 0) == SCREEN_NORMAL && attribute(24, 79) == SCREEN_NORMAL);
	show("ab\b\bX");
	CHECK(row_is(0, "Xb") && cursor_is(0, 1));
	show("\t\t\t\t\t\t\t\t\t\t\t\tx");
	CHECK(s.cells[0][79] == (SCREEN_NORMAL << 8 | 'x'));
	show("\a\x7f\x01ok");
	CHECK(row_is(0, "ok"));
}

static void test_scrolling(void)
{
	screen_start(&s);
	for (unsigned i = 0; i < 30; i++) {
		char line[16];
		snprintf(line, sizeof(line), "%sline %u", i == 0 ? "" : "\n", i);
		say(line);
	}
	CHECK(row_is(0, "line 5") && row_is(24, "line 29") && cursor_is(24, 7));
	say("\x1b[2S");
	CHECK(row_is(0, "line 7") && row_is(22, "line 29") && row_is(23, ""));
	say("\x1b[H\x1bM");
	CHECK(row_is(0, "") && row_is(1, "line 7"));
	say("\x1b[999T");
	CHECK(row_is(1, "") && row_is(24, ""));
}

static void test_wrapping(void)
{
	char line[SCREEN_COLUMNS + 1];
	memset(line, 'x', sizeof(line));
	line[SCREEN_COLUMNS] = '\0';
	show(line);
	CHECK(cursor_is(0, 79) && s.full);
	say("\ny");
	CHECK(row_is(1, "y")); /* a full row and a newline are one step */
	show(line);
	say("yz");
	CHECK(row_is(0, line) && row_is(1, "yz"));
	say("\b\b\b!");
	CHECK((s.cells[0][79] & 0xff) == '!');
}

/* N characters and N backspaces end where they began, as long as nothing has scrolled away. */
static void test_backspaces_undo(void)
{
	for (unsigned n = 0; n < 3 * SCREEN_COLUMNS; n++) {
		for (unsigned from = 0; from < SCREEN_COLUMNS; from += 13) {
			screen_start(&s);
			screen_move(&s, 20, from);
			for (unsigned i = 0; i < n; i++)
				say("x");
			unsigned moved = s.row;
			for (unsigned i = 0; i < n; i++)
				say("\b");
			CHECK(cursor_is(20, from) && moved >= 20);
		}
	}
	show("a\n\b\b");
	CHECK(cursor_is(1, 0)); /* a newline is not undone */
}

static void test_moving(void)
{
	show("\x1b[5;10Hx\x1b[2A\x1b[3C\x1b[Dy");
	CHECK((s.cells[4][9] & 0xff) == 'x' && (s.cells[2][12] & 0xff) == 'y');
	say("\x1b[99;999H");
	CHECK(cursor_is(24, 79));
	say("\x1b[99A\x1b[99D");
	CHECK(cursor_is(0, 0));
	say("\x1b[3B\x1b[7G\x1b[s\x1b[H\x1b[u");
	CHECK(cursor_is(3, 6));
	say("\x1b[2E");
	CHECK(cursor_is(5, 0));
	say("\x1b[F\x1b[9d\x1b"
	    "7\x1b[H\x1b"
	    "8");
	CHECK(cursor_is(8, 0));
	say("\x1b[?25l");
	CHECK(s.hidden);
	say("\x1b[?25h");
	CHECK(!s.hidden);
}

static void test_erasing(void)
{
	show("one\ntwo\nthree\x1b[2;2H\x1b[K");
	CHECK(row_is(0, "one") && row_is(1, "t") && row_is(2, "three"));
	say("\x1b[1J");
	CHECK(row_is(0, "") && row_is(1, "") && row_is(2, "three"));
	say("\x1b[J");
	CHECK(row_is(2, "") && cursor_is(1, 1));
	show("abcdef\x1b[3G\x1b[1K");
	CHECK(row_is(0, "   def"));
	say("\x1b[2K\x1b[Hx\x1b[2J");
	CHECK(row_is(0, "") && cursor_is(0, 1));
	show("abc\x1b[2D\x1b[2X");
	CHECK(row_is(0, "a"));
}

static void test_inserting(void)
{
	show("abcdef\x1b[3G\x1b[2@");
	CHECK(row_is(0, "ab  cdef"));
	say("\x1b[3P");
	CHECK(row_is(0, "abdef"));
	show("one\ntwo\nthree\x1b[2H\x1b[L");
	CHECK(row_is(0, "one") && row_is(1, "") && row_is(2, "two"));
	say("\x1b[2M");
	CHECK(row_is(1, "three"));
	show("abc\x1b[H\x1b[999P\x1b[999@");
	CHECK(row_is(0, ""));
}

static void test_colours(void)
{
	show("\x1b[31ma\x1b[1mb\x1b[44mc\x1b[md\x1b[94me\x1b[7mf\x1b[27;39;49mg");
	CHECK(attribute(0, 0) == 0x04 && attribute(0, 1) == 0x0c && attribute(0, 2) == 0x1c);
	CHECK(attribute(0, 3) == 0x07 && attribute(0, 4) == 0x09 && attribute(0, 5) == 0x10);
	CHECK(attribute(0, 6) == 0x07);
	show("\x1b[38;5;2ma\x1b[48;5;1mb\x1b[38;2;1;2;3mc\x1b[0;33md");
	CHECK(attribute(0, 0) == 0x02 && attribute(0, 1) == 0x42 && attribute(0, 2) == 0x42 && attribute(0, 3) == 0x06);
	show("\x1b[42m\x1b[2J");
	CHECK(attribute(24, 79) == 0x27);
}

static void test_unicode(void)
{
	show("\u00e4\u00d6\u00df\u20ac\u2550\u00a7\U0001f600|");
	CHECK(row_is(0, "\x84\x99\xe1?\xcd\x15?|"));
	show("\xc3(\xff\x80\xe2\x82|\xc0\xaf\xe0\x80\xafz"); /* broken off, stray, overlong */
	CHECK(row_is(0, "?(???|???z"));
}

static void test_sequences_that_show_nothing(void)
{
	show("a\x1b]0;title\x07"
	     "b\x1b]2;x\x1b\\c\x1b(Bd\x1b[1;2;3;4;5;6;7;8;9;10;11ze\x1b[>5cf\x1b=g");
	CHECK(row_is(0, "abcdefg"));
	show("a\x1b[3\nb");
	CHECK(s.row == 1); /* a control character inside a sequence acts at once */
}

/* Any bytes: the cursor stays on the screen (ASan sees the rest), and a reset makes everything as new. */
static void test_noise(void)
{
	static const char likely[] = "\x1b[;0123456789?HJKmLMPXST@ABCDMc\n\b\tx\xc3\xa4";
	for (unsigned seed = 1; seed <= 100; seed++) {
		screen_start(&s);
		srand(seed);
		for (unsigned i = 0; i < 20000; i++) {
			uint8_t byte =
				rand() % 4 ? (uint8_t)likely[(unsigned)rand() % (sizeof(likely) - 1)] : (uint8_t)rand();
			screen_write(&s, &byte, 1);
			CHECK(s.row < SCREEN_ROWS && s.column < SCREEN_COLUMNS);
		}
		say("\x18\x1b\\\x1b\\\x1b"
		    "c\x1b"
		    "cnew");
		CHECK(row_is(0, "new") && attribute(0, 0) == SCREEN_NORMAL && row_is(24, ""));
	}
}

int main(void)
{
	RUN(test_text);
	RUN(test_scrolling);
	RUN(test_wrapping);
	RUN(test_backspaces_undo);
	RUN(test_moving);
	RUN(test_erasing);
	RUN(test_inserting);
	RUN(test_colours);
	RUN(test_unicode);
	RUN(test_sequences_that_show_nothing);
	RUN(test_noise);
	return tap_end();
}
