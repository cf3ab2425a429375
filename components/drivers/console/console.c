/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - the terminal on screen and keyboard: a framebuffer or VGA text, whichever the machine has. A write is on
 * the glass when it is answered; a read is answered when something was typed. It waits for nobody: keyboards type with messages that want no reply.
 */
#include <tessera/table.h>
#include <interfaces/log.h>
#include "framebuffer.h"
#include "input.h"
#include "vga.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#define TYPING "typing" /* what a client must call its connection to be heard as a keyboard */
#define BADGES_MAX 256u

struct console {
	void (*show)(struct screen *screen);
	struct screen screen;
	struct input input;
};

/* The directory, which the generator made, says what the client behind a badge calls its connection. */
static bool may_type(uint64_t badge)
{
	const struct tss_directory_entry *entries = (const void *)TSS_LAYOUT_DIRECTORY;
	for (unsigned i = 0; i < BADGES_MAX && entries[i].badge != 0; i++)
		if (entries[i].badge == badge)
			return strncmp((const char *)entries[i].connection, TYPING, sizeof(entries[i].connection)) == 0;
	return false;
}

static tss_status_t on_write(void *state, struct tss_request *request, const void *text, size_t size, uint32_t *written)
{
	struct console *console = state;
	(void)request;
	screen_write(&console->screen, text, size);
	console->show(&console->screen);
	*written = (uint32_t)size;
	return TSS_OK;
}

static tss_status_t on_read(void *state, struct tss_request *request, uint32_t max, void *text, size_t *size)
{
	struct console *console = state;
	return input_read(&console->input, request, max, text, size);
}

static tss_status_t on_typed(void *state, struct tss_request *request, const void *text, size_t size)
{
	struct console *console = state;
	uint8_t copy[TERMINAL_TYPED_TEXT_MAX]; /* answering a reader takes the place where text lies */
	if (!may_type(request->badge))
		return TERMINAL_ERROR_REFUSED;
	memcpy(copy, text, size);
	input_typed(&console->input, copy, size);
	return TSS_OK;
}

static tss_status_t on_describe(void *state, struct tss_request *request, uint32_t *columns, uint32_t *rows,
				uint32_t *colours)
{
	(void)state, (void)request;
	*columns = SCREEN_COLUMNS;
	*rows = SCREEN_ROWS;
	*colours = 16;
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct terminal_operations operations = {
		.write = on_write, .read = on_read, .typed = on_typed, .describe = on_describe};
	return terminal_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	static struct console console;
	console.show = framebuffer_start() ? framebuffer_show : vga_is_text() ? vga_show : NULL;
	if (console.show == NULL) {
		printf("no framebuffer and no VGA text screen here\n");
		return 0;
	}
	screen_start(&console.screen);
	console.show(&console.screen);
	return (int)tss_serve(SLOT_PORT_TERMINAL, &server, &console);
}
