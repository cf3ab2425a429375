/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * restart.c - a sealed unit that has ended is put back into the state it was sealed in (doc/adr/0002-restart.md).
 *
 * The unit, its sealed capabilities and what it paid for them survive. A restart, in slices, deletes everything else,
 * fills the unit's private writable memory from its templates, forgets what ports and events were in the middle of, and
 * starts the threads that were started before with the registers they were created with. Whoever does it needs
 * INSTALL on the unit and gets nothing of what is in it.
 */
#include <irq.h>
#include <memory.h>
#include <pager.h>
#include <port.h>
#include <trace.h>

#define PLACE_FIRST 512 /* GiB: what is below has the rest of a unit, what is above its IPC pages */
#define PLACE_END (255 * 512)
#define REFILL_SLICE 16 /* pages a slice */

status_t sys_unit_seal(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	if (unit->state >= UNIT_ENDED)
		return ERR(BUSY, 1);
	/* Empty slots are not sealed: cspace_release() has seen to it. Slot 0 counts as full and has no object. */
	for (uint64_t page = 0; page * CAPS_PER_PAGE < unit->caps.slots; page++)
		for (uint64_t full = ~unit->caps.free[page]; full; full &= full - 1) {
			struct capability *held = &unit->caps.pages[page][__builtin_ctzll(full)];
			held->sealed = !held->object ? SEAL_NONE : held->mapped_at ? SEAL_MAPPED : SEAL_PLAIN;
		}
	regions_seal(unit);
	unit->sealed = true;
	table_put(unit->sealed_table);
	unit->sealed_table = table_keep(unit->table);
	return TSS_OK;
}

/* Private: frames of its own that nobody else has a sealed capability to. Shared memory keeps its bytes. */
static bool is_private(const struct capability *cap)
{
	const struct memory *memory = (const struct memory *)cap->object;
	return cap->object && cap->type == TSS_TYPE_MEMORY && cap->original && cap->rights & TSS_RIGHT_WRITE &&
	       !memory->immortal && !memory->parent && !capability_has_children(cap);
}

/* False: the slice is used up. */
static bool refill_slice(struct unit *unit)
{
	unsigned left = REFILL_SLICE;
	for (; unit->refill_slot < unit->caps.slots; unit->refill_slot++, unit->refill_page = 0) {
		const struct capability *cap = cspace_slot(unit, unit->refill_slot);
		if (!is_private(cap))
			continue;
		const struct memory *memory = (const struct memory *)cap->object;
		for (; unit->refill_page < memory->pages; unit->refill_page++) {
			if (left-- == 0)
				return false;
			memory_refill(memory, unit->refill_page);
		}
	}
	return true;
}

/* Ports and events forget what they were in the middle of; threads that were started before start again. */
static void restart_objects(const struct unit *unit)
{
	OBJECTS_OF(EVENT, event, event) {
		if (event->object.payer != unit)
			continue;
		event->bits = 0;
		irq_forget_event(event);
	}
	OBJECTS_OF(PORT, port, port)
		if (port->object.payer == unit)
			port_up(port);
	OBJECTS_OF(THREAD, thread, thread) {
		struct sched *sched = thread->start.sched;
		if (thread->unit != unit)
			continue;
		thread_reset(thread);
		if (sched && !sched->home)
			thread_start(thread, sched);
	}
}

status_t sys_unit_restart(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	if (ARG2(self) && ARG2(self) - PLACE_FIRST >= PLACE_END - PLACE_FIRST)
		return ERR(ARGUMENT, 2);
	if (!unit->sealed || unit->state != UNIT_ENDED)
		return ERR(BUSY, 1);
	status_t status = unit_clear_slice(self, unit, true);
	if (status != TSS_OK)
		return status;
	if (!refill_slice(unit))
		return ERR(AGAIN, 1);
	table_use(unit, table_keep(unit->sealed_table));
	unit->restarts++;
	TRACE(RESTART, unit->object.id, unit->restarts);
	OBJECTS_OF(THREAD, thread, thread)
		if (thread->unit == unit && ARG2(self))
			arch_space_move(&unit->space, thread->start.entry, ARG2(self));
	unit->state = UNIT_RUNNING;
	restart_objects(unit);
	return TSS_OK;
}
