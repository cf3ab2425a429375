/* SPDX-License-Identifier: BSD-2-Clause */
/* arch_inline.h - x86_64: the few arch.h operations that hot paths want inline. */
#pragma once
#include <cpu.h>

ALWAYS_INLINE struct cpu *cpu_this(void)
{
	struct cpu *cpu;
	/* Safety: in the kernel GS always points to this CPU's struct cpu, whose first word is its own address. */
	__asm__("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

ALWAYS_INLINE void arch_space_activate(const struct arch_space *space)
{
	struct cpu *cpu = cpu_this();
	if (cpu->space_root == space->root.raw)
		return;
	cpu->space_root = space->root.raw;
	/* Safety: every space maps the kernel half alike. */
	__asm__ volatile("movq %0, %%cr3" : : "r"(space->root.raw) : "memory");
}
