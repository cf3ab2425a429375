/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * backtrace.c - walks the chain of frame pointers. It runs in a panic, when anything may be broken: each pointer is
 * followed only if it lies in one of the kernel's stacks, and only so many of them.
 */
#include "x86.h"

#define DEPTH_MAX 32

static bool in_stack(uint64_t at, uint64_t base, uint64_t size)
{
	return at >= base && at - base <= size - 16;
}

static bool frame_valid(uint64_t at)
{
	uint64_t ist = cpu_this()->kernel_stack;
	if (at & 7)
		return false;
	if (in_stack(at, cpu_this()->kernel_stack - KERNEL_STACK_SIZE, KERNEL_STACK_SIZE))
		return true;
	for (unsigned i = 0; i < 3; i++, ist += PAGE_SIZE + IST_STACK_SIZE) {
		if (in_stack(at, ist + PAGE_SIZE, IST_STACK_SIZE))
			return true;
	}
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
