/* SPDX-License-Identifier: BSD-2-Clause */
/* memory.c - memory objects: creation, slices, devices, mapping. A capability records its one mapping. */
#include <frame.h>
#include <memory.h>
#include <syscall.h>

#define FRAMES_PER_TABLE (PAGE_SIZE / sizeof(paddr_t))

static const struct memory *memory_root(const struct memory *memory, uint64_t *page)
{
	while (memory->parent) {
		*page += memory->first;
		memory = memory->parent;
	}
	return memory;
}

paddr_t memory_frame(const struct memory *memory, uint64_t page)
{
	memory = memory_root(memory, &page);
	if (memory->run)
		return (paddr_t){memory->base.raw + page * PAGE_SIZE};
	return memory->tables[page / FRAMES_PER_TABLE][page % FRAMES_PER_TABLE];
}

static void memory_free_frames(struct memory *memory)
{
	struct unit *payer = memory->object.payer;
	for (unsigned i = 0; i < MEMORY_TABLES && memory->tables[i]; i++) {
		for (unsigned j = 0; j < FRAMES_PER_TABLE && memory->tables[i][j].raw; j++)
			frame_free(payer, memory->tables[i][j]);
		frame_free(payer, virt_to_phys(memory->tables[i]));
	}
}

static status_t memory_fill(struct memory *memory)
{
	struct unit *payer = memory->object.payer;
	for (uint64_t page = 0; page < memory->pages; page++) {
		paddr_t frame;
		if (page % FRAMES_PER_TABLE == 0) {
			status_t status = frame_alloc(payer, &frame);
			if (status != TSS_OK)
				return status;
			memory->tables[page / FRAMES_PER_TABLE] = phys_to_virt(frame);
		}
		status_t status = frame_alloc(payer, &memory->tables[page / FRAMES_PER_TABLE][page % FRAMES_PER_TABLE]);
		if (status != TSS_OK)
			return status;
	}
	return TSS_OK;
}

static status_t memory_alloc(struct unit *payer, uint64_t pages, struct memory **out)
{
	void *memory;
	status_t status = object_alloc(payer, TSS_TYPE_MEMORY, sizeof(struct memory), &memory);
	if (status != TSS_OK)
		return status;
	*out = memory;
	(*out)->pages = pages;
	return TSS_OK;
}

status_t memory_create(struct unit *payer, uint64_t pages, struct memory **out)
{
	uint64_t tables = (pages + FRAMES_PER_TABLE - 1) / FRAMES_PER_TABLE;
	if (pages == 0 || pages > MEMORY_PAGES_MAX)
		return ERR(ARGUMENT, 2);
	if (pages + tables > payer->budget - payer->used)
		return ERR(MEMORY, 2);
	status_t status = memory_alloc(payer, pages, out);
	if (status != TSS_OK)
		return status;
	status = memory_fill(*out);
	if (status != TSS_OK) {
		memory_free_frames(*out);
		object_free(&(*out)->object, sizeof(**out));
	}
	return status;
}

status_t memory_create_run(struct unit *payer, paddr_t base, uint64_t pages, bool device, struct memory **out)
{
	status_t status = memory_alloc(payer, pages, out);
	if (status != TSS_OK)
		return status;
	(*out)->base = base;
	(*out)->run = (*out)->immortal = true;
	(*out)->device = device;
	return TSS_OK;
}

void memory_destroy(struct memory *memory)
{
	if (!memory->parent && !memory->immortal)
		memory_free_frames(memory);
	object_free(&memory->object, sizeof(*memory));
}

status_t memory_map(struct capability *cap, uint64_t address, unsigned protection)
{
	struct memory *memory = (struct memory *)cap->object;
	struct unit *unit = cap->space;
	uint64_t page = 0;
	paddr_t frame;
	if (!unit_range_valid(address, memory->pages * PAGE_SIZE))
		return ERR(ARGUMENT, 3);
	for (page = 0; page < memory->pages; page++)
		if (arch_space_lookup(&unit->space, (uaddr_t){address + page * PAGE_SIZE}, &frame))
			return ERR(OCCUPIED, 3);
	for (page = 0; page < memory->pages; page++) {
		status_t status = arch_space_map(&unit->space, unit, (uaddr_t){address + page * PAGE_SIZE},
						 memory_frame(memory, page), protection, memory->device);
		if (status == TSS_OK)
			continue;
		while (page-- > 0)
			(void)arch_space_unmap(&unit->space, (uaddr_t){address + page * PAGE_SIZE});
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
	cap->mapped_at = 0;
	cap->protection = 0;
}

status_t sys_memory_create(struct thread *self, struct capability *cap)
{
	struct capability *slot;
	struct memory *memory;
	status_t status = syscall_new_slot(self, &slot);
	if (status != TSS_OK)
		return status;
	status = memory_create((struct unit *)cap->object, ARG2(self), &memory);
	return status == TSS_OK ? syscall_place(self, slot, memory, NULL) : status;
}

/*
 * The new object is the caller's; its capability descends from the sliced one and has no more rights. Slices of the
 * bundle stand on their own: its frames are never freed.
 */
status_t sys_memory_slice(struct thread *self, struct capability *cap)
{
	struct memory *memory = (struct memory *)cap->object, *slice;
	struct capability *slot;
	uint64_t first = ARG2(self), pages = ARG3(self);
	status_t status;
	if (first >= memory->pages)
		return ERR(ARGUMENT, 2);
	if (pages == 0 || pages > memory->pages - first)
		return ERR(ARGUMENT, 3);
	status = capability_copyable(cap, 1);
	if (status == TSS_OK)
		status = syscall_new_slot(self, &slot);
	if (status != TSS_OK)
		return status;
	if (memory->immortal)
		status = memory_create_run(self->unit, memory_frame(memory, first), pages, memory->device, &slice);
	else
		status = memory_alloc(self->unit, pages, &slice);
	if (status != TSS_OK)
		return status;
	if (!memory->immortal) {
		slice->parent = memory;
		slice->first = first;
	}
	status = syscall_place(self, slot, slice, memory->immortal && !memory->device ? NULL : cap);
	capability_set_rights(slot, cap->rights);
	return status;
}

/* (memory, source, offset, size) */
status_t sys_memory_template(struct thread *self, struct capability *cap)
{
	struct memory *memory = (struct memory *)cap->object;
	uint64_t offset = ARG3(self), size = ARG4(self);
	struct capability *source_cap;
	status_t status = syscall_capability(self, ARG2(self), 2, TSS_TYPE_MEMORY, TSS_RIGHT_READ, &source_cap);
	if (status != TSS_OK)
		return status;
	const struct memory *source = (const struct memory *)source_cap->object;
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
	LINK_FOR_EACH(at, &object_lists[TSS_TYPE_MEMORY])
	{
		const struct memory *memory = LINK_ENTRY(at, struct memory, object.all);
		if (memory->device && address < memory->base.raw + memory->pages * PAGE_SIZE &&
		    memory->base.raw < address + size)
			return true;
	}
	return false;
}

status_t sys_memory_device(struct thread *self, struct capability *cap)
{
	uint64_t address = ARG2(self), pages = ARG3(self);
	struct capability *slot;
	struct memory *memory;
	(void)cap;
	if (address % PAGE_SIZE || address >= 1ull << 46)
		return ERR(ARGUMENT, 2);
	if (pages == 0 || pages > MEMORY_PAGES_MAX)
		return ERR(ARGUMENT, 3);
	if (frame_is_ram((paddr_t){address}, pages * PAGE_SIZE))
		return ERR(ARGUMENT, 2);
	if (device_range_taken(address, pages * PAGE_SIZE))
		return ERR(OCCUPIED, 2);
	status_t status = syscall_new_slot(self, &slot);
	if (status != TSS_OK)
		return status;
	status = memory_create_run(self->unit, (paddr_t){address}, pages, true, &memory);
	if (status != TSS_OK)
		return status;
	status = syscall_place(self, slot, memory, NULL);
	capability_set_rights(slot, slot->rights & (uint16_t)~TSS_RIGHT_EXECUTE);
	return status;
}
