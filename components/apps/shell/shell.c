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

int main(void)
{
	char line[LINE_MAX + 1];
	shell_started = __builtin_ia32_rdtsc();
	for (;;)
		if (edit_line("tessera> ", line))
			command_run(line);
}
