/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the scenes one after the other, each behind the instruction that the plugin looks for. */
#include <stdarg.h>
#include "scenes.h"

#define LINE_STATUS 5 /* a register of the 16550 */
#define TRANSMITTER_EMPTY 0x20u
#define SCENE_MARK 0x7e550000 /* as in tests/lib/worst.c */

void say(const char *format, ...)
{
	char text[160];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (const char *at = text; *at; at++) {
		uint64_t status = TRANSMITTER_EMPTY;
		while (tss_ioport_read(SLOT_REGS, LINE_STATUS, 1, &status) == TSS_OK && !(status & TRANSMITTER_EMPTY))
			(void)tss_self_yield();
		(void)tss_ioport_write(SLOT_REGS, 0, 1, (uint8_t)*at);
	}
}

int main(void)
{
	jobs_init();
#define SCENE(name, text)                                                                                              \
	say("worst scene %d %s\n", SCENE_##name, text);                                                                \
	asm volatile("nopl %c0(%%rax)" : : "i"(SCENE_MARK + SCENE_##name));                                            \
	scene_##name();                                                                                                \
	scene_over();
#include "scenes.def"
#undef SCENE
	say("worst done\n");
	for (;;)
		(void)tss_self_sleep(FOREVER);
}
