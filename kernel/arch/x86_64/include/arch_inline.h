/* SPDX-License-Identifier: BSD-2-Clause */
/* arch_inline.h - x86_64: the few arch.h operations that hot paths want inline. */
#pragma once
#include <cpu.h>
#include <enabled.h>

/* Of rflags, what a unit may set: CF PF AF ZF SF TF DF OF RF AC ID; interrupts are always on. */
#define ARCH_USER_FLAGS(flags) (((flags)&0x250dd5ull) | 0x202ull)

#define ARCH_PLACE_BITS 17 /* with CONFIG_KASLR: the kernel's address is one of 2^17, each as likely as any other */

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

/* Copies `count` words; neither side is looked at beyond. */
ALWAYS_INLINE void arch_copy_words(void *to, const void *from, uint64_t count)
{
	/* Safety: the caller's word for both ranges; FMASK and entry.S have cleared DF. */
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

ALWAYS_INLINE void arch_space_activate(struct cpu *cpu, paddr_t root)
{
	if (cpu->space_root == root.raw)
		return;
	cpu->space_root = root.raw;
	/* Safety: every space maps the kernel half alike; with CONFIG_PTI the way out does this. */
	if (!IS_ENABLED(CONFIG_PTI))
		__asm__ volatile("movq %0, %%cr3" : : "r"(root.raw) : "memory");
}

#define MSR_KERNEL_GS_BASE 0xc0000102u

ALWAYS_INLINE void arch_selectors_clear(void)
{
	/* Safety: the kernel uses none of the four; GS base is the user's between the two swapgs, and set anew after. */
	__asm__ volatile("movl %0, %%ds\n\tmovl %0, %%es\n\tmovl %0, %%fs\n\tswapgs\n\tmovl %0, %%gs\n\tswapgs"
			 :
			 : "r"(0));
}

/*
 * The bases the current thread has when it is back in its unit. SDM vol. 3, 5.8.8: swapgs exchanges that of GS at entry.
 * Written at every switch: a thread changes them, unseen, by its own WRGSBASE and WRFSBASE, or by loading any selector
 * into GS. A CPU without these instructions has the FS base of arch_extended_switch().
 */
ALWAYS_INLINE void arch_user_bases_set(const struct cpu *cpu, const uint64_t *gs, uint64_t fs)
{
	if (LIKELY(cpu->fsgsbase))
		/* Safety: checked user addresses; between the two swapgs nothing is reached through GS. */
		__asm__ volatile("swapgs\n\twrgsbase %0\n\tswapgs\n\twrfsbase %1" : : "r"(*gs), "r"(fs));
	else
		/* Safety: *gs is a checked user address. */
		__asm__ volatile("movl %0, %%eax\n\tmovl 4+%0, %%edx\n\twrmsr"
				 :
				 : "m"(*gs), "c"(MSR_KERNEL_GS_BASE)
				 : "rax", "rdx");
}
