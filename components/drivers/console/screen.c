/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.c - text onto the cells: characters, control characters, the beginning of escape sequences; UTF-8.
 *
 * The cursor does not leave the last column when that is written (`full`); the next character does. A backspace goes
 * back over the end of a wrapped row, so N characters and N backspaces lead to where they began, and a program that
 * edits a line longer than a row needs no more than backspaces.
 */
#include <tessera/string.h>
#include "screen.h"

#define TAB_WIDTH 8u
#define REPLACEMENT 0xfffdu

static uint16_t cell(const struct screen *s, uint8_t glyph)
{
	uint8_t foreground = (uint8_t)(s->foreground | (s->bold ? 8u : 0u)), background = s->background;
	if (s->reverse) {
		uint8_t front = foreground;
		foreground = background;
		background = front & 7u;
	}
	return (uint16_t)(glyph | foreground << 8 | background << 12);
}

void screen_blank(struct screen *s, uint32_t row, uint32_t column, uint32_t count)
{
	uint16_t blank = cell(s, ' ');
	for (uint32_t i = column; i < SCREEN_COLUMNS && count > 0; i++, count--)
		s->cells[row][i] = blank;
	s->changed[row] = true;
}

/* Rows from `first` on move up by `count`; blank ones come in at the bottom. */
void screen_scroll_up(struct screen *s, uint32_t first, uint32_t count)
{
	for (uint32_t row = first; row < SCREEN_ROWS; row++) {
		bool from = count < SCREEN_ROWS - row;
		s->wrapped[row] = from && s->wrapped[row + count];
		if (from)
			memcpy(s->cells[row], s->cells[row + count], sizeof(s->cells[row]));
		else
			screen_blank(s, row, 0, SCREEN_COLUMNS);
		s->changed[row] = true;
	}
}

/* Rows from `first` on move down by `count`; blank ones come in there. */
void screen_scroll_down(struct screen *s, uint32_t first, uint32_t count)
{
	for (uint32_t row = SCREEN_ROWS; row-- > first;) {
		bool from = row - first >= count;
		s->wrapped[row] = from && s->wrapped[row - count];
		if (from)
			memcpy(s->cells[row], s->cells[row - count], sizeof(s->cells[row]));
		else
			screen_blank(s, row, 0, SCREEN_COLUMNS);
		s->changed[row] = true;
	}
}

void screen_move(struct screen *s, uint32_t row, uint32_t column)
{
	s->row = row < SCREEN_ROWS ? row : SCREEN_ROWS - 1;
	s->column = column < SCREEN_COLUMNS ? column : SCREEN_COLUMNS - 1;
	s->full = false;
}

static void line_feed(struct screen *s)
{
	if (s->row + 1 < SCREEN_ROWS)
		s->row++;
	else
		screen_scroll_up(s, 0, 1);
	s->full = false;
}

static void put(struct screen *s, uint32_t rune)
{
	if (s->full) {
		s->wrapped[s->row] = true;
		line_feed(s);
		s->column = 0;
	}
	s->cells[s->row][s->column] = cell(s, screen_glyph(rune));
	s->changed[s->row] = true;
	if (s->column + 1 < SCREEN_COLUMNS) {
		s->column++;
	} else {
		s->full = true;
		s->wrapped[s->row] = false;
	}
}

static void backspace(struct screen *s)
{
	if (s->full)
		s->full = false;
	else if (s->column > 0)
		s->column--;
	else if (s->row > 0 && s->wrapped[s->row - 1])
		screen_move(s, s->row - 1, SCREEN_COLUMNS - 1);
}

static void control_character(struct screen *s, uint8_t byte)
{
	switch (byte) {
	case '\b':
		backspace(s);
		break;
	case '\t':
		screen_move(s, s->row, (s->column / TAB_WIDTH + 1) * TAB_WIDTH);
		break;
	case '\n':
	case '\v':
	case '\f':
		s->wrapped[s->row] = false;
		line_feed(s);
		s->column = 0;
		break;
	case '\r':
		screen_move(s, s->row, 0);
		break;
	case 0x1b:
		s->parser = PARSE_ESCAPE;
		break;
	}
}

static void begin_rune(struct screen *s, uint8_t byte)
{
	s->rune_left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
	s->rune_least = byte < 0xe0 ? 0x80 : byte < 0xf0 ? 0x800 : 0x10000;
	s->rune = byte & (0x3fu >> s->rune_left);
}

/* One byte of UTF-8 (RFC 3629); whatever is not well-formed shows as one replacement and nothing of it is lost after. */
static void text_byte(struct screen *s, uint8_t byte)
{
	if ((byte & 0xc0) == 0x80 && s->rune_left > 0) {
		s->rune = s->rune << 6 | (byte & 0x3fu);
		if (--s->rune_left == 0)
			put(s, s->rune >= s->rune_least ? s->rune : REPLACEMENT);
		return;
	}
	if (s->rune_left > 0)
		put(s, REPLACEMENT);
	s->rune_left = 0;
	if (byte < 0x20)
		control_character(s, byte);
	else if (byte < 0x7f)
		put(s, byte);
	else if (byte >= 0xc2 && byte < 0xf5)
		begin_rune(s, byte);
	else if (byte != 0x7f)
		put(s, REPLACEMENT);
}

static void save(struct screen *s)
{
	s->saved_row = s->row;
	s->saved_column = s->column;
}

static void escape(struct screen *s, uint8_t byte)
{
	s->parser = PARSE_TEXT;
	switch (byte) {
	case '[':
		s->parser = PARSE_CONTROL;
		s->parameter_count = 0;
		s->parameters[0] = 0;
		s->private = false;
		break;
	case ']':
	case 'P':
	case '_':
	case '^':
		s->parser = PARSE_STRING;
		break;
	case '(':
	case ')':
		s->parser = PARSE_CHARSET;
		break;
	case '7':
		save(s);
		break;
	case '8':
		screen_move(s, s->saved_row, s->saved_column);
		break;
	case 'D':
		line_feed(s);
		break;
	case 'E':
		line_feed(s);
		s->column = 0;
		break;
	case 'M':
		if (s->row == 0)
			screen_scroll_down(s, 0, 1);
		else
			screen_move(s, s->row - 1, s->column);
		break;
	case 'c':
		screen_start(s);
		break;
	}
}

/* Inside ESC [: digits and semicolons gather parameters; a byte from '@' on ends the sequence. */
static void control_byte(struct screen *s, uint8_t byte)
{
	uint32_t *parameter = &s->parameters[s->parameter_count];
	if (byte >= '0' && byte <= '9') {
		if (s->parameter_count < SCREEN_PARAMETERS && *parameter < 1000)
			*parameter = *parameter * 10 + byte - '0';
	} else if (byte == ';') {
		if (s->parameter_count < SCREEN_PARAMETERS && ++s->parameter_count < SCREEN_PARAMETERS)
			s->parameters[s->parameter_count] = 0;
	} else if (byte == '?') {
		s->private = true;
	} else if (byte >= '@' && byte <= '~') {
		s->parser = PARSE_TEXT;
		if (s->parameter_count < SCREEN_PARAMETERS)
			s->parameter_count++;
		screen_control(s, byte);
	} else if (byte < 0x20) {
		control_character(s, byte);
	}
}

/* Titles and the like show nothing; they end with BEL or ESC \. */
static void string_byte(struct screen *s, uint8_t byte)
{
	if (byte == 0x07 || (s->parser == PARSE_STRING_ESCAPE && byte == '\\') || byte == 0x18)
		s->parser = PARSE_TEXT;
	else
		s->parser = byte == 0x1b ? PARSE_STRING_ESCAPE : PARSE_STRING;
}

void screen_write(struct screen *s, const uint8_t *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (s->parser) {
		case PARSE_TEXT:
			text_byte(s, text[i]);
			break;
		case PARSE_ESCAPE:
			escape(s, text[i]);
			break;
		case PARSE_CHARSET:
			s->parser = PARSE_TEXT;
			break;
		case PARSE_CONTROL:
			control_byte(s, text[i]);
			break;
		default:
			string_byte(s, text[i]);
		}
	}
}

void screen_start(struct screen *s)
{
	*s = (struct screen){.foreground = SCREEN_NORMAL};
	for (uint32_t row = 0; row < SCREEN_ROWS; row++)
		screen_blank(s, row, 0, SCREEN_COLUMNS);
}
