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
#define SEAL_SLICE 512 /* capabilities */

status_t sys_unit_seal(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	unsigned left = SEAL_SLICE;
	if (unit->state >= UNIT_ENDED)
		return ERR(BUSY, 1);
	/* Empty slots are not sealed: cspace_release() has seen to it. */
	for (struct capability *held; (held = cspace_next(unit, unit->slot)); unit->slot = held->slot + 1ull) {
		if (!left--)
			return syscall_again(self);
		held->sealed = held->mapped_at ? SEAL_MAPPED : SEAL_PLAIN;
	}
	unit_stage(unit, (enum unit_stage)unit->stage);
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
	return cap->type == TSS_TYPE_MEMORY && cap->original && cap->rights & TSS_RIGHT_WRITE && !memory->immortal &&
	       !memory->parent && !capability_has_children(cap);
}

static bool refill(struct unit *unit, unsigned *left)
{
	for (struct capability *cap; (cap = cspace_next(unit, unit->slot));
	     unit->slot = cap->slot + 1ull, unit->page = 0) {
		const struct memory *memory = (const struct memory *)cap->object;
		if (!slice_spend(left, cap->slot % SLICE_LOOKS == 0))
			return false;
		for (; is_private(cap) && unit->page < memory->pages; unit->page++) {
			if (!slice_spend(left, SLICE_PAGE))
				return false;
			memory_refill(memory, unit->page);
		}
	}
	return true;
}

/* Ports, events and threads forget what they were in the middle of. */
static bool renew(struct unit *unit, unsigned *left)
{
	irq_forget_events(NULL, unit);
	OBJECTS_OF(EVENT, event, event)
		if (event->object.payer == unit)
			event->bits = 0;
	OBJECTS_OF(PORT, port, port)
		if (port->object.payer == unit && !port_up(port, left))
			return false;
	OBJECTS_OF(THREAD, thread, thread) {
		if (thread->unit != unit || thread->state == TSS_THREAD_NEW)
			continue;
		if (!slice_spend(left, 1))
			return false;
		thread_reset(thread);
	}
	return true;
}

/* Those that were started before start again. */
static bool threads_start(const struct unit *unit, unsigned *left)
{
	OBJECTS_OF(THREAD, thread, thread) {
		struct sched *sched = thread->start.sched;
		if (thread->unit != unit || thread->state != TSS_THREAD_NEW || !sched || sched->home)
			continue;
		if (!slice_spend(left, 1))
			return false;
		thread_start(thread, sched);
	}
	return true;
}

/* While its threads are started it runs already, and may even end again: then that is how it is. */
status_t sys_unit_restart(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	unsigned left = REVOKE_SLICE;
	if (ARG2(self) && ARG2(self) - PLACE_FIRST >= PLACE_END - PLACE_FIRST)
		return ERR(ARGUMENT, 2);
	if (!unit->sealed || unit->closed || (unit->state != UNIT_ENDED && unit->stage != UNIT_STAGE_START))
		return ERR(BUSY, 1);
	if (unit->stage <= UNIT_STAGE_CLEAR) {
		status_t status = unit_clear_slice(self, unit, true, &left);
		if (status != TSS_OK)
			return status;
		unit_stage(unit, UNIT_STAGE_RENEW);
		if (ARG2(self))
			arch_space_move(&unit->space, cspace_slot(unit, TSS_SLOT_TEXT)->mapped_at, ARG2(self));
	}
	if (unit->stage == UNIT_STAGE_RENEW) {
		if (!refill(unit, &left) || !renew(unit, &left))
			return ERR(AGAIN, 1);
		table_use(unit, table_keep(unit->sealed_table));
		unit->restarts++;
		TRACE(RESTART, unit->object.id, unit->restarts);
		unit->state = UNIT_RUNNING;
		unit_stage(unit, UNIT_STAGE_START);
	}
	if (!threads_start(unit, &left))
		return ERR(AGAIN, 1);
	unit_stage(unit, UNIT_STAGE_NONE);
	return TSS_OK;
}
