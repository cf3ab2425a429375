/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.c - units: a budget reserved from the parent, an address space, a capability space. BUILDING until the first
 * thread starts, ENDED when it exits, is killed or faults; an ended unit keeps what it holds until it is deleted.
 */
#include <frame.h>
#include <memory.h>
#include <port.h>
#include <trace.h>

#define UNIT_FIXED_PAGES 6 /* the unit itself, root table, and room for the first tables and slabs */

struct unit *unit_build(struct unit *parent, uint64_t pages)
{
	struct unit *unit = frame_alloc(NULL);
	unit->table = parent ? table_keep(parent->table) : &syscall_table;
	unit->monitor = parent ? parent->monitor : NULL;
	unit->parent = parent;
	unit->budget = pages;
	unit->used = 1;
	unit_stage(unit, UNIT_STAGE_NONE);
	slab_init(unit->slabs);
	object_register(&unit->object, TSS_TYPE_UNIT, parent);
	if (cspace_grow(unit, 1) != TSS_OK || arch_space_create(&unit->space, unit) != TSS_OK)
		panic("a unit's fixed pages exceed UNIT_FIXED_PAGES");
	unit->closed = true;
	return unit;
}

bool unit_range_valid(uint64_t address, uint64_t size)
{
	return address % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && address >= TSS_USER_BASE &&
	       address < TSS_USER_END - PAGE_SIZE && size <= TSS_USER_END - PAGE_SIZE - address;
}

status_t sys_unit_create(struct thread *self, struct capability *cap)
{
	struct unit *parent = (struct unit *)cap->object;
	uint64_t pages = ARG2(self), slots = ARG3(self);
	if (slots == 0 || slots > TSS_SLOTS_MAX)
		return ERR(ARGUMENT, 3);
	if (pages < UNIT_FIXED_PAGES + (slots + CAPS_PER_PAGE - 1) / CAPS_PER_PAGE)
		return ERR(ARGUMENT, 2);
	struct unit *unit = syscall_making(self, TSS_TYPE_UNIT);
	if (!unit || unit->parent != parent || unit->budget != pages) {
		if (parent->closed || pages > parent->budget - parent->used)
			return ERR(MEMORY, 2);
		parent->used += pages;
		unit = unit_build(parent, pages);
		__builtin_memcpy(unit->name, &self->frame.r10, 8);
		__builtin_memcpy(unit->name + 8, &self->frame.r8, 8);
	}
	return syscall_make(self, &unit->object, cspace_grow, slots);
}

/* (unit, slot, source, rights, flags) */
status_t sys_unit_install(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	struct capability *slot = cspace_slot(unit, ARG2(self));
	struct capability *source = cspace_lookup_in(&self->unit->caps, ARG3(self));
	uint64_t rights = ARG4(self), flags = ARG5(self);
	if (!slot)
		return ERR(ARGUMENT, 2);
	if (slot->object || unit->closed)
		return unit->closed ? ERR(BUSY, 1) : ERR(OCCUPIED, 2);
	if (!source)
		return ERR(CAPABILITY, 3);
	if (rights & ~(uint64_t)source->rights)
		return ERR(RIGHTS, 4);
	if (flags > TSS_INSTALL_MOVE)
		return ERR(ARGUMENT, 5);
	if (flags == TSS_INSTALL_COPY && !(source->rights & TSS_RIGHT_GRANT))
		return ERR(RIGHTS, 3);
	status_t status = flags == TSS_INSTALL_COPY ? capability_copyable(source, 3) : TSS_OK;
	if (status != TSS_OK)
		return status;
	if (flags == TSS_INSTALL_MOVE && (source->sealed || source->mapped_at))
		return ERR(BUSY, 3);
	if (flags == TSS_INSTALL_COPY) {
		capability_derive(slot, source, (uint16_t)rights);
	} else {
		capability_move(slot, source);
		capability_set_rights(slot, (uint16_t)rights);
	}
	return TSS_OK;
}

/* The capability under a handle in the capability space of the unit that argument 1 names. */
static status_t unit_memory(struct thread *self, struct unit *unit, struct capability **out)
{
	*out = cspace_lookup_in(&unit->caps, ARG2(self));
	if (!*out)
		return ERR(CAPABILITY, 2);
	if ((*out)->type != TSS_TYPE_MEMORY)
		return ERR(TYPE, 2);
	return (*out)->object->revoking == REVOKE_SEALED ? ERR(BUSY, 2) : TSS_OK;
}

/* (unit, memory, address, protection) */
status_t sys_unit_map(struct thread *self, struct capability *cap)
{
	struct capability *memory;
	uint64_t protection = ARG4(self);
	status_t status = unit_memory(self, (struct unit *)cap->object, &memory);
	if (status != TSS_OK)
		return status;
	if (memory->object->revoking)
		return memory->object->revoking--, ERR(AGAIN, 2);
	bool begun = memory->mapped < ((struct memory *)memory->object)->pages && memory->mapped_at == ARG3(self);
	if (memory->mapped_at && !(begun && memory->protection == protection))
		return ERR(BUSY, 2);
	status = memory_protection(memory, protection, 4);
	if (status == TSS_OK)
		status = memory_map(memory, ARG3(self), (unsigned)protection);
	return status == ERR(AGAIN, 0) ? syscall_again(self) : status;
}

status_t sys_unit_unmap(struct thread *self, struct capability *cap)
{
	struct capability *memory;
	unsigned left = REVOKE_SLICE;
	status_t status = unit_memory(self, (struct unit *)cap->object, &memory);
	if (status != TSS_OK)
		return status;
	if (!memory->mapped_at)
		return ERR(ARGUMENT, 2);
	if (memory->sealed == SEAL_MAPPED)
		return ERR(BUSY, 2);
	return memory_unmap(memory, &left) ? TSS_OK : syscall_again(self);
}

status_t sys_unit_supervise(struct thread *self, struct capability *cap)
{
	((struct unit *)cap->object)->supervisor = ARGUMENT2(self, CONNECTION, SEND);
	return TSS_OK;
}

status_t sys_unit_fault_port(struct thread *self, struct capability *cap)
{
	((struct unit *)cap->object)->fault_port = ARGUMENT2(self, CONNECTION, CALL);
	return TSS_OK;
}

/* (unit, event, bits, low, kept) */
status_t sys_unit_reserve(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	struct event *event = ARGUMENT2(self, EVENT, SIGNAL);
	if (ARG4(self) > unit->budget)
		return ERR(ARGUMENT, 4);
	if (ARG5(self) > unit->budget)
		return ERR(ARGUMENT, 5);
	unit->low_event = event;
	unit->low_bits = ARG3(self);
	unit->low = ARG4(self);
	unit->kept = ARG5(self);
	if (unit->budget - unit->used < unit->low)
		event_signal(event, unit->low_bits);
	return TSS_OK;
}

status_t sys_unit_kill(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	unsigned left = REVOKE_SLICE;
	if (ARG2(self) > 1)
		return ERR(ARGUMENT, 2);
	bool own = self->unit == unit;
	unit_end(unit, UNIT_CODE_KILLED, ARG2(self), own ? self : NULL);
	return unit_ended(unit, &left) && !own ? TSS_OK : own ? SYSCALL_NO_RESULT : syscall_again(self);
}
