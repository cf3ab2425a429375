/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vga.c - VGA registers and text memory (IBM VGA Technical Reference; register numbers in hex as there).
 *
 * Text memory is slow, uncached device memory: it is never read after the start, and a cell is written only when it
 * differs from what was written there last.
 */
#include <tessera/tessera.h>
#include "slots.h"
#include "vga.h"

/* Offsets from port 3c0. */
#define GRAPHICS_INDEX 0x0eu
#define GRAPHICS_DATA 0x0fu
#define CRTC_INDEX 0x14u
#define CRTC_DATA 0x15u
#define MISCELLANEOUS 0x0cu

#define MISCELLANEOUS_COLOUR 0x01u /* the CRTC is at 3d4, not at 3b4 */
#define GRAPHICS_MODE 0x06u
#define GRAPHICS_MODE_MASK 0x0du
#define GRAPHICS_MODE_TEXT 0x0cu /* bit 0 clear: text; bits 3-2 set: memory at b8000 */

enum crtc {
	CRTC_COLUMNS_END = 0x01,
	CRTC_CELL_HEIGHT = 0x09,
	CRTC_CURSOR_START = 0x0a,
	CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	CRTC_LINES_END = 0x12
};
#define CELL_HEIGHT_MASK 0x1fu
#define CURSOR_OFF 0x20u
#define LINES_LOW ((SCREEN_ROWS * 16 - 1) & 0xffu) /* of 400 scan lines, the low eight bits of the last one's number */

static uint8_t read_register(unsigned index, unsigned number)
{
	uint64_t value = 0;
	(void)tss_ioport_write(SLOT_REGS, index, 1, number);
	(void)tss_ioport_read(SLOT_REGS, index + 1, 1, &value);
	return (uint8_t)value;
}

static void write_crtc(enum crtc number, unsigned value)
{
	(void)tss_ioport_write(SLOT_REGS, CRTC_INDEX, 1, number);
	(void)tss_ioport_write(SLOT_REGS, CRTC_DATA, 1, value & 0xff);
}

static volatile uint16_t *text_memory(void)
{
	/* Safety: the plan maps the device `screen`, 32 KiB, at ADDRESS_SCREEN, readable and writable. */
	return (volatile uint16_t *)ADDRESS_SCREEN;
}

static bool memory_holds(uint16_t pattern)
{
	uint16_t other = pattern ^ 0xffffu; /* so that a bus which keeps its last value is not taken for memory */
	text_memory()[0] = pattern;
	text_memory()[1] = other;
	return text_memory()[0] == pattern && text_memory()[1] == other;
}

bool vga_is_text(void)
{
	uint64_t miscellaneous = 0;
	if (tss_ioport_read(SLOT_REGS, MISCELLANEOUS, 1, &miscellaneous) != TSS_OK)
		return false;
	if (!(miscellaneous & MISCELLANEOUS_COLOUR))
		return false;
	if ((read_register(GRAPHICS_INDEX, GRAPHICS_MODE) & GRAPHICS_MODE_MASK) != GRAPHICS_MODE_TEXT)
		return false;
	if (read_register(CRTC_INDEX, CRTC_COLUMNS_END) != SCREEN_COLUMNS - 1)
		return false;
	if ((read_register(CRTC_INDEX, CRTC_CELL_HEIGHT) & CELL_HEIGHT_MASK) != 15 ||
	    read_register(CRTC_INDEX, CRTC_LINES_END) != LINES_LOW)
		return false;
	return memory_holds(0x0755) && memory_holds(0x07aa);
}

static void show_cursor(const struct screen *screen)
{
	static uint32_t shown_at = ~0u;
	static bool known, shown_hidden; /* at the start the cursor may be on or off */
	uint32_t at = screen->row * SCREEN_COLUMNS + screen->column;
	if (!known || screen->hidden != shown_hidden) {
		unsigned start = read_register(CRTC_INDEX, CRTC_CURSOR_START) & ~CURSOR_OFF;
		write_crtc(CRTC_CURSOR_START, start | (screen->hidden ? CURSOR_OFF : 0));
		shown_hidden = screen->hidden;
		known = true;
	}
	if (at == shown_at)
		return;
	shown_at = at;
	write_crtc(CRTC_CURSOR_HIGH, at >> 8);
	write_crtc(CRTC_CURSOR_LOW, at);
}

void vga_show(struct screen *screen)
{
	static uint16_t shown[SCREEN_ROWS][SCREEN_COLUMNS];
	static bool started;
	if (!started) {
		write_crtc(CRTC_START_HIGH, 0);
		write_crtc(CRTC_START_LOW, 0);
	}
	for (uint32_t row = 0; row < SCREEN_ROWS; row++) {
		if (!screen->changed[row])
			continue;
		screen->changed[row] = false;
		for (uint32_t column = 0; column < SCREEN_COLUMNS; column++) {
			uint16_t cell = screen->cells[row][column];
			if (started && shown[row][column] == cell)
				continue;
			shown[row][column] = cell;
			text_memory()[row * SCREEN_COLUMNS + column] = cell;
		}
	}
	started = true; /* screen_start marks every row as changed, so the first time wrote all of them */
	show_cursor(screen);
}
