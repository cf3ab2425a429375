/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c - memory objects: creation, slices, devices, mapping. A capability records its one mapping. */
#include <frame.h>
#include <memory.h>
#include <syscall.h>

#define FRAMES_PER_TABLE (PAGE_SIZE / sizeof(paddr_t))

paddr_t memory_frame(const struct memory *memory, uint64_t page)
{
	for (; memory->parent; memory = memory->parent)
		page += memory->first;
	if (memory->run)
		return (paddr_t){memory->base.raw + page * PAGE_SIZE};
	return virt_to_phys(memory->tables[page / FRAMES_PER_TABLE][page % FRAMES_PER_TABLE]);
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
	struct unit *payer = memory->object.payer;
	if (memory->parent || memory->immortal)
		return;
	for (unsigned i = 0; i < MEMORY_TABLES && memory->tables[i]; i++) {
		for (unsigned j = 0; j < FRAMES_PER_TABLE && memory->tables[i][j]; j++)
			frame_free(payer, memory->tables[i][j]);
		frame_free(payer, memory->tables[i]);
	}
}

/* False: the budget is used up; what is there is memory_destroy()'s. */
static bool memory_fill(struct memory *memory)
{
	struct unit *payer = memory->object.payer;
	for (uint64_t page = 0; page < memory->pages; page++) {
		void ***table = &memory->tables[page / FRAMES_PER_TABLE];
		if (!*table)
			*table = frame_alloc(payer);
		if (!*table || !((*table)[page % FRAMES_PER_TABLE] = frame_alloc(payer)))
			return false;
	}
	return true;
}

static struct memory *memory_alloc(struct unit *payer, uint64_t pages)
{
	struct memory *memory = object_alloc(payer, TSS_TYPE_MEMORY);
	if (memory)
		memory->pages = pages;
	return memory;
}

status_t memory_create(struct unit *payer, uint64_t pages, struct memory **out)
{
	uint64_t tables = (pages + FRAMES_PER_TABLE - 1) / FRAMES_PER_TABLE;
	if (pages == 0 || pages > MEMORY_PAGES_MAX)
		return ERR(ARGUMENT, 2);
	if (pages + tables > payer->budget - payer->used)
		return ERR(MEMORY, 2);
	struct memory *memory = *out = memory_alloc(payer, pages);
	if (memory && memory_fill(memory))
		return TSS_OK;
	if (memory)
		object_destroy(&memory->object);
	return ERR(MEMORY, 0);
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

status_t memory_map(struct capability *cap, uint64_t address, unsigned protection)
{
	struct memory *memory = (struct memory *)cap->object;
	struct unit *unit = cap->space;
	uint64_t page = 0;
	if (!unit_range_valid(address, memory->pages * PAGE_SIZE))
		return ERR(ARGUMENT, 3);
	for (page = 0; page < memory->pages; page++)
		if (arch_space_lookup(&unit->space, (uaddr_t){address + page * PAGE_SIZE}).raw != NOT_MAPPED)
			return ERR(OCCUPIED, 3);
	for (page = 0; page < memory->pages; page++) {
		status_t status = arch_space_map(&unit->space, unit, (uaddr_t){address + page * PAGE_SIZE},
						 memory_frame(memory, page), protection, memory->device);
		if (status == TSS_OK)
			continue;
		while (page-- > 0)
			(void)arch_space_unmap(&unit->space, (uaddr_t){address + page * PAGE_SIZE});
		arch_space_flush(&unit->space);
		return status;
	}
	cap->mapped_at = address;
	cap->protection = (uint8_t)protection;
	return TSS_OK;
}

void memory_unmap(struct capability *cap)
{
	const struct memory *memory = (const struct memory *)cap->object;
	if (!cap->mapped_at)
		return;
	for (uint64_t page = 0; page < memory->pages; page++)
		(void)arch_space_unmap(&cap->space->space, (uaddr_t){cap->mapped_at + page * PAGE_SIZE});
	arch_space_flush(&cap->space->space);
	cap->mapped_at = 0;
	cap->protection = 0;
}

status_t sys_memory_create(struct thread *self, struct capability *cap)
{
	struct memory *memory;
	if (!cpu_is_exclusive()) {
		frame_prepare(ARG2(self) + 1); /* and a table */
		kernel_exclusive(self);
	}
	status_t status = memory_create((struct unit *)cap->object, ARG2(self), &memory);
	return status == TSS_OK ? syscall_place(self, memory, NULL, TSS_RIGHT_ALL) : status;
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

/* (memory, source, offset, size) */
status_t sys_memory_template(struct thread *self, struct capability *cap)
{
	struct memory *memory = (struct memory *)cap->object;
	uint64_t offset = ARG3(self), size = ARG4(self);
	status_t status;
	const struct memory *source = syscall_argument2(self, TSS_TYPE_MEMORY, TSS_RIGHT_READ, &status);
	if (!source)
		return status;
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
