/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the scenes one after the other, each behind the instruction that the plugin looks for. */
#include "scenes.h"

#define SCENE_MARK 0x7e550000 /* as in tests/lib/worst.c */

TSS_OUTPUT_TO_UART(SLOT_REGS)

int main(void)
{
	jobs_init();
#define SCENE(name, text)                                                                                              \
	printf("worst scene %d %s\n", SCENE_##name, text);                                                             \
	asm volatile("nopl %c0(%%rax)" : : "i"(SCENE_MARK + SCENE_##name));                                            \
	scene_##name();                                                                                                \
	scene_over();
#include "scenes.def"
#undef SCENE
	printf("worst done\n");
	for (;;)
		(void)tss_self_sleep(FOREVER);
}
