/* SPDX-License-Identifier: BSD-2-Clause */
/* space.c - for the audit: what a unit's address space is made of, every page that is mapped and every table; free frames. */
#include <audit.h>
#include <frame.h>
#include <unit.h>
#include "../../kernel/arch/x86_64/x86.h"
#include "defects.h"

#define KERNEL_HALF 256

/* What lies below `table`, whose entries lead to tables of `level`, then the table itself. */
static void each_below(paddr_t table, unsigned level, struct unit *payer, each_frame *each)
{
	const uint64_t *entries = phys_to_virt(table);
	for (unsigned i = 0; i < (level == 3 ? KERNEL_HALF : TABLE_ENTRIES); i++) {
		if (!(entries[i] & PTE_PRESENT))
			continue;
		paddr_t next = {entries[i] & PTE_ADDRESS};
		uint64_t pages = level == 0 ? 1 : entries[i] & PTE_LARGE ? LARGE_PAGES : 0;
		if (!pages)
			each_below(next, level - 1, payer, each);
		for (uint64_t page = 0; page < pages; page++)
			each(payer, (paddr_t){next.raw + page * PAGE_SIZE}, 0);
	}
	each(payer, table, level + 1);
}

void arch_space_each(const struct arch_space *space, struct unit *payer, each_frame *each)
{
	each_below(space->root, 3, payer, each);
}

void frame_each_free(each_frame *each)
{
	for (const struct free_frame *frame = frames.free; frame; frame = frame->next)
		each(NULL, virt_to_phys(frame), 1);
	EACH_CPU(cpu)
		for (unsigned i = 0; i < cpu->frame_count; i++)
			each(NULL, virt_to_phys(cpu->frames[i]), 1);
}
