/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct.c - lets QEMU boot the kernel with -kernel, without GRUB and without an image.
 *
 * QEMU loads Multiboot 1 programs of 32 bits; the kernel is Multiboot 2 and of 64. So QEMU loads this, with two modules
 * (-initrd "kernel.elf WORDS,bundle.bin"): it puts the kernel's segments where they belong, writes the information that
 * a Multiboot 2 loader gives, and jumps. What follows the kernel's name is the kernel's command line. Only for tests: it
 * believes QEMU. What is wrong is said on the serial port, and the machine stops.
 */
#include <stddef.h>
#include <stdint.h>

#define LOADED_BY_MULTIBOOT1 0x2badb002u
#define HAS_MODULES (1u << 3)
#define HAS_MEMORY_MAP (1u << 6)
#define SERIAL 0x3f8
#define INFORMATION_SIZE 4096u
#define PT_LOAD 1u
#define BIOS_AREA 0xe0000u /* to 1 MiB: where a BIOS leaves the ACPI root pointer (ACPI 6.5, 5.2.5.1) */

enum tag {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_RSDP_OLD = 14,
	TAG_RSDP_NEW = 15
};

struct multiboot1 { /* Multiboot 3.3 */
	uint32_t flags, memory[2], boot_device, cmdline, modules_count, modules, symbols[4], map_size, map;
};

struct module1 {
	uint32_t start, end, words, reserved;
};

struct map_entry1 { /* `size` does not count itself */
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

struct map_entry2 {
	uint64_t base, length;
	uint32_t type, zero;
};

struct elf64 {
	uint8_t magic[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segments;
	uint64_t sections;
	uint32_t flags;
	uint16_t size, segment_size, segment_count;
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, align;
};

uint32_t direct_main(uint32_t magic, const struct multiboot1 *given);
uint8_t direct_information[INFORMATION_SIZE] __attribute__((aligned(8)));
static uint32_t used = 8;

static void out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static _Noreturn void stop(const char *why)
{
	for (const char *c = why; *c; c++)
		out(SERIAL, (uint8_t)*c);
	out(SERIAL, '\n');
	for (;;)
		asm volatile("hlt");
}

static void copy(uint32_t to, uint32_t from, uint32_t size)
{
	asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void clear(uint32_t to, uint32_t size)
{
	asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(0) : "memory");
}

/* Appends to the information; room is checked here, so nobody else has to. */
static void put(const void *data, uint32_t size)
{
	if (size > INFORMATION_SIZE - used)
		stop("direct: the boot information is too long");
	copy((uint32_t)(direct_information + used), (uint32_t)data, size);
	used += size;
}

static void put_tag(enum tag type, const void *data, uint32_t size)
{
	const uint32_t head[2] = {type, 8 + size};
	put(head, sizeof(head));
	put(data, size);
	used = (used + 7) & ~7u;
}

static void put_map(const struct multiboot1 *given)
{
	uint32_t head[4] = {TAG_MEMORY, 16, sizeof(struct map_entry2), 0};
	uint32_t at, end = given->map + given->map_size;
	uint32_t *size = (uint32_t *)(direct_information + used) + 1;
	put(head, sizeof(head));
	for (at = given->map; at < end; at += ((const struct map_entry1 *)at)->size + 4) {
		const struct map_entry1 *e = (const struct map_entry1 *)at;
		const struct map_entry2 entry = {e->base, e->length, e->type, 0};
		put(&entry, sizeof(entry));
		*size += sizeof(entry);
	}
}

/* The ACPI root pointer: 20 bytes of version 1, or as many as version 2 says. */
static void put_acpi(void)
{
	static const char signature[8] = "RSD PTR ";
	for (uint32_t at = BIOS_AREA; at < 0x100000; at += 16) {
		const uint8_t *p = (const uint8_t *)at;
		unsigned same = 0;
		while (same < sizeof(signature) && p[same] == (uint8_t)signature[same])
			same++;
		if (same == sizeof(signature))
			return put_tag(p[15] ? TAG_RSDP_NEW : TAG_RSDP_OLD, p,
				       p[15] ? *(const uint32_t *)(p + 20) : 20);
	}
}

static uint32_t load(const struct module1 *module)
{
	const struct elf64 *elf = (const struct elf64 *)module->start;
	if (module->end - module->start < sizeof(*elf) || *(const uint32_t *)elf->magic != 0x464c457f ||
	    elf->magic[4] != 2)
		stop("direct: the first module is no 64-bit ELF file");
	uint64_t entry = 0;
	for (unsigned i = 0; i < elf->segment_count; i++) {
		const struct segment *s =
			(const struct segment *)(module->start + (uint32_t)elf->segments + i * elf->segment_size);
		if (s->type != PT_LOAD)
			continue;
		if (s->physical + s->memory_size > (uint32_t)&direct_information)
			stop("direct: the kernel would lie where this program is");
		copy((uint32_t)s->physical, module->start + (uint32_t)s->offset, (uint32_t)s->file_size);
		clear((uint32_t)(s->physical + s->file_size), (uint32_t)(s->memory_size - s->file_size));
		if (elf->entry - s->address < s->memory_size)
			entry = elf->entry - s->address + s->physical;
	}
	if (!entry)
		stop("direct: the kernel has no entry");
	return (uint32_t)entry;
}

/* Behind the first blank: QEMU gives the file's name first. */
static const char *words_of(const struct module1 *module)
{
	const char *c = (const char *)module->words;
	while (*c && *c != ' ')
		c++;
	return *c ? c + 1 : c;
}

uint32_t direct_main(uint32_t magic, const struct multiboot1 *given)
{
	static const struct {
		uint64_t address;
		uint32_t pitch, width, height;
		uint8_t bits, type;
		uint16_t zero;
	} text = {0xb8000, 160, 80, 25, 16, 2, 0}; /* Multiboot 2, 3.6.12: type 2 is EGA text */
	const struct module1 *modules = (const struct module1 *)given->modules;
	if (magic != LOADED_BY_MULTIBOOT1 || !(given->flags & HAS_MEMORY_MAP))
		stop("direct: not loaded by Multiboot, or without a memory map");
	if (!(given->flags & HAS_MODULES) || given->modules_count != 2)
		stop("direct: two modules are needed, -initrd \"kernel.elf WORDS,bundle.bin\"");
	const char *words = words_of(&modules[0]);
	uint32_t length = 0;
	while (words[length])
		length++;
	put_tag(TAG_CMDLINE, words, length + 1);
	const struct module1 bundle = {modules[1].start, modules[1].end, 0, 0};
	put_tag(TAG_MODULE, &bundle, 12);
	put_map(given);
	put_tag(TAG_FRAMEBUFFER, &text, sizeof(text));
	put_acpi();
	put_tag(TAG_END, NULL, 0);
	*(uint32_t *)direct_information = used;
	return load(&modules[0]);
}
