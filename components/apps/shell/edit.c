/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit.c - line editing: what is typed appears, the cursor moves within the line, ^A ^E ^K ^U ^C ^P ^N and the arrow
 * keys, Home, End and Delete do what they do elsewhere. Up and down bring back the lines before.
 */
#include <interfaces/terminal.h>
#include "shell.h"
#include "slots.h"

#define CTRL(letter) ((letter)&0x1f)

/* Keys that arrive as an escape sequence. */
enum key { KEY_NONE = 0x100, KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END, KEY_DELETE };

struct edit {
	char *line;
	size_t length, cursor;
	unsigned back; /* how many lines ago the one shown was entered; 0: a new one */
};

#define HISTORY_LINES 16u
static struct {
	unsigned count; /* lines ever entered */
	char lines[HISTORY_LINES][LINE_MAX + 1];
} history;

static struct {
	uint8_t bytes[TERMINAL_READ_TEXT_MAX];
	size_t have, used;
} input;

static uint8_t next_byte(void)
{
	const size_t size = sizeof(input.bytes);
	while (input.used == input.have) {
		input.used = input.have = 0;
		if (terminal_read(SLOT_TERMINAL, size, input.bytes, size, &input.have, TSS_INFINITE) != TSS_OK)
			(void)tss_self_exit(1); /* without a terminal there is nothing to do */
	}
	return input.bytes[input.used++];
}

/* The next byte of an escape sequence; 0 ends it: a control character is no part of one and stays to be read. */
static uint8_t next_of_sequence(void)
{
	uint8_t byte = next_byte();
	if (byte >= ' ')
		return byte;
	input.used--;
	return 0;
}

static void write(const char *text, size_t size)
{
	tss_output(text, size);
}

static void move_left(size_t count)
{
	for (; count > 0; count--)
		write("\b", 1);
}

/* Shows the line from `from` on, blanks one place after it, and puts the cursor where it belongs. */
static void redraw(const struct edit *e, size_t from)
{
	write(e->line + from, e->length - from);
	write(" ", 1);
	move_left(e->length + 1 - e->cursor);
}

static void insert(struct edit *e, char c)
{
	if (e->length == LINE_MAX)
		return;
	memmove(e->line + e->cursor + 1, e->line + e->cursor, e->length - e->cursor);
	e->line[e->cursor++] = c;
	e->length++;
	write(&c, 1);
	if (e->cursor < e->length)
		redraw(e, e->cursor);
}

static void delete (struct edit *e)
{
	if (e->cursor == e->length)
		return;
	e->length--;
	memmove(e->line + e->cursor, e->line + e->cursor + 1, e->length - e->cursor);
	redraw(e, e->cursor);
}

static void left(struct edit *e)
{
	if (e->cursor == 0)
		return;
	e->cursor--;
	move_left(1);
}

static void go(struct edit *e, size_t to)
{
	if (to < e->cursor)
		move_left(e->cursor - to);
	else
		write(e->line + e->cursor, to - e->cursor);
	e->cursor = to;
}

/* Cuts off everything from the cursor on. */
static void cut(struct edit *e)
{
	for (size_t i = e->cursor; i < e->length; i++)
		write(" ", 1);
	move_left(e->length - e->cursor);
	e->length = e->cursor;
}

static void clear(struct edit *e)
{
	go(e, 0);
	cut(e);
}

static void remember(const char *line)
{
	const char *last = history.lines[(history.count - 1) % HISTORY_LINES];
	if (line[0] != '\0' && (history.count == 0 || strcmp(line, last) != 0))
		strlcpy(history.lines[history.count++ % HISTORY_LINES], line, LINE_MAX + 1);
}

/* Shows the line entered `back` lines ago in place of this one. */
static void recall(struct edit *e, unsigned back)
{
	if (back > history.count || back > HISTORY_LINES)
		return;
	clear(e);
	e->back = back;
	if (back > 0)
		e->length = strlcpy(e->line, history.lines[(history.count - back) % HISTORY_LINES], LINE_MAX + 1);
	go(e, e->length);
}

static int escape(void)
{
	uint8_t c = next_of_sequence(), number = 0;
	if (c == 'O')
		(void)next_of_sequence(); /* F1 to F4 */
	if (c != '[')
		return KEY_NONE;
	for (c = next_of_sequence(); c >= '0' && c <= '9'; c = next_of_sequence())
		number = (uint8_t)(number * 10 + c - '0');
	while (c >= '0' && c <= '?')
		c = next_of_sequence(); /* which modifiers were held */
	switch (c) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'D':
		return KEY_LEFT;
	case 'C':
		return KEY_RIGHT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	case '~':
		return number == 3 ? KEY_DELETE : number == 1 ? KEY_HOME : number == 4 ? KEY_END : KEY_NONE;
	}
	return KEY_NONE;
}

/* Keys that change the line; true if the key was one of them. */
static bool change(struct edit *e, int key)
{
	switch (key) {
	case '\b':
	case 0x7f:
		if (e->cursor > 0) {
			left(e);
			delete (e);
		}
		return true;
	case KEY_DELETE:
		delete (e);
		return true;
	case CTRL('k'):
		cut(e);
		return true;
	case CTRL('u'):
		clear(e);
		return true;
	case KEY_UP:
	case CTRL('p'):
		recall(e, e->back + 1);
		return true;
	case KEY_DOWN:
	case CTRL('n'):
		recall(e, e->back > 0 ? e->back - 1 : 0);
		return true;
	}
	return false;
}

static void move(struct edit *e, int key)
{
	switch (key) {
	case KEY_LEFT:
		left(e);
		break;
	case KEY_RIGHT:
		if (e->cursor < e->length)
			go(e, e->cursor + 1);
		break;
	case KEY_HOME:
	case CTRL('a'):
		go(e, 0);
		break;
	case KEY_END:
	case CTRL('e'):
		go(e, e->length);
		break;
	}
}

bool edit_line(const char *prompt, char line[LINE_MAX + 1])
{
	struct edit e = {.line = line};
	static uint8_t previous;
	write(prompt, strlen(prompt));
	for (;;) {
		uint8_t byte = next_byte();
		bool second = byte == '\n' && previous == '\r'; /* of one \r\n */
		previous = byte;
		if (second)
			continue;
		if (byte == '\r' || byte == '\n' || byte == CTRL('c'))
			break;
		int key = byte == 0x1b ? escape() : byte;
		if (key >= ' ' && key < 0x7f)
			insert(&e, (char)key);
		else if (!change(&e, key))
			move(&e, key);
	}
	bool given_up = previous == CTRL('c');
	printf(given_up ? "^C\n" : "\n");
	line[e.length] = '\0';
	if (!given_up)
		remember(line);
	return !given_up;
}
