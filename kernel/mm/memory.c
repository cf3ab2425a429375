/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c - memory objects: creation, slices, devices, mapping. A capability records its one mapping. */
#include <frame.h>
#include <memory.h>
#include <port.h>
#include <trace.h>

#define FRAMES_PER_TABLE (PAGE_SIZE / sizeof(paddr_t))
#define MAP_SLICE 64 /* entries */
#define MAPPED_A_PAGE 8u /* pages that are unmapped while one is freed */

paddr_t memory_frame(const struct memory *memory, uint64_t page)
{
	for (; memory->parent; memory = memory->parent)
		page += memory->first;
	if (memory->run)
		return (paddr_t){memory->base.raw + page * PAGE_SIZE};
	return virt_to_phys(memory_has_tables(memory) ? memory->tables[page / FRAMES_PER_TABLE][page % FRAMES_PER_TABLE]
						      : memory->frames[page]);
}

void memory_refill(const struct memory *memory, uint64_t page)
{
	uint8_t *to = phys_to_virt(memory_frame(memory, page));
	uint64_t offset = page * PAGE_SIZE, size = 0;
	if (memory->template_size > offset)
		size = memory->template_size - offset < PAGE_SIZE ? memory->template_size - offset : PAGE_SIZE;
	__builtin_memcpy(to, phys_to_virt((paddr_t){memory->template.raw + offset}), size);
	__builtin_memset(to + size, 0, PAGE_SIZE - size);
}

void memory_destroy(void *object)
{
	const struct memory *memory = object;
	for (unsigned i = 0; memory_has_tables(memory) && i < MEMORY_TABLES && memory->tables[i]; i++)
		frame_free(memory->object.payer, memory->tables[i]);
}

/* Its pages go. */
bool memory_lighten(void *object, unsigned *left)
{
	struct memory *memory = object;
	trace_forget(memory);
	if (memory->written)
		mailbox_end(memory->written);
	for (; !memory->parent && !memory->immortal && memory->pages; memory->pages--) {
		if (!slice_spend(left, 1))
			return false;
		frame_free(memory->object.payer, phys_to_virt(memory_frame(memory, memory->pages - 1)));
	}
	return true;
}

/* The table of that page from frames in a row, which can be mapped as one. False: there are none. */
static bool memory_fill_large(struct memory *memory, uint64_t page)
{
	void **table = memory->tables[page / FRAMES_PER_TABLE];
	bool first = page == memory->pages && page % LARGE_PAGES == 0;
	uint8_t *frame = first ? frame_alloc_run(memory->object.payer, LARGE_PAGES, LARGE_SIZE) : NULL;
	for (unsigned i = 0; frame && i < LARGE_PAGES; i++)
		table[i] = frame + i * PAGE_SIZE;
	memory->large |= (uint16_t)((frame != NULL) << page / LARGE_PAGES);
	memory->pages += frame ? LARGE_PAGES : 0;
	return frame;
}

/* What lies in a row has its frames already, and they are only cleared. */
status_t memory_fill(void *object, uint64_t left)
{
	struct memory *memory = object;
	struct unit *payer = memory->object.payer;
	for (uint64_t page; (page = memory->clear) < memory->wanted; memory->clear++, left--) {
		void ***table = &memory->tables[page / FRAMES_PER_TABLE], **frame = &memory->frames[page];
		if (!left)
			return ERR(AGAIN, 0);
		if (memory_has_tables(memory)) {
			if (!*table && !(*table = frame_alloc(payer)))
				return ERR(MEMORY, 0);
			if (memory->wanted - memory->pages >= LARGE_PAGES && memory_fill_large(memory, page))
				left = 1; /* that took as long as some pages do */
			frame = &(*table)[page % FRAMES_PER_TABLE];
		}
		if (page < memory->pages)
			__builtin_memset(phys_to_virt(memory_frame(memory, page)), 0, PAGE_SIZE);
		else if (payer->budget - payer->used <= payer->kept || !(*frame = frame_alloc(payer)))
			return ERR(MEMORY, 0);
		memory->pages += page == memory->pages;
	}
	return TSS_OK;
}

static struct memory *memory_alloc(struct unit *payer, uint64_t pages)
{
	struct memory *memory = object_alloc(payer, TSS_TYPE_MEMORY);
	if (memory)
		memory->pages = memory->wanted = pages;
	return memory;
}

status_t memory_create(struct unit *payer, uint64_t wanted, struct memory **out)
{
	uint64_t run = wanted & TSS_MEMORY_IN_A_ROW, pages = wanted - run;
	uint64_t tables = run || pages <= MEMORY_TABLES ? 0 : (pages + FRAMES_PER_TABLE - 1) / FRAMES_PER_TABLE;
	if (pages == 0 || pages > MEMORY_PAGES_MAX)
		return ERR(ARGUMENT, 2);
	if (pages + tables + payer->kept > payer->budget - payer->used)
		return ERR(MEMORY, 2);
	struct memory *memory = *out = memory_alloc(payer, pages);
	if (!memory)
		return ERR(MEMORY, 0);
	memory->pages = 0;
	if (!run)
		return TSS_OK;
	void *first = frame_alloc_run(payer, pages, PAGE_SIZE);
	if (!first) {
		object_destroy(&memory->object);
		return ERR(MEMORY, 0);
	}
	memory->base = virt_to_phys(first);
	memory->run = true;
	memory->pages = pages;
	return TSS_OK;
}

struct memory *memory_create_run(struct unit *payer, paddr_t base, uint64_t pages, bool device)
{
	struct memory *memory = memory_alloc(payer, pages);
	if (!memory)
		return NULL;
	memory->base = base;
	memory->run = memory->immortal = true;
	memory->device = device;
	return memory;
}

status_t memory_protection(const struct capability *cap, uint64_t protection, unsigned argument)
{
	const uint64_t all = TSS_RIGHT_READ | TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE;
	if (protection & ~all || !(protection & TSS_RIGHT_READ) ||
	    (protection & (TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE)) == (TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE))
		return ERR(ARGUMENT, argument);
	return protection & ~(uint64_t)cap->rights ? ERR(RIGHTS, 2) : TSS_OK;
}

status_t memory_map(struct capability *cap, uint64_t address, unsigned protection)
{
	const struct memory *memory = (struct memory *)cap->object;
	struct unit *unit = cap->space;
	unsigned left = MAP_SLICE;
	if (!unit_range_valid(address, memory->pages * PAGE_SIZE))
		return ERR(ARGUMENT, 3);
	cap->mapped_at = address;
	cap->protection = (uint8_t)protection;
	for (uint64_t page; left && !cap->failed && (page = cap->mapped) < memory->pages; left--) {
		uaddr_t at = {address + page * PAGE_SIZE};
		paddr_t frame = memory_frame(memory, page);
		bool large =
			memory->run ? memory->pages - page >= LARGE_PAGES : memory->large >> page / LARGE_PAGES & 1;
		if (large && arch_space_map_large(&unit->space, unit, at, frame, protection, memory->device)) {
			cap->mapped += (uint32_t)LARGE_PAGES;
			continue;
		}
		cap->failed =
			(uint8_t)TSS_CODE(arch_space_map(&unit->space, unit, at, frame, protection, memory->device));
		cap->mapped += !cap->failed;
	}
	if (!cap->failed)
		return cap->mapped < memory->pages ? ERR(AGAIN, 0) : TSS_OK;
	status_t status = TSS_STATUS(cap->failed, cap->failed == TSS_E_OCCUPIED ? 3 : 0);
	left /= MAPPED_A_PAGE;
	return memory_unmap(cap, &left) ? status : ERR(AGAIN, 0);
}

bool memory_unmap(struct capability *cap, unsigned *left)
{
	if (!cap->mapped_at)
		return true;
	for (; cap->mapped && *left; *left -= cap->mapped % MAPPED_A_PAGE == 0)
		cap->mapped -= arch_space_unmap(&cap->space->space,
						(uaddr_t){cap->mapped_at + (cap->mapped - 1ull) * PAGE_SIZE});
	arch_space_flush(&cap->space->space);
	if (cap->mapped)
		return false;
	cap->mapped_at = 0;
	cap->protection = cap->failed = 0;
	return true;
}

status_t sys_memory_create(struct thread *self, struct capability *cap)
{
	struct unit *payer = (struct unit *)cap->object;
	if (!cpu_is_exclusive()) {
		frame_prepare(ARG2(self) + 1); /* and a table */
		kernel_exclusive(self);
	}
	struct memory *memory = syscall_making(self, TSS_TYPE_MEMORY);
	if (!memory || (memory->wanted | (memory->run ? TSS_MEMORY_IN_A_ROW : 0)) != ARG2(self) ||
	    memory->object.payer != payer) {
		status_t status = memory_create(payer, ARG2(self), &memory);
		if (status != TSS_OK)
			return status;
	}
	return syscall_make(self, &memory->object, memory_fill, REVOKE_SLICE);
}

/*
 * The new object is the caller's; its capability descends from the sliced one and has no more rights. Slices of the
 * bundle stand on their own: its frames are never freed.
 */
status_t sys_memory_slice(struct thread *self, struct capability *cap)
{
	struct memory *memory = (struct memory *)cap->object, *slice;
	uint64_t first = ARG2(self), pages = ARG3(self);
	if (first >= memory->pages)
		return ERR(ARGUMENT, 2);
	if (pages == 0 || pages > memory->pages - first)
		return ERR(ARGUMENT, 3);
	status_t status = capability_copyable(cap, 1);
	if (status != TSS_OK)
		return status;
	slice = memory->immortal ? memory_create_run(self->unit, memory_frame(memory, first), pages, memory->device)
				 : memory_alloc(self->unit, pages);
	if (!slice)
		return ERR(MEMORY, 0);
	if (!memory->immortal) {
		slice->parent = memory;
		slice->first = first;
	}
	return syscall_place(self, slice, memory->immortal && !memory->device ? NULL : cap, cap->rights);
}

status_t sys_memory_seal(struct thread *self, struct capability *cap)
{
	const struct memory *memory = (const struct memory *)cap->object;
	if (memory->immortal || memory->pages < memory->wanted)
		return ERR(ARGUMENT, 1);
	cap->object->revoking = REVOKE_SEALED;
	return TSS_OK;
}

/* (memory, source, offset, size) */
status_t sys_memory_template(struct thread *self, struct capability *cap)
{
	struct memory *memory = (struct memory *)cap->object;
	uint64_t offset = ARG3(self), size = ARG4(self);
	const struct memory *source = ARGUMENT2(self, MEMORY, READ);
	if (memory->immortal || memory->parent)
		return ERR(ARGUMENT, 1);
	if (!source->immortal || source->device)
		return ERR(ARGUMENT, 2);
	if (offset > source->pages * PAGE_SIZE)
		return ERR(ARGUMENT, 3);
	if (size > source->pages * PAGE_SIZE - offset || size > memory->pages * PAGE_SIZE)
		return ERR(ARGUMENT, 4);
	memory->template = (paddr_t){source->base.raw + offset};
	memory->template_size = size;
	return TSS_OK;
}

/* (system, memory, page) */
status_t sys_memory_address(struct thread *self, struct capability *cap)
{
	const struct memory *memory = ARGUMENT2(self, MEMORY, READ);
	if (ARG3(self) >= memory->pages)
		return ERR(ARGUMENT, 3);
	return syscall_value(self, memory_frame(memory, ARG3(self)).raw);
}

static bool device_range_taken(uint64_t address, uint64_t size)
{
	OBJECTS_OF(MEMORY, memory, memory)
		if (memory->device && address < memory->base.raw + memory->pages * PAGE_SIZE &&
		    memory->base.raw < address + size)
			return true;
	return false;
}

status_t sys_memory_device(struct thread *self, struct capability *cap)
{
	uint64_t address = ARG2(self), pages = ARG3(self);
	if (address % PAGE_SIZE || address >= 1ull << 46)
		return ERR(ARGUMENT, 2);
	if (pages == 0 || pages > MEMORY_PAGES_MAX)
		return ERR(ARGUMENT, 3);
	if (frame_is_ram((paddr_t){address}, pages * PAGE_SIZE))
		return ERR(ARGUMENT, 2);
	if (device_range_taken(address, pages * PAGE_SIZE))
		return ERR(OCCUPIED, 2);
	struct memory *memory = memory_create_run(self->unit, (paddr_t){address}, pages, true);
	return memory ? syscall_place(self, memory, NULL, TSS_RIGHT_ALL & ~TSS_RIGHT_EXECUTE) : ERR(MEMORY, 0);
}
