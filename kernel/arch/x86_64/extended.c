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

/* x87 and SSE as after a reset; a header of zeros says that the rest is in its initial state. */
static const union {
	struct {
		uint16_t fcw, other[11];
		uint32_t mxcsr;
	};
	uint8_t page[PAGE_SIZE];
} initial __attribute__((aligned(64))) = {{.fcw = 0x37f, .mxcsr = 0x1f80}};
static uint32_t components; /* XCR0; 0: the CPU has FXSAVE only */

void vectors_init(void)
{
	if (!feature_active(FEATURE_XSAVE))
		return;
	components = cpuid(0xd, 0).eax & COMPONENTS;
	/* Safety: components that the CPU has, x87 and SSE among them. */
	__asm__ volatile("xsetbv" : : "c"(0), "a"(components), "d"(0));
	if (cpuid(0xd, 0).ebx > PAGE_SIZE)
		panic("the vector registers do not fit into a page");
}

/* Safety of both: an area is a frame, or `initial`, which is only read; nobody else writes either. */
#define DEFINE_MOVE(name, extended, legacy)                                                                            \
	static void name(const void *area)                                                                             \
	{                                                                                                              \
		if (components)                                                                                        \
			__asm__ volatile(extended " (%0)" : : "r"(area), "a"(components), "d"(0) : "memory");          \
		else                                                                                                   \
			__asm__ volatile(legacy " (%0)" : : "r"(area) : "memory");                                     \
	}
DEFINE_MOVE(save, "xsave64", "fxsave64")
DEFINE_MOVE(restore, "xrstor64", "fxrstor64")

void arch_extended_switch(struct cpu *cpu, struct arch_extended *next)
{
	void *from = cpu->extended ? cpu->extended->vectors : NULL, *to = next ? next->vectors : NULL;
	cpu->extended = next;
	if (!cpu->fsgsbase) /* otherwise arch_user_bases_set() does it */
		write_msr(MSR_FS_BASE, next ? next->fs_base : 0);
	if (from == to)
		return;
	__asm__ volatile("clts");
	if (from)
		save(from);
	restore(to ? to : (const void *)&initial);
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
		__builtin_memcpy(extended->vectors, &initial, PAGE_SIZE);
}
