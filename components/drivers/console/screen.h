/* SPDX-License-Identifier: BSD-2-Clause */
/* screen.h - what a terminal shows, as a model: text goes in, cells and a cursor come out. No device in here. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_ROWS 25u
#define SCREEN_COLUMNS 80u
#define SCREEN_PARAMETERS 8u

/* A cell as VGA text memory has it: glyph of code page 437, attribute << 8 (background << 4 | foreground). */
#define SCREEN_NORMAL 0x07u

enum parser { PARSE_TEXT, PARSE_ESCAPE, PARSE_CHARSET, PARSE_CONTROL, PARSE_STRING, PARSE_STRING_ESCAPE };

struct screen {
	uint16_t cells[SCREEN_ROWS][SCREEN_COLUMNS];
	bool changed[SCREEN_ROWS]; /* rows written since the owner last cleared this */
	bool wrapped[SCREEN_ROWS]; /* the row's text goes on in the next one */
	uint32_t row, column;
	bool full; /* the last column has been written: the next character goes to the next row */
	bool hidden; /* the cursor */
	bool bold, reverse;
	uint8_t foreground, background; /* VGA colours, 0 to 7; foreground with bit 3 is bright */
	uint32_t saved_row, saved_column;
	enum parser parser;
	uint32_t parameters[SCREEN_PARAMETERS];
	uint32_t parameter_count;
	bool private; /* the sequence began with ESC [ ? */
	uint32_t rune, rune_left,
		rune_least; /* of an unfinished UTF-8 character: bits so far, bytes to come, its minimum */
};

/* Blank, cursor at the top left, normal colours. */
void screen_start(struct screen *screen);

/* Takes text: UTF-8 with the control characters and sequences of README.md; what it does not know shows nothing. */
void screen_write(struct screen *screen, const uint8_t *text, size_t size);

/* control.c, for screen.c: carries out ESC [ parameters final. */
void screen_control(struct screen *screen, uint8_t final);

/* Shared by the two: blanks `count` cells from (row, column) on in the row; one row further, scrolling at the end. */
void screen_blank(struct screen *screen, uint32_t row, uint32_t column, uint32_t count);
void screen_scroll_up(struct screen *screen, uint32_t first, uint32_t count);
void screen_scroll_down(struct screen *screen, uint32_t first, uint32_t count);
void screen_move(struct screen *screen, uint32_t row, uint32_t column);

/* glyph.c: the glyph of code page 437 for a character, '?' if it has none. */
uint8_t screen_glyph(uint32_t rune);
