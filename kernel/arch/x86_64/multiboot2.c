/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * multiboot2.c - reads the boot information (Multiboot2 specification 2.0, 3.6) and copies what the kernel needs
 * into boot_info; nothing points into it afterwards, so its memory is ordinary free RAM. It is the loader's word, yet
 * every length is checked: a broken loader gives a panic, not a wild pointer.
 */
#include "x86.h"

#define TAG_END 0
#define TAG_CMDLINE 1
#define TAG_MODULE 3
#define TAG_MEMORY 6
#define TAG_FRAMEBUFFER 8
#define TAG_RSDP_OLD 14
#define TAG_RSDP_NEW 15
#define MEMORY_FREE 1
#define INFORMATION_MAX (1u << 20)
#define LOW_MEMORY_END 0x100000ull /* firmware's; never handed out */
#define CONVENTIONAL_END 0xa0000ull
#define ADDRESS_END (1ull << 52)

struct tag {
	uint32_t type;
	uint32_t size;
	char payload[];
};

struct tag_module {
	uint32_t type, size;
	uint32_t start, end;
};

struct memory_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
	uint32_t zero;
};

struct tag_memory {
	uint32_t type, size;
	uint32_t entry_size, entry_version;
	char entries[];
};

static uint64_t round_up(uint64_t value)
{
	return (value + PAGE_MASK) & ~PAGE_MASK;
}

/* What is longer is cut off, what is shorter is followed by zeros. */
static void copy_payload(const struct tag *tag, void *out, uint64_t size)
{
	uint64_t room = tag->size - sizeof(*tag);
	for (uint64_t i = 0; i < size; i++)
		((char *)out)[i] = i < room ? tag->payload[i] : 0;
}

/* The first module is the bundle; pages of it are mapped, so it has to start on one (the header asks for it). */
static void read_module(const struct tag *tag)
{
	const struct tag_module *module = (const struct tag_module *)tag;
	if (tag->size < sizeof(*module) || boot_info.bundle_size)
		return;
	if (module->start & PAGE_MASK || module->end <= module->start)
		panic("multiboot2: module at %#x to %#x is not page-aligned or empty", module->start, module->end);
	boot_info.bundle = (paddr_t){module->start};
	boot_info.bundle_size = module->end - module->start;
}

static const struct memory_entry *entry_at(const struct tag_memory *memory, unsigned index)
{
	uint64_t offset = (uint64_t)index * memory->entry_size;
	if (sizeof(*memory) + offset + sizeof(struct memory_entry) > memory->size)
		return NULL;
	return (const struct memory_entry *)(memory->entries + offset);
}

static uint64_t entry_end(const struct memory_entry *entry)
{
	uint64_t end = entry->base + entry->length;
	return end < entry->base || end > ADDRESS_END ? ADDRESS_END : end;
}

static void keep(uint64_t base, uint64_t size)
{
	if (size)
		region_cut(boot_info.ram, &boot_info.ram_count, base & ~PAGE_MASK, round_up(base + size));
}

/* Free RAM is whole pages inside; what must stay untouched is whole pages around. Maps may overlap: caution wins. */
static void read_memory(const struct tag_memory *memory)
{
	const struct memory_entry *entry;
	if (memory->size < sizeof(*memory) || memory->entry_size < sizeof(*entry) || memory->entry_size % 8)
		panic("multiboot2: memory map of %u bytes has no entries or odd ones", memory->size);
	for (unsigned i = 0; (entry = entry_at(memory, i)); i++) {
		if (entry->type != MEMORY_FREE || entry->base >= ADDRESS_END)
			continue;
		uint64_t base = entry->base, end = entry_end(entry);
		region_add(boot_info.ram, &boot_info.ram_count, round_up(base), end & ~PAGE_MASK);
		if (!region_add(boot_info.reserved, &boot_info.reserved_count, base & ~PAGE_MASK, round_up(end)))
			panic("multiboot2: more than %u ranges of RAM", BOOT_REGIONS_MAX);
	}
	for (unsigned i = 0; (entry = entry_at(memory, i)); i++) {
		if (entry->type != MEMORY_FREE && entry->base < ADDRESS_END)
			keep(entry->base, entry_end(entry) - entry->base);
	}
}

static bool is_free_ram(uint64_t base, uint64_t size)
{
	for (unsigned i = 0; i < boot_info.ram_count; i++) {
		const struct boot_region *region = &boot_info.ram[i];
		if (base >= region->base.raw && base + size <= region->base.raw + region->size)
			return true;
	}
	return false;
}

/* `head` and what follows, `size` bytes, is readable. Tags are 8-aligned. */
static void parse(const uint32_t *head, uint64_t size)
{
	struct tss_inspect_machine *machine = &boot_info.machine;
	const struct tag_memory *memory = NULL;
	for (uint64_t at = 8, step; at + sizeof(struct tag) <= size; at += step) {
		const struct tag *tag = (const struct tag *)((const char *)head + at);
		if (tag->type == TAG_END)
			break;
		if (tag->size < sizeof(*tag) || tag->size > size - at)
			panic("multiboot2: tag %u of %u bytes does not fit", tag->type, tag->size);
		step = (tag->size + 7ull) & ~7ull;
		if (tag->type == TAG_CMDLINE)
			copy_payload(tag, boot_info.cmdline, sizeof(boot_info.cmdline) - 1);
		else if (tag->type == TAG_MODULE)
			read_module(tag);
		else if (tag->type == TAG_MEMORY)
			memory = (const struct tag_memory *)tag;
		else if (tag->type == TAG_FRAMEBUFFER)
			copy_payload(tag, &machine->framebuffer, sizeof(machine->framebuffer));
		else if (tag->type == TAG_RSDP_NEW || (tag->type == TAG_RSDP_OLD && !machine->rsdp[0]))
			copy_payload(tag, machine->rsdp, sizeof(machine->rsdp));
	}
	if (!memory)
		panic("multiboot2: no memory map");
	read_memory(memory);
}

void multiboot2_read(uint64_t information)
{
	const uint32_t *head = phys_to_virt((paddr_t){information});
	uint64_t size = head[0];

	/* Safety: the information is 8-aligned and below 4 GiB, all of which is mapped. */
	if (information & 7 || size < 8 || size > INFORMATION_MAX || information + size > 1ull << 32)
		panic("multiboot2: information of %lu bytes at %#lx", size, information);
	parse(head, size);
	if (boot_info.bundle_size && !is_free_ram(boot_info.bundle.raw, round_up(boot_info.bundle_size)))
		panic("multiboot2: the module does not lie in RAM");
	for (unsigned i = 0; i < boot_info.ram_count && boot_info.ram[i].base.raw < CONVENTIONAL_END; i++) {
		uint64_t end = boot_info.ram[i].base.raw + boot_info.ram[i].size;
		boot_info.trampoline.raw = (end < CONVENTIONAL_END ? end : CONVENTIONAL_END) - PAGE_SIZE;
	}
	keep(0, LOW_MEMORY_END);
	/* The boot tables behind the image are free once mmu_init has replaced them; until then it takes from above. */
	keep(boot_info.image.raw, boot_info.image_size);
	keep(boot_info.bundle.raw, boot_info.bundle_size);
}
