/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framebuffer.c - the screen as pixels: 80 by 25 glyphs of 8 by 16, as many times larger as fits, in the middle.
 *
 * A framebuffer is slow, uncached device memory: it is never read, and a cell is drawn only when it differs from what
 * was drawn there last, so that scrolling costs what changes. Its shape is init's word (tessera/firmware.h), checked
 * there; that it fits the memory which the plan maps is settled here.
 */
#include <tessera/firmware.h>
#include <tessera/tessera.h>
#include "framebuffer.h"
#include "slots.h"

#define GLYPH_WIDTH 8u
#define GLYPH_HEIGHT 16u
#define CURSOR_ROWS 2u /* the lowest rows of a cell */
#define NOWHERE (SCREEN_ROWS * SCREEN_COLUMNS)

extern const uint8_t font[256][GLYPH_HEIGHT]; /* font.S; the leftmost pixel is the highest bit */

/* The 16 colours of VGA's text mode, 0xrrggbb (IBM VGA Technical Reference, default palette). */
static const uint32_t palette[16] = {0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
				     0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff};

static uint32_t colours[16]; /* the palette in the framebuffer's own format */
static unsigned pixel_size; /* bytes */
static uint32_t pitch, height, scale;
static uint64_t origin; /* offset of the first cell */

static volatile uint8_t *pixels(uint64_t offset)
{
	const struct tss_firmware_facts *facts = (const struct tss_firmware_facts *)ADDRESS_FACTS;
	/* Safety: the plan maps the device `framebuffer` at ADDRESS_FRAMEBUFFER; framebuffer_start keeps offsets inside. */
	return (volatile uint8_t *)ADDRESS_FRAMEBUFFER + facts->framebuffer.address % TSS_PAGE_SIZE + offset;
}

static uint32_t colour(const struct tss_framebuffer *f, uint32_t rgb)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t part = rgb >> (16 - 8 * i) & 0xff;
		value |= part >> (8 - f->colours[i].size) << f->colours[i].position;
	}
	return value;
}

static void put(volatile uint8_t *at, uint32_t value)
{
	if (pixel_size == 4) {
		*(volatile uint32_t *)at = value;
	} else if (pixel_size == 2) {
		*(volatile uint16_t *)at = (uint16_t)value;
	} else {
		at[0] = (uint8_t)value;
		at[1] = (uint8_t)(value >> 8);
		at[2] = (uint8_t)(value >> 16);
	}
}

static void put_run(volatile uint8_t *at, uint32_t count, uint32_t value)
{
	for (uint32_t i = 0; i < count; i++)
		put(at + i * pixel_size, value);
}

static void draw(uint32_t place, uint16_t cell, bool cursor)
{
	uint32_t row = place / SCREEN_COLUMNS, column = place % SCREEN_COLUMNS;
	uint32_t front = colours[cell >> 8 & 15], back = colours[cell >> 12];
	uint64_t start = origin + (uint64_t)row * GLYPH_HEIGHT * scale * pitch +
			 (uint64_t)column * GLYPH_WIDTH * scale * pixel_size;
	for (uint32_t y = 0; y < GLYPH_HEIGHT * scale; y++) {
		uint8_t bits = font[cell & 0xff][y / scale];
		if (cursor && y / scale >= GLYPH_HEIGHT - CURSOR_ROWS)
			bits = 0xff;
		volatile uint8_t *at = pixels(start + (uint64_t)y * pitch);
		for (uint32_t x = 0; x < GLYPH_WIDTH; x++)
			put_run(at + x * scale * pixel_size, scale, bits & 0x80 >> x ? front : back);
	}
}

/* How far the memory that is mapped reaches, in whole rows. */
static uint32_t rows_in_reach(const struct tss_framebuffer *f)
{
	uint64_t room = FRAMEBUFFER_PAGES * TSS_PAGE_SIZE - f->address % TSS_PAGE_SIZE;
	return room / f->pitch < f->height ? (uint32_t)(room / f->pitch) : f->height;
}

bool framebuffer_start(void)
{
	/* Safety: the plan maps the device `facts`, a page that init filled, at ADDRESS_FACTS. */
	const struct tss_framebuffer *f = &((const struct tss_firmware_facts *)ADDRESS_FACTS)->framebuffer;
	const uint32_t wide = SCREEN_COLUMNS * GLYPH_WIDTH, high = SCREEN_ROWS * GLYPH_HEIGHT;
	uint64_t ignored;
	if (tss_capability_inspect(SLOT_FRAMEBUFFER, &ignored) != TSS_OK)
		return false;
	height = rows_in_reach(f);
	scale = f->width / wide < height / high ? f->width / wide : height / high;
	if (scale == 0)
		return false;
	pixel_size = (f->bits + 7u) / 8;
	pitch = f->pitch;
	origin = (uint64_t)((height - high * scale) / 2) * pitch + (f->width - wide * scale) / 2 * pixel_size;
	for (unsigned i = 0; i < 16; i++)
		colours[i] = colour(f, palette[i]);
	for (uint32_t y = 0; y < height; y++)
		put_run(pixels((uint64_t)y * pitch), f->width, colours[0]);
	return true;
}

void framebuffer_show(struct screen *screen)
{
	static uint16_t shown[SCREEN_ROWS * SCREEN_COLUMNS]; /* 0 is what framebuffer_start left: a black cell */
	static uint32_t shown_cursor = NOWHERE;
	uint32_t cursor = screen->hidden ? NOWHERE : screen->row * SCREEN_COLUMNS + screen->column;
	if (cursor != shown_cursor && shown_cursor != NOWHERE)
		draw(shown_cursor, shown[shown_cursor], false);
	for (uint32_t place = 0; place < SCREEN_ROWS * SCREEN_COLUMNS; place++) {
		uint16_t cell = screen->cells[place / SCREEN_COLUMNS][place % SCREEN_COLUMNS];
		if (!screen->changed[place / SCREEN_COLUMNS] || shown[place] == cell)
			continue;
		shown[place] = cell;
		if (place != cursor)
			draw(place, cell, false);
	}
	if (cursor != NOWHERE)
		draw(cursor, shown[cursor], true);
	shown_cursor = cursor;
	memset(screen->changed, 0, sizeof(screen->changed));
}
