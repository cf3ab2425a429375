/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - the control sequences ESC [ parameters final, as in ECMA-48 (5th edition, 8.3); a parameter that is left
 * out or 0 counts as 1 where ECMA-48 has that default. Erased cells have the background that is set.
 */
#include <tessera/string.h>
#include "screen.h"

/* Parameter n as a count: at least 1, at most what the screen can need. */
static uint32_t count(const struct screen *s, uint32_t n)
{
	uint32_t value = n < s->parameter_count ? s->parameters[n] : 0;
	return value == 0 ? 1 : value > SCREEN_COLUMNS ? SCREEN_COLUMNS : value;
}

static uint32_t parameter(const struct screen *s, uint32_t n)
{
	return n < s->parameter_count ? s->parameters[n] : 0;
}

static uint32_t less(uint32_t from, uint32_t by)
{
	return from > by ? from - by : 0;
}

/* VGA's colours have red and blue the other way round: ANSI bit 0 is red, VGA bit 2 is. */
static uint8_t vga_colour(uint32_t ansi)
{
	return (uint8_t)((ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2 | (ansi & 8));
}

static void normal(struct screen *s)
{
	s->bold = s->reverse = false;
	s->foreground = SCREEN_NORMAL;
	s->background = 0;
}

/* 38 and 48: a colour of 256 (5 ; n), of which the first 16 are shown, or of all (2 ; r ; g ; b). Returns what it used. */
static uint32_t long_colour(struct screen *s, uint32_t at)
{
	bool front = s->parameters[at] == 38;
	uint32_t n = parameter(s, at + 2);
	if (parameter(s, at + 1) == 2)
		return 4;
	if (parameter(s, at + 1) != 5)
		return 0;
	if (n < 16 && front)
		s->foreground = vga_colour(n);
	else if (n < 16)
		s->background = vga_colour(n & 7);
	return 2;
}

static void style(struct screen *s, uint32_t n)
{
	if (n == 0)
		normal(s);
	else if (n == 1 || n == 22)
		s->bold = n == 1;
	else if (n == 7 || n == 27)
		s->reverse = n == 7;
	else if (n >= 30 && n <= 37)
		s->foreground = vga_colour(n - 30);
	else if (n >= 90 && n <= 97)
		s->foreground = vga_colour(n - 90 + 8);
	else if (n == 39)
		s->foreground = SCREEN_NORMAL;
	else if (n >= 40 && n <= 47)
		s->background = vga_colour(n - 40);
	else if (n >= 100 && n <= 107)
		s->background = vga_colour(n - 100); /* bright ones would blink */
	else if (n == 49)
		s->background = 0;
}

static void styles(struct screen *s)
{
	for (uint32_t i = 0; i < s->parameter_count; i++) {
		if (s->parameters[i] == 38 || s->parameters[i] == 48)
			i += long_colour(s, i);
		else
			style(s, s->parameters[i]);
	}
}

static void erase_line(struct screen *s)
{
	uint32_t what = parameter(s, 0), from = what == 0 ? s->column : 0;
	screen_blank(s, s->row, from, what == 1 ? s->column + 1 : SCREEN_COLUMNS);
	if (what != 1)
		s->wrapped[s->row] = false;
}

static void erase_screen(struct screen *s)
{
	uint32_t what = parameter(s, 0), first = what == 0 ? s->row + 1 : 0;
	uint32_t end = what == 1 ? s->row : SCREEN_ROWS;
	if (what > 3)
		return;
	for (uint32_t row = first; row < end; row++) {
		screen_blank(s, row, 0, SCREEN_COLUMNS);
		s->wrapped[row] = false;
	}
	if (what < 2)
		erase_line(s);
}

/* Cells from the cursor on move right (insert) or left (delete); blanks come in. */
static void shift_cells(struct screen *s, bool insert)
{
	uint32_t left = SCREEN_COLUMNS - s->column, n = count(s, 0) < left ? count(s, 0) : left;
	uint16_t *here = &s->cells[s->row][s->column];
	if (insert)
		memmove(here + n, here, (left - n) * sizeof(*here));
	else
		memmove(here, here + n, (left - n) * sizeof(*here));
	screen_blank(s, s->row, insert ? s->column : SCREEN_COLUMNS - n, n);
	s->full = false;
}

static void move_cursor(struct screen *s, uint8_t final)
{
	uint32_t n = count(s, 0);
	switch (final) {
	case 'A':
		return screen_move(s, less(s->row, n), s->column);
	case 'B':
		return screen_move(s, s->row + n, s->column);
	case 'C':
		return screen_move(s, s->row, s->column + n);
	case 'D':
		return screen_move(s, s->row, less(s->column, n));
	case 'E':
		return screen_move(s, s->row + n, 0);
	case 'F':
		return screen_move(s, less(s->row, n), 0);
	case 'G':
		return screen_move(s, s->row, n - 1);
	case 'd':
		return screen_move(s, n - 1, s->column);
	}
	screen_move(s, n - 1, count(s, 1) - 1);
}

static void edit(struct screen *s, uint8_t final)
{
	switch (final) {
	case 'J':
		return erase_screen(s);
	case 'K':
		return erase_line(s);
	case 'L':
		return screen_scroll_down(s, s->row, count(s, 0));
	case 'M':
		return screen_scroll_up(s, s->row, count(s, 0));
	case 'S':
		return screen_scroll_up(s, 0, count(s, 0));
	case 'T':
		return screen_scroll_down(s, 0, count(s, 0));
	case 'X':
		return screen_blank(s, s->row, s->column, count(s, 0));
	}
	shift_cells(s, final == '@');
}

static void private_mode(struct screen *s, uint8_t final)
{
	if (parameter(s, 0) == 25 && (final == 'h' || final == 'l'))
		s->hidden = final == 'l';
}

void screen_control(struct screen *s, uint8_t final)
{
	if (s->private)
		return private_mode(s, final);
	if (final == 'm') {
		styles(s);
	} else if (final == 's') {
		s->saved_row = s->row;
		s->saved_column = s->column;
	} else if (final == 'u') {
		screen_move(s, s->saved_row, s->saved_column);
	} else if (strchr("ABCDEFGHdf", final) != NULL) {
		move_cursor(s, final);
	} else if (strchr("JKLMSTXP@", final) != NULL) {
		edit(s, final);
	}
}
