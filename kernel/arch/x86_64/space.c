/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space.c - a unit's address space: 4 KiB pages in the lower half, tables paid by the unit. Tables stay until the
 * space is destroyed, so an unmap never frees one that another CPU might be walking.
 *
 * A space has a PCID of its own as long as there are any (Intel SDM 3A 4.10.1): then a CPU keeps what it has translated
 * there while it runs others, and every CPU that ever ran the space is told of an unmap. Otherwise loading CR3 forgets.
 */
#include <enabled.h>
#include <frame.h>
#include "x86.h"

#define KERNEL_HALF 256
#define HUGE_SIZE (LARGE_SIZE * TABLE_ENTRIES) /* of an entry of level 3 */
#define TOP_SIZE (HUGE_SIZE * TABLE_ENTRIES)
#define CR3_KEEP (1ull << 63) /* what was translated under this PCID stays */
#define PCIDS 4096u
#define USER_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER)

static uint64_t pcids_taken[PCIDS / 64] = {1}; /* 0 is everybody's who has none */

/* For CR3, beside the root. */
static uint64_t pcid_take(void)
{
	for (unsigned i = 0; feature_active(FEATURE_PCID) && i < COUNT_OF(pcids_taken); i++) {
		unsigned bit = (unsigned)__builtin_ffsll((long long)~pcids_taken[i]);
		if (bit == 0)
			continue;
		pcids_taken[i] |= 1ull << (bit - 1);
		return CR3_KEEP | (i * 64 + bit - 1);
	}
	return 0;
}

status_t arch_space_create(struct arch_space *space, struct unit *payer)
{
	uint64_t *root = frame_alloc(payer);
	if (!root)
		return ERR(MEMORY, 0);
	space->root = virt_to_phys(root);
	space->cr3 = space->root.raw | pcid_take();
	paddr_t upper = IS_ENABLED(CONFIG_PTI) ? entry_space.root : kernel_space.root;
	__builtin_memcpy(root + KERNEL_HALF, (const uint64_t *)phys_to_virt(upper) + KERNEL_HALF, PAGE_SIZE / 2);
	return TSS_OK;
}

/* Units have no global pages. With CONFIG_PTI, which has no PCIDs, going back to a unit does it. */
static void flush(struct cpu *cpu, void *argument)
{
	const struct arch_space *space = argument;
	if (IS_ENABLED(CONFIG_PTI))
		return; /* then going back to a unit does it */
	write_cr3(space->cr3 & ~CR3_KEEP);
	if (cpu->space_root != space->cr3)
		write_cr3(cpu->space_root);
}

/* A root that CR3 or space_root still named would look unchanged when its frame becomes the next root. */
static void leave(struct cpu *cpu, void *argument)
{
	const struct arch_space *space = argument;
	if (cpu->space_root == space->cr3)
		cpu->space_root = kernel_space.root.raw;
	flush(cpu, argument);
}

/* May it have translations of the space? An idle CPU has the space of the last unit in CR3, too. */
static bool holds(const struct cpu *cpu, const struct arch_space *space)
{
	return cpu->space_root == space->cr3 || (space->cr3 & CR3_KEEP && space->cpus >> cpu->index & 1);
}

/* What is loaded here has been dropped page by page. */
void arch_space_flush(struct arch_space *space)
{
	EACH_CPU(cpu)
		if (holds(cpu, space) && !(cpu_is_here(cpu) && cpu->space_root == space->cr3))
			cpu_ask(cpu, flush, space);
}

/* Tables below `table`, whose entries lead to tables of `level`; their pages are not mapped any more. */
static bool free_below(uint64_t *table, unsigned level, struct unit *payer, unsigned *left)
{
	for (uint64_t *entry = table; entry < table + (level == 3 ? KERNEL_HALF : TABLE_ENTRIES); entry++) {
		uint64_t *next = phys_to_virt((paddr_t){*entry & PTE_ADDRESS});
		if (!(*entry & PTE_PRESENT))
			continue;
		if ((level > 1 && !free_below(next, level - 1, payer, left)) || !slice_spend(left, SLICE_PAGE))
			return false;
		frame_free(payer, next);
		*entry = 0;
	}
	return true;
}

bool arch_space_shrink(struct arch_space *space, struct unit *payer, unsigned *left)
{
	EACH_CPU(cpu)
		if (holds(cpu, space))
			cpu_ask(cpu, leave, space);
	return free_below(phys_to_virt(space->root), 3, payer, left);
}

void arch_space_destroy(struct arch_space *space, struct unit *payer)
{
	if (space->cr3 & CR3_KEEP)
		pcids_taken[space->cr3 % PCIDS / 64] &= ~(1ull << space->cr3 % 64);
	frame_free(payer, phys_to_virt(space->root));
	*space = (struct arch_space){0};
}

uint64_t arch_space_placed(const struct arch_space *space, uint64_t at)
{
	return at / TOP_SIZE == space->home ? at + space->shift : at;
}

void arch_space_move(struct arch_space *space, uint64_t at, uint64_t place)
{
	uint64_t *root = phys_to_virt(space->root), old = arch_space_placed(space, at) / HUGE_SIZE;
	uint64_t *from = &root[old / TABLE_ENTRIES], *to = &root[place / TABLE_ENTRIES], top = *from;
	if (from == root || !top || (from != to && *to))
		return;
	uint64_t *table = phys_to_virt((paddr_t){top & PTE_ADDRESS}), huge = table[old % TABLE_ENTRIES];
	for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
		if (table[i] && i != old % TABLE_ENTRIES)
			return;
	table[old % TABLE_ENTRIES] = *from = 0;
	table[place % TABLE_ENTRIES] = huge;
	*to = top;
	space->home = at / TOP_SIZE;
	space->shift = place * HUGE_SIZE - at / HUGE_SIZE * HUGE_SIZE;
	arch_space_flush(space);
}

/* The entry of the page at `at`, or NULL if nothing is mapped there. */
static uint64_t *mapped_entry(const struct arch_space *space, uaddr_t at)
{
	uint64_t *entry =
		at.raw < TSS_USER_END ? mmu_entry(space->root, arch_space_placed(space, at.raw), 1, 0, NULL) : NULL;
	return entry && *entry & PTE_PRESENT ? entry : NULL;
}

static uint64_t flags_for(unsigned protection, bool device)
{
	return PTE_PRESENT | PTE_USER | (protection & TSS_RIGHT_WRITE ? PTE_WRITE : 0) |
	       (protection & TSS_RIGHT_EXECUTE ? 0 : PTE_NX) | (device ? PTE_UNCACHED : 0);
}

status_t arch_space_map(struct arch_space *space, struct unit *payer, uaddr_t at, paddr_t frame, unsigned protection,
			bool device)
{
	if (protection & TSS_RIGHT_WRITE && protection & TSS_RIGHT_EXECUTE)
		panic("a page is never writable and executable (W^X)");
	if (at.raw >= TSS_USER_END || at.raw & PAGE_MASK || frame.raw & ~PTE_ADDRESS)
		panic("arch_space_map: user address %#lx to %#lx", at.raw, frame.raw);
	uint64_t *entry = mmu_entry(space->root, arch_space_placed(space, at.raw), 1, USER_TABLE, payer);
	if (!entry)
		return ERR(MEMORY, 0);
	if (*entry & PTE_PRESENT)
		return ERR(OCCUPIED, 0);
	*entry = frame.raw | flags_for(protection, device);
	return TSS_OK;
}

bool arch_space_map_large(struct arch_space *space, struct unit *payer, uaddr_t at, paddr_t frame, unsigned protection,
			  bool device)
{
	if ((at.raw | frame.raw) % LARGE_SIZE)
		return false;
	uint64_t *entry = mmu_entry(space->root, arch_space_placed(space, at.raw), 2, USER_TABLE, payer);
	if (!entry || *entry & PTE_PRESENT)
		return false;
	*entry = frame.raw | flags_for(protection, device) | PTE_LARGE;
	return true;
}

uint32_t arch_space_unmap(struct arch_space *space, uaddr_t at)
{
	uint64_t *entry = mapped_entry(space, at);
	if (!entry)
		return 1;
	uint32_t pages = *entry & PTE_LARGE ? LARGE_PAGES : 1;
	*entry = 0;
	/* All else that may be held: arch_space_flush(). */
	if (cpu_this()->space_root == space->cr3)
		/* Safety: drops one translation; harmless at any address. */
		__asm__ volatile("invlpg (%0)" : : "r"(arch_space_placed(space, at.raw)) : "memory");
	return pages;
}

paddr_t arch_space_lookup(const struct arch_space *space, uaddr_t at)
{
	const uint64_t *entry = mapped_entry(space, at);
	if (!entry)
		return (paddr_t){NOT_MAPPED};
	return (paddr_t){(*entry & PTE_ADDRESS) + (*entry & PTE_LARGE ? at.raw % LARGE_SIZE & ~PAGE_MASK : 0)};
}
