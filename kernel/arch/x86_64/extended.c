/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extended.c - registers that only some threads use: x87, SSE, AVX (Intel SDM vol. 1, 13; vol. 3, 13) and FS base; and
 * the selectors, which nobody has for long.
 *
 * A thread's vector registers are saved the moment another thread becomes current, and what the CPU has then is the
 * next one's, or the initial state under CR0.TS: no value of one thread is in the CPU while another runs.
 */
#include "x86.h"

#define CR0_TS (1ull << 3)
#define MSR_FS_BASE 0xc0000100
#define COMPONENTS 0xe7u /* x87, SSE, AVX, AVX-512 */
#define FCW_INITIAL 0x37fu
#define MXCSR_INITIAL 0x1f80u
#define FLAGS_USER 0x00250dd5ull /* CF PF AF ZF SF TF DF OF RF AC ID */
#define FLAGS_FIXED 0x202ull

static uint8_t initial[PAGE_SIZE] __attribute__((aligned(64)));
static uint32_t components; /* XCR0; 0: the CPU has FXSAVE only */

/* x87 and SSE as after a reset; a header of zeros says that the rest is in its initial state. */
static void initial_state(void *area)
{
	__builtin_memset(area, 0, PAGE_SIZE);
	*(uint16_t *)area = FCW_INITIAL;
	*(uint32_t *)((uint8_t *)area + 24) = MXCSR_INITIAL;
}

void vectors_init(void)
{
	initial_state(initial);
	if (!feature_active(FEATURE_XSAVE))
		return;
	components = cpuid(0xd, 0).eax & COMPONENTS;
	/* Safety: components that the CPU has, x87 and SSE among them. */
	__asm__ volatile("xsetbv" : : "c"(0), "a"(components), "d"(0));
	if (cpuid(0xd, 0).ebx > PAGE_SIZE)
		panic("the vector registers do not fit into a page");
}

/* Safety of both: an area is a page, aligned, that only this file writes. */
static void save(void *area)
{
	if (components)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(components), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void restore(const void *area)
{
	if (components)
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(components), "d"(0) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void arch_extended_switch(struct cpu *cpu, struct arch_extended *next)
{
	void *from = cpu->extended ? cpu->extended->vectors : NULL, *to = next ? next->vectors : NULL;
	cpu->extended = next;
	write_msr(MSR_FS_BASE, next ? next->fs_base : 0);
	if (from == to)
		return;
	__asm__ volatile("clts");
	if (from)
		save(from);
	restore(to ? to : initial);
	if (!to)
		write_cr0(read_cr0() | CR0_TS);
}

void arch_extended_reset(struct arch_extended *extended)
{
	struct cpu *cpu = cpu_this();
	if (cpu->extended == extended)
		arch_extended_switch(cpu, NULL);
	extended->fs_base = 0;
	if (extended->vectors)
		initial_state(extended->vectors);
}

void arch_selectors_clear(void)
{
	/* Safety: the kernel uses none of the four; GS base is the user's between the two swapgs, and set anew after. */
	__asm__ volatile("movl %0, %%ds\n\tmovl %0, %%es\n\tmovl %0, %%fs\n\tswapgs\n\tmovl %0, %%gs\n\tswapgs"
			 :
			 : "r"(0));
}

uint64_t arch_user_flags(uint64_t flags)
{
	return (flags & FLAGS_USER) | FLAGS_FIXED;
}
