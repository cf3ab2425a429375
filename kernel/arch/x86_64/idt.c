/* SPDX-License-Identifier: BSD-2-Clause */
/* idt.c - 256 interrupt gates to entry.S, and the end of the road for exceptions in the kernel. Intel SDM 3A 6.14. */
#include "x86.h"

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t zero;
};
_Static_assert(sizeof(struct gate) == 16, "layout");

#define GATE_INTERRUPT 0x8e /* present, privilege 0, interrupts off inside */
#define GATE_USER 0x60 /* int n allowed from user mode */
#define VECTOR_BREAKPOINT 3
#define VECTOR_DOUBLE_FAULT 8

static struct gate idt[256] SHARED_WITH_UNITS __attribute__((aligned(16)));

/* What may strike while the stack is bad or being switched: has a stack of its own, from 1. */
static const struct {
	const char *name;
	uint8_t stack;
} special[32] = {
	[2] = {" (non-maskable interrupt)", 1},
	[VECTOR_DOUBLE_FAULT] = {" (double fault)", 2},
	[18] = {" (machine check)", 3},
};

void idt_load(void)
{
	const struct table_pointer pointer = {sizeof(idt) - 1, (uint64_t)idt};

	/* Safety: each gate leads to a stub. */
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void idt_init(void)
{
	for (unsigned vector = 0; vector < 256; vector++) {
		uint64_t stub = (uint64_t)arch_vector_stubs[vector];
		idt[vector] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = SELECTOR_KERNEL_CODE,
			.ist = vector < 32 ? special[vector].stack : 0,
			.type = vector == VECTOR_BREAKPOINT ? GATE_INTERRUPT | GATE_USER : GATE_INTERRUPT,
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
	idt_load();
}

/* Next to a swapgs GS may still be, or be again, the user's, who may have any base, of a CPU's data even: just as good. */
static void reclaim_gs(void)
{
	if (read_msr(MSR_GS_BASE) - (uint64_t)cpus >= sizeof(cpus))
		/* Safety: if it was not the kernel's, the other one is. */
		__asm__ volatile("swapgs");
}

void arch_exception_kernel(uint64_t vector, uint64_t error, uint64_t rip, uint64_t cr2, uint64_t rsp)
{
	reclaim_gs();
	const char *name = special[vector & 31].name;
	/* The push that missed the stack has left its address in CR2. */
	bool overflow =
		vector == VECTOR_DOUBLE_FAULT && cpu_this()->kernel_stack - KERNEL_STACK_SIZE - cr2 - 1 < PAGE_SIZE;
	panic("exception %lu%s in the kernel: error %#lx, at kernel+%#lx (%#lx), address %#lx%s, stack %#lx", vector,
	      name ? name : "", error, arch_image_offset(rip), rip, cr2,
	      overflow ? " (guard page of the kernel stack: overflow)" : "", rsp);
}
