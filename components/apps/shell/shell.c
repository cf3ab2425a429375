/* SPDX-License-Identifier: BSD-2-Clause */
/* shell.c - prompt, line, command, and so on for ever. */
#include <interfaces/terminal.h>
#include "shell.h"
#include "slots.h"

void tss_output(const char *text, size_t size)
{
	if (size > 0)
		(void)terminal_write(SLOT_TERMINAL, text, size, NULL, TSS_INFINITE);
}

uint64_t shell_started;
bool shell_colours;

void complain(const char *format, ...)
{
	char text[TERMINAL_WRITE_TEXT_MAX - 16];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	size_t size = strnlen(text, sizeof(text) - 1);
	int length = (int)(size > 0 && text[size - 1] == '\n' ? size - 1 : size);
	printf(shell_colours ? "\033[31m%.*s\033[m\n" : "%.*s\n", length, text);
}

/* A terminal that does not know the question has no colours as far as anybody can tell. */
static bool has_colours(void)
{
	uint32_t columns, rows, colours = 0;
	return terminal_describe(SLOT_TERMINAL, &columns, &rows, &colours, TSS_INFINITE) == TSS_OK && colours >= 8;
}

int main(void)
{
	char line[LINE_MAX + 1];
	shell_started = __builtin_ia32_rdtsc();
	shell_colours = has_colours();
	for (;;)
		if (edit_line(shell_colours ? "\033[32mtessera>\033[m " : "tessera> ", line))
			command_run(line);
}
