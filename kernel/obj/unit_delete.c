/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_delete.c - a unit goes, and everything it held or paid for with it; its budget returns to the parent.
 *
 * Deleting is cut into slices: each ends at most UNIT_SLICE capabilities, then the call returns TSS_E_AGAIN and is
 * made again. Child units go first, the deepest before the others, so that nothing recurses. Originals of other units
 * that it held pass to whoever deletes it. In the end the unit has used exactly what it was built with; anything else
 * is a leak and stops the kernel.
 */
#include <frame.h>
#include <memory.h>
#include <pager.h>
#include <port.h>
#include <syscall.h>

#define UNIT_SLICE REVOKE_SLICE

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
	for (uint64_t slot = 1; slot < unit->caps.slots && unit->caps.used; slot++) {
		struct capability *cap = cspace_slot(unit, slot);
		bool keep = strip && cap->sealed;
		status_t status = TSS_OK;
		if (!cap->object)
			continue;
		if (cap->type == TSS_TYPE_UNIT && cap->original && !keep)
			status = unit_inherit(self, cap);
		else if (!unit_end_capability(cap, keep, left))
			status = ERR(AGAIN, 1);
		if (status != TSS_OK)
			return status;
	}
	return TSS_OK;
}

/* An object that unit paid for and that goes; its child units are gone by now. */
static struct object *unit_paid(const struct unit *unit, bool strip)
{
	for (unsigned type = 1; type < TSS_TYPE_COUNT; type++)
		LINK_FOR_EACH(struct object, object, &object_lists[type], all)
			if (object->payer == unit && !(strip && object->original->sealed))
				return object;
	return NULL;
}

/* What it paid for and others hold the originals of. */
static bool unit_clear_paid(const struct unit *unit, bool strip, unsigned *left)
{
	for (struct object *object; (object = unit_paid(unit, strip)); *left /= 2) /* a walk is long, too */
		if (!unit_end_capability(object->original, false, left))
			return false;
	return true;
}

status_t unit_clear_slice(struct thread *self, struct unit *top, bool strip)
{
	unsigned left = UNIT_SLICE;
	struct unit *unit = top;
	if (unit_descends(self->unit, top) || !top->parent)
		return ERR(BUSY, 1);
	for (struct unit *child; (child = unit_child(unit));)
		unit = child;
	strip = strip && unit == top;
	unit_end(unit, UNIT_CODE_KILLED);
	if (!strip)
		unit->supervisor = NULL;
	status_t status = unit_clear_slots(self, unit, strip, &left);
	if (status != TSS_OK)
		return status;
	if (!regions_clear(unit, strip, &left) || !unit_clear_paid(unit, strip, &left))
		return ERR(AGAIN, 1);
	if (unit == top)
		return TSS_OK;
	(void)unit_end_capability(unit->object.original, false, &left);
	return ERR(AGAIN, 1);
}

void unit_destroy(void *object)
{
	struct unit *unit = object;
	table_put(unit->table);
	table_put(unit->sealed_table);
	for (uint32_t page = 0; page < unit->caps.slots / CAPS_PER_PAGE; page++)
		frame_free(unit, unit->caps.pages[page]);
	arch_space_destroy(&unit->space, unit);
	if (unit->used != 1)
		panic("unit %.16s ends with %lu frames too many", unit->name, unit->used - 1);
	unit->parent->used -= unit->budget;
	link_remove(&unit->object.all);
	frame_free(NULL, unit);
}
