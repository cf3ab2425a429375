/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gdt.c - each CPU's segments and task state. Three exceptions have stacks of their own, because they can
 * strike while the stack is bad or being switched: NMI, double fault, machine check. Intel SDM 3A 3.4.5, 7.7.
 */
#include <enabled.h>
#include "x86.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map; /* beyond the limit: no I/O port is open to users */
} __attribute__((packed));

#define KERNEL_CODE_DESCRIPTOR 0x00af9b000000ffffull
#define KERNEL_DATA_DESCRIPTOR 0x00cf93000000ffffull
#define USER_DATA_DESCRIPTOR 0x00cff3000000ffffull
#define USER_CODE_DESCRIPTOR 0x00affb000000ffffull
#define TSS_DESCRIPTOR 0x0000890000000000ull

static const uint64_t segments[] = {0, KERNEL_CODE_DESCRIPTOR, KERNEL_DATA_DESCRIPTOR, USER_DATA_DESCRIPTOR,
				    USER_CODE_DESCRIPTOR};
static struct {
	struct tss tss;
	_Alignas(8) uint64_t gdt[COUNT_OF(segments) + 2];
} tables[CPUS_MAX] SHARED_WITH_UNITS __attribute__((aligned(CACHE_LINE)));
_Static_assert(SELECTOR_KERNEL_CODE == 1 * 8 && SELECTOR_KERNEL_DATA == 2 * 8 && SELECTOR_USER_DATA == (3 * 8 | 3) &&
		       SELECTOR_USER_CODE == (4 * 8 | 3) && SELECTOR_TSS == 5 * 8,
	       "layout");

static void set_tss_descriptor(uint64_t *gdt, uint64_t base, uint64_t limit)
{
	gdt[SELECTOR_TSS / 8] = TSS_DESCRIPTOR | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void load(const struct table_pointer *pointer)
{
	/* Safety: the kernel's code and data descriptors equal those of the boot GDT; lretq reloads CS. */
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %2, %%ss\n\t"
			 "movl %3, %%ds\n\t"
			 "movl %3, %%es\n\t"
			 "ltr %w4"
			 :
			 : "m"(*pointer), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
			   "r"(SELECTOR_TSS)
			 : "rax", "memory");
}

uint64_t gdt_init(unsigned cpu)
{
	struct tss *tss = &tables[cpu].tss;
	uint64_t *gdt = tables[cpu].gdt, stack = cpu_stack_top(cpu);
	for (unsigned i = 0; i < 3; i++)
		tss->ist[i] = stack + (i + 1) * (PAGE_SIZE + IST_STACK_SIZE);
	/* With CONFIG_PTI the kernel's stack is not there yet. An NMI, whose stack that is, never goes back to a unit. */
	tss->rsp[0] = IS_ENABLED(CONFIG_PTI) ? tss->ist[0] : stack;
	tss->io_map = sizeof(*tss);
	__builtin_memcpy(gdt, segments, sizeof(segments));
	set_tss_descriptor(gdt, (uint64_t)tss, sizeof(*tss) - 1);
	load(&(struct table_pointer){sizeof(tables[cpu].gdt) - 1, (uint64_t)gdt});
	return tss->rsp[0];
}
