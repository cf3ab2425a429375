/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backtrace.c - walks the chain of frame pointers. It runs in a panic, when anything may be broken: each pointer is
 * followed only if it lies in one of the kernel's stacks, and only so many of them.
 */
#include "x86.h"

#define DEPTH_MAX 32

/* The stacks lie one after the other, each above its guard page: the kernel's, then those of special exceptions. */
static bool frame_valid(uint64_t at)
{
	uint64_t base = cpu_this()->kernel_stack - KERNEL_STACK_SIZE, size = KERNEL_STACK_SIZE;
	for (unsigned i = 0; i < 4 && at % 8 == 0; i++, base += size + PAGE_SIZE, size = IST_STACK_SIZE)
		if (at - base <= size - 16)
			return true;
	return false;
}

void arch_backtrace(void (*emit)(uint64_t address))
{
	uint64_t frame = (uint64_t)__builtin_frame_address(0);
	for (unsigned depth = 0; depth < DEPTH_MAX && frame_valid(frame); depth++) {
		/* Safety: frame_valid has seen that both words lie in a stack. */
		const uint64_t *words = (const uint64_t *)frame;
		if (!words[1])
			break;
		emit(words[1]);
		frame = words[0];
	}
}
