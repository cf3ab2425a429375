/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c - a static ELF executable (System V ABI, AMD64 supplement; no interpreter, fixed addresses) into this unit. What
 * the file says is believed only where it was looked at: everything lies in the file, and at addresses of the program's
 * own range. No page is ever writable and executable.
 */
#include "linux_hello.h"

#define PROGRAM_BASE 0x10000000ull /* the image of this component lies below, its heap and files above */
#define PROGRAM_END 0x20000000ull
#define SEGMENTS_MAX 16

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_headers, section_headers;
	uint32_t flags;
	uint16_t size, header_size, header_count, section_size, section_count, names;
};
struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};
enum { TYPE_EXECUTABLE = 2, MACHINE_X86_64 = 62, SEGMENT_LOAD = 1, SEGMENT_INTERPRETER = 3 };
enum { FLAG_EXECUTE = 1, FLAG_WRITE = 2 };

bool memory_at(uint64_t address, uint64_t pages, cap_t *memory)
{
	uint64_t handle;
	if (tss_memory_create(TSS_SLOT_UNIT, pages, &handle) != TSS_OK)
		return false;
	*memory = (cap_t)handle;
	if (tss_unit_map(TSS_SLOT_UNIT, *memory, address, TSS_RIGHT_READ | TSS_RIGHT_WRITE) == TSS_OK)
		return true;
	(void)tss_capability_delete(*memory);
	return false;
}

static bool segment_valid(const struct elf_segment *s, uint64_t size)
{
	return s->offset <= size && s->file_size <= size - s->offset && s->file_size <= s->memory_size &&
	       s->address >= PROGRAM_BASE && s->address < PROGRAM_END && s->memory_size <= PROGRAM_END - s->address &&
	       (s->flags & (FLAG_EXECUTE | FLAG_WRITE)) != (FLAG_EXECUTE | FLAG_WRITE);
}

static const char *segment_load(const uint8_t *file, uint64_t size, const struct elf_segment *s)
{
	uint64_t first = s->address & ~(PAGE - 1), end = (s->address + s->memory_size + PAGE - 1) & ~(PAGE - 1);
	cap_t memory;
	if (!segment_valid(s, size))
		return "has a segment that is not whole, or lies elsewhere than 0x10000000 to 0x20000000";
	if (s->memory_size == 0)
		return NULL;
	if (!memory_at(first, (end - first) / PAGE, &memory))
		return "does not fit into the unit's memory";
	memcpy((void *)s->address, file + s->offset, s->file_size);
	if (s->flags & FLAG_WRITE)
		return NULL;
	unsigned protection = TSS_RIGHT_READ | (s->flags & FLAG_EXECUTE ? TSS_RIGHT_EXECUTE : 0);
	if (tss_unit_unmap(TSS_SLOT_UNIT, memory) != TSS_OK ||
	    tss_unit_map(TSS_SLOT_UNIT, memory, first, protection) != TSS_OK)
		return "cannot be protected";
	return NULL;
}

static const char *header_check(const struct elf_header *h, uint64_t size)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	if (size < sizeof(*h) || memcmp(h->ident, ident, sizeof(ident)) != 0)
		return "is no ELF file";
	if (h->type != TYPE_EXECUTABLE || h->machine != MACHINE_X86_64)
		return "is no static executable for x86-64";
	if (h->header_size != sizeof(struct elf_segment) || h->header_count > SEGMENTS_MAX ||
	    h->program_headers > size || h->program_headers % 8 != 0 ||
	    h->header_count * sizeof(struct elf_segment) > size - h->program_headers)
		return "has damaged program headers";
	return NULL;
}

const char *program_load(const uint8_t *file, uint64_t size, struct program *program)
{
	/* Safety: the file begins at a page; header_check() has seen that both lie in it. */
	const struct elf_header *h = (const struct elf_header *)file;
	const char *wrong = header_check(h, size);
	const struct elf_segment *s = (const struct elf_segment *)(file + (wrong ? 0 : h->program_headers));
	*program = (struct program){0};
	for (unsigned i = 0; wrong == NULL && i < h->header_count; i++) {
		if (s[i].type == SEGMENT_INTERPRETER)
			return "wants an interpreter: link it statically";
		if (s[i].type != SEGMENT_LOAD)
			continue;
		wrong = segment_load(file, size, &s[i]);
		if (s[i].offset <= h->program_headers && h->program_headers - s[i].offset < s[i].file_size)
			program->headers = s[i].address + h->program_headers - s[i].offset;
	}
	if (wrong == NULL) {
		program->entry = h->entry;
		program->header_size = h->header_size;
		program->header_count = h->header_count;
	}
	return wrong;
}
