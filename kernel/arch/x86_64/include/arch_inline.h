/* SPDX-License-Identifier: BSD-2-Clause */
/* arch_inline.h - x86_64: the few arch.h operations that hot paths want inline. */
#pragma once
#include <cpu.h>

/* Of rflags, what a unit may set: CF PF AF ZF SF TF DF OF RF AC ID; interrupts are always on. */
#define ARCH_USER_FLAGS(flags) (((flags)&0x250dd5ull) | 0x202ull)

ALWAYS_INLINE struct cpu *cpu_this(void)
{
	struct cpu *cpu;
	/* Safety: in the kernel GS always points to this CPU's struct cpu, whose first word is its own address. */
	__asm__("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

ALWAYS_INLINE uint64_t arch_tsc(void)
{
	uint32_t low, high;
	/* Safety: reads a counter. */
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

ALWAYS_INLINE void arch_pause(void)
{
	/* Safety: a hint. */
	__asm__ volatile("pause");
}

ALWAYS_INLINE void arch_space_activate(struct cpu *cpu, const struct arch_space *space)
{
	if (cpu->space_root == space->root.raw)
		return;
	cpu->space_root = space->root.raw;
	/* Safety: every space maps the kernel half alike. */
	__asm__ volatile("movq %0, %%cr3" : : "r"(space->root.raw) : "memory");
}

#define MSR_KERNEL_GS_BASE 0xc0000102u

/*
 * The GS base the current thread has when it is back in its unit. SDM vol. 3, 5.8.8: swapgs exchanges it at entry.
 * Written at every switch: a thread changes the base, unseen, by loading any selector into GS.
 */
ALWAYS_INLINE void arch_user_gs_set(const uint64_t *base)
{
	/* Safety: *base is a checked user address. */
	__asm__ volatile("movl %0, %%eax\n\tmovl 4+%0, %%edx\n\twrmsr"
			 :
			 : "m"(*base), "c"(MSR_KERNEL_GS_BASE)
			 : "rax", "rdx");
}
