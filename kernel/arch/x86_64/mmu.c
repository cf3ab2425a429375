/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu.c - the kernel's own half of every address space, four-level paging (Intel SDM 3A 4.5).
 *
 *   DIRECT_MAP_BASE   all RAM at its physical address, and single pages of firmware tables and device registers;
 *                     never executable; the image's text and constants are read-only here too
 *   link base + slide the image: text R-X, constants and relocated data R--, data RW-; guard pages are not mapped
 *
 * With CONFIG_PTI only the kernel has this half. A unit's has what a CPU touches on its way in, before it has loaded the
 * kernel's tables, and on its way out: .entry.text, descriptors, struct cpu, and the stacks on which exceptions begin.
 *
 * Until kernel_main, table frames come off the end of boot_info.ram; afterwards from frame_alloc. Level 4 entries of
 * this half are made before the first unit's tables and never change, since those copy them.
 */
#include <enabled.h>
#include <frame.h>
#include "x86.h"

#define BOOT_MAPPED_END (1ull << 32)
#define DIRECT_MAP_SIZE (1ull << 46)
#define KERNEL_PAGE (PTE_PRESENT | (IS_ENABLED(CONFIG_PTI) ? 0 : PTE_GLOBAL))

struct arch_space kernel_space SHARED_WITH_UNITS, entry_space;
static bool frames_ready; /* the frame allocator owns boot_info.ram */

/* One frame, zeroed, off the highest RAM that boot.S has mapped. */
static void *take_boot_frame(void)
{
	for (unsigned i = boot_info.ram_count; i-- > 0;) {
		uint64_t end = boot_info.ram[i].base.raw + boot_info.ram[i].size;
		if (end > BOOT_MAPPED_END)
			continue;
		region_cut(boot_info.ram, &boot_info.ram_count, end - PAGE_SIZE, end);
		return __builtin_memset(phys_to_virt((paddr_t){end - PAGE_SIZE}), 0, PAGE_SIZE);
	}
	panic("no RAM for the kernel's page tables");
}

void *mmu_table_alloc(struct unit *payer)
{
	return frames_ready ? frame_alloc(payer) : take_boot_frame();
}

static uint64_t page_size(unsigned level)
{
	return PAGE_SIZE << 9 * (level - 1);
}

static uint64_t *kernel_entry(uint64_t address, unsigned level)
{
	uint64_t *entry = mmu_entry(kernel_space.root, address, level, PTE_PRESENT | PTE_WRITE, NULL);
	if (!entry)
		panic("no frame for the kernel's page tables");
	return entry;
}

static unsigned level_for(uint64_t address, uint64_t physical, uint64_t size)
{
	for (unsigned level = feature_active(FEATURE_HUGE_PAGES) ? 3 : 2; level > 1; level--) {
		if (((address | physical) & (page_size(level) - 1)) == 0 && size >= page_size(level))
			return level;
	}
	return 1;
}

/* All arguments page-aligned; the range is not mapped yet. */
static void kernel_map(uint64_t address, uint64_t physical, uint64_t size, uint64_t flags)
{
	uint64_t *entry = NULL;
	for (uint64_t step = 0; size; address += step, physical += step, size -= step) {
		unsigned level = level_for(address, physical, size);
		/* The next of the same table, or of another one. */
		entry = step == page_size(level) && address % page_size(level + 1) ? entry + 1
										   : kernel_entry(address, level);
		step = page_size(level);
		*entry = physical | flags | KERNEL_PAGE | (level > 1 ? PTE_LARGE : 0);
	}
}

static void map_image(void)
{
	const char *part[] = {image_start, image_text_end, image_relro_end, image_end};
	const uint64_t flags[] = {0, PTE_NX, PTE_NX | PTE_WRITE};
	for (unsigned i = 0; i < COUNT_OF(flags); i++)
		kernel_map((uint64_t)part[i], boot_info.image.raw + image_distance(part[i]),
			   image_distance(part[i + 1]) - image_distance(part[i]), flags[i]);
	for (unsigned index = 0; IS_ENABLED(CONFIG_GUARD_PAGES) && index < CPUS_MAX; index++) {
		*kernel_entry(cpu_stack_top(index) - KERNEL_STACK_SIZE - PAGE_SIZE, 1) = 0;
		for (unsigned i = 0; i < 3; i++)
			*kernel_entry(cpu_stack_top(index) + i * (PAGE_SIZE + IST_STACK_SIZE), 1) = 0;
	}
}

/* Pages of the image that are there while a unit runs, too. */
static void share(uint64_t at, uint64_t end, uint64_t flags)
{
	for (; at < end; at += PAGE_SIZE)
		*mmu_entry(entry_space.root, at, 1, PTE_PRESENT | PTE_WRITE, NULL) =
			(boot_info.image.raw + image_distance((const char *)at)) | flags | PTE_PRESENT;
}

static void map_entry(void)
{
	entry_space.root = virt_to_phys(take_boot_frame());
	share((uint64_t)image_entry_start, (uint64_t)image_entry_end, 0);
	share((uint64_t)image_shared_start, (uint64_t)image_shared_end, PTE_NX | PTE_WRITE);
	for (unsigned i = 0; i < CPUS_MAX * 3; i++) {
		uint64_t top = cpu_stack_top(i / 3) + (i % 3 + 1) * (PAGE_SIZE + IST_STACK_SIZE);
		share(top - IST_STACK_SIZE, top, PTE_NX | PTE_WRITE);
	}
}

/* Where application processors begin, at its physical address, in the half that units have for themselves. */
static void map_low(void)
{
	uint64_t page = boot_info.trampoline.raw;
	if (CPUS_MAX > 1 && page)
		*kernel_entry(page, 1) = page | PTE_PRESENT;
}

void mmu_forget_low(void)
{
	*(uint64_t *)phys_to_virt(kernel_space.root) = 0;
}

/* [base, end) of RAM, that part of it read-only which holds the image's text and constants. */
static void map_direct(uint64_t base, uint64_t end)
{
	uint64_t fixed = boot_info.image.raw;
	uint64_t cut[] = {base, fixed, fixed + image_distance(image_relro_end), end};
	const uint64_t flags[] = {PTE_NX | PTE_WRITE, PTE_NX, PTE_NX | PTE_WRITE};
	for (unsigned i = 1; i < 3; i++)
		cut[i] = cut[i] < base ? base : cut[i] > end ? end : cut[i];
	for (unsigned i = 0; i < COUNT_OF(flags); i++)
		kernel_map(DIRECT_MAP_BASE + cut[i], cut[i], cut[i + 1] - cut[i], flags[i]);
}

/* PAT entry 3 is what PTE_UNCACHED selects; firmware and loaders leave it at its reset value, UC (SDM 3A 11.12.4). */
void mmu_init(void)
{
	kernel_space.root = virt_to_phys(take_boot_frame());
	map_image();
	if (IS_ENABLED(CONFIG_PTI))
		map_entry();
	map_low();
	for (unsigned i = 0; i < boot_info.reserved_count; i++) {
		const struct boot_region *region = &boot_info.reserved[i];
		if (region->base.raw + region->size > DIRECT_MAP_SIZE)
			panic("RAM at %#lx is beyond the direct map", region->base.raw);
		map_direct(region->base.raw, region->base.raw + region->size);
	}
	write_cr3(kernel_space.root.raw);
	cpu_this()->space_root = kernel_space.root.raw;
	frames_ready = true;
}

static bool address_valid(uint64_t base, uint64_t size)
{
	unsigned bits = cpuid_if_any(0x80000008).eax & 0xff;
	uint64_t end = 1ull << (bits == 0 ? 36 : bits < 46 ? bits : 46);
	return base < end && size <= end - base;
}

static void *map_extra(uint64_t base, uint64_t size, uint64_t flags)
{
	uint64_t end = (base + size + PAGE_MASK) & ~PAGE_MASK;
	if (!address_valid(base, size))
		return NULL;
	for (uint64_t at = base & ~PAGE_MASK; at < end; at += PAGE_SIZE) {
		uint64_t *entry = kernel_entry(DIRECT_MAP_BASE + at, 1);
		if (!(*entry & PTE_PRESENT))
			*entry = at | flags | KERNEL_PAGE | PTE_NX;
	}
	return phys_to_virt((paddr_t){base});
}

const void *mmu_map_firmware(paddr_t base, uint64_t size)
{
	return map_extra(base.raw, size, 0);
}

volatile void *mmu_map_registers(paddr_t base, uint64_t size)
{
	uint64_t end = (base.raw + size + PAGE_MASK) & ~PAGE_MASK;
	volatile void *registers = map_extra(base.raw, size, PTE_WRITE | PTE_UNCACHED);
	if (registers && !region_add(boot_info.reserved, &boot_info.reserved_count, base.raw & ~PAGE_MASK, end))
		panic("no room to reserve the registers at %#lx", base.raw);
	return registers;
}
