/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_delete.c - a unit goes, and everything it held or paid for with it; its budget returns to the parent.
 *
 * Deleting is cut into slices: each ends at most REVOKE_SLICE capabilities, then the call returns TSS_E_AGAIN and is
 * made again. Child units go first, the deepest before the others, so that nothing recurses. Originals of other units
 * that it held pass to whoever deletes it. A unit that goes pays for nothing more and gets no capabilities, so what has
 * been seen to once need not be looked at again. In the end it has used exactly what it was built with; anything else is a
 * leak and stops the kernel.
 */
#include <frame.h>
#include <memory.h>
#include <pager.h>
#include <port.h>
#include <syscall.h>

static struct unit *unit_child(const struct unit *parent)
{
	OBJECTS_OF(UNIT, unit, unit)
		if (unit->parent == parent)
			return unit;
	return NULL;
}

static bool unit_descends(const struct unit *unit, const struct unit *from)
{
	for (; unit; unit = unit->parent)
		if (unit == from)
			return true;
	return false;
}

/*
 * End one capability and what descends from it; with `keep`, for a restart, leave this one and what is sealed below it.
 * False: the slice is used up.
 */
static bool unit_end_capability(struct capability *cap, bool keep, unsigned *left)
{
	if (!capability_revoke(cap, left, keep))
		return false;
	if (keep)
		return cap->sealed == SEAL_MAPPED || memory_unmap(cap, left);
	return capability_delete(cap, left);
}

/* The original of a unit that is none of its children: whoever deletes the holder inherits it. */
static status_t unit_inherit(const struct thread *self, struct capability *cap)
{
	struct capability *slot = cspace_find_free(self->unit);
	if (slot)
		capability_move(slot, cap);
	return slot ? TSS_OK : ERR(SLOTS, 0);
}

static status_t unit_clear_slots(struct thread *self, struct unit *unit, bool strip, unsigned *left)
{
	for (struct capability *cap; (cap = cspace_next(unit, unit->slot)); unit->slot = cap->slot + 1ull) {
		bool keep = strip && cap->sealed;
		status_t status = TSS_OK;
		if (!slice_spend(left, cap->slot % SLICE_LOOKS == 0))
			return ERR(AGAIN, 1);
		if (cap->type == TSS_TYPE_UNIT && cap->original && !keep)
			status = unit_inherit(self, cap);
		else if (!unit_end_capability(cap, keep, left))
			status = ERR(AGAIN, 1);
		if (status != TSS_OK)
			return status;
	}
	return TSS_OK;
}

/*
 * What it paid for and others hold the originals of; its child units are gone by now. The newest first: whatever goes
 * along with an object has been made after it.
 */
static bool unit_clear_paid(struct unit *unit, bool strip, unsigned *left)
{
	for (; unit->type < TSS_TYPE_COUNT; unit->type++) {
		const struct link *list = &object_lists[unit->type];
		for (struct link *at = list->prev, *older; older = at->prev, at != list; at = older) {
			const struct object *object = LINK_ENTRY(at, struct object, all);
			if (object->payer != unit || (strip && object->original->sealed))
				continue;
			if (!unit_end_capability(object->original, false, left))
				return false;
		}
	}
	return true;
}

/* From the top to the deepest of the first children: none of them goes on, and none has another child. */
static struct unit *unit_deepest(struct unit *top, bool strip, unsigned *left)
{
	for (struct unit *unit = top, *child;; unit = child) {
		unit_end(unit, UNIT_CODE_KILLED, false, NULL);
		if (!unit_ended(unit, left))
			return NULL;
		if (!unit->closed && !(strip && unit == top)) {
			unit->closed = true;
			unit->supervisor = NULL;
			unit_stage(unit, UNIT_STAGE_CLEAR);
		}
		if (!(child = unit_child(unit)))
			return unit;
	}
}

status_t unit_clear_slice(struct thread *self, struct unit *top, bool strip, unsigned *left)
{
	if (unit_descends(self->unit, top) || !top->parent)
		return ERR(BUSY, 1);
	struct unit *unit = unit_deepest(top, strip, left);
	strip = strip && unit == top;
	status_t status = unit ? unit_clear_slots(self, unit, strip, left) : ERR(AGAIN, 1);
	if (status != TSS_OK)
		return status;
	if (!regions_clear(unit, strip, left) || !unit_clear_paid(unit, strip, left))
		return ERR(AGAIN, 1);
	if (unit == top)
		return TSS_OK;
	(void)unit_end_capability(unit->object.original, false, left);
	return ERR(AGAIN, 1);
}

bool unit_lighten(void *object, unsigned *left)
{
	struct unit *unit = object;
	struct cspace *space = &unit->caps;
	while (space->slots > CAPS_PER_PAGE) {
		if (!slice_spend(left, 1))
			return false;
		uint32_t page = (space->slots -= CAPS_PER_PAGE) / CAPS_PER_PAGE;
		frame_free(unit, space->pages[page]);
		space->pages[page] = space->pages[0];
		space->summary &= ~(1ull << page);
	}
	return arch_space_shrink(&unit->space, unit, left);
}

void unit_destroy(void *object)
{
	struct unit *unit = object;
	table_put(unit->table);
	table_put(unit->sealed_table);
	frame_free(unit, unit->caps.pages[0]);
	arch_space_destroy(&unit->space, unit);
	if (unit->used != 1)
		panic("unit %.16s ends with %lu frames too many", unit->name, unit->used - 1);
	unit->parent->used -= unit->budget;
	link_remove(&unit->object.all);
	frame_free(NULL, unit);
}
