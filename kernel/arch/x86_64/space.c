/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space.c - a unit's address space: 4 KiB pages in the lower half, tables paid by the unit. Tables stay until the
 * space is destroyed, so an unmap never frees one that another CPU might be walking.
 */
#include <frame.h>
#include "x86.h"

#define ENTRIES 512
#define KERNEL_HALF 256

static uint64_t *table_at(uint64_t entry)
{
	/* Safety: entries of the tables only ever hold frames, which the direct map covers. */
	return phys_to_virt((paddr_t){entry & PTE_ADDRESS});
}

static unsigned index_at(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) & (ENTRIES - 1);
}

status_t arch_space_create(struct arch_space *space, struct unit *payer)
{
	status_t status = frame_alloc(payer, &space->root);
	if (status != TSS_OK)
		return status;
	uint64_t *root = phys_to_virt(space->root);
	const uint64_t *kernel = phys_to_virt(kernel_space.root);
	for (unsigned i = KERNEL_HALF; i < ENTRIES; i++)
		root[i] = kernel[i];
	return TSS_OK;
}

/* Frees the tables below `table`, whose entries lead to tables of `level`. */
static void free_below(const uint64_t *table, unsigned entries, unsigned level, struct unit *payer)
{
	for (unsigned i = 0; i < entries; i++) {
		if (!(table[i] & PTE_PRESENT))
			continue;
		if (level > 1)
			free_below(table_at(table[i]), ENTRIES, level - 1, payer);
		frame_free(payer, (paddr_t){table[i] & PTE_ADDRESS});
	}
}

void arch_space_destroy(struct arch_space *space, struct unit *payer)
{
	/* A root that CR3 or space_root still named would look unchanged when its frame becomes the next root. */
	if (cpu_this()->space_root == space->root.raw)
		arch_space_activate(cpu_this(), &kernel_space);
	free_below(phys_to_virt(space->root), KERNEL_HALF, 3, payer);
	frame_free(payer, space->root);
	space->root = (paddr_t){0};
}

/* The last-level entry for `at`, or NULL if a table is missing. */
static uint64_t *find_entry(const struct arch_space *space, uint64_t at)
{
	uint64_t *table = phys_to_virt(space->root);
	if (at >= TSS_USER_END)
		return NULL;
	for (unsigned level = 4; level > 1; level--) {
		uint64_t entry = table[index_at(at, level)];
		if (!(entry & PTE_PRESENT))
			return NULL;
		table = table_at(entry);
	}
	return &table[index_at(at, 1)];
}

static status_t make_entry(struct arch_space *space, struct unit *payer, uint64_t at, uint64_t **out)
{
	uint64_t *table = phys_to_virt(space->root);
	for (unsigned level = 4; level > 1; level--) {
		uint64_t *entry = &table[index_at(at, level)];
		if (!(*entry & PTE_PRESENT)) {
			paddr_t frame;
			status_t status = frame_alloc(payer, &frame);
			if (status != TSS_OK)
				return status;
			*entry = frame.raw | PTE_PRESENT | PTE_WRITE | PTE_USER;
		}
		table = table_at(*entry);
	}
	*out = &table[index_at(at, 1)];
	return TSS_OK;
}

static uint64_t flags_for(unsigned protection, bool device)
{
	uint64_t flags = PTE_PRESENT | PTE_USER;
	if (protection & TSS_RIGHT_WRITE)
		flags |= PTE_WRITE;
	if (!(protection & TSS_RIGHT_EXECUTE))
		flags |= PTE_NX;
	return device ? flags | PTE_UNCACHED : flags;
}

status_t arch_space_map(struct arch_space *space, struct unit *payer, uaddr_t at, paddr_t frame, unsigned protection,
			bool device)
{
	uint64_t *entry;
	if (protection & TSS_RIGHT_WRITE && protection & TSS_RIGHT_EXECUTE)
		panic("a page is never writable and executable (W^X)");
	if (at.raw >= TSS_USER_END || at.raw & PAGE_MASK || frame.raw & ~PTE_ADDRESS)
		panic("arch_space_map: user address %#lx to %#lx", at.raw, frame.raw);
	status_t status = make_entry(space, payer, at.raw, &entry);
	if (status != TSS_OK)
		return status;
	if (*entry & PTE_PRESENT)
		return ERR(OCCUPIED, 0);
	*entry = frame.raw | flags_for(protection, device);
	return TSS_OK;
}

bool arch_space_unmap(struct arch_space *space, uaddr_t at)
{
	uint64_t *entry = find_entry(space, at.raw);
	if (!entry || !(*entry & PTE_PRESENT))
		return false;
	*entry = 0;
	/* Another space's entries are gone from the TLB since CR3 was loaded. */
	if (cpu_this()->space_root == space->root.raw)
		/* Safety: drops one translation; harmless at any address. */
		__asm__ volatile("invlpg (%0)" : : "r"(at.raw) : "memory");
	return true;
}

bool arch_space_lookup(const struct arch_space *space, uaddr_t at, paddr_t *frame)
{
	const uint64_t *entry = find_entry(space, at.raw);
	if (!entry || !(*entry & PTE_PRESENT))
		return false;
	*frame = (paddr_t){*entry & PTE_ADDRESS};
	return true;
}
