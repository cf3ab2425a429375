/* SPDX-License-Identifier: BSD-2-Clause */
/* cspace.c - capability spaces: pages of slots and a two-level bitmap of the empty ones. Every operation is O(1). */
#include <frame.h>
#include <memory.h>
#include <port.h>

#define GROW_SLICE 8 /* pages of slots */

static void cspace_add(struct unit *unit, struct capability *page)
{
	struct cspace *space = &unit->caps;
	uint32_t number = space->slots / CAPS_PER_PAGE;
	for (uint32_t i = 0; i < CAPS_PER_PAGE; i++) {
		page[i].slot = (uint16_t)(space->slots++);
		page[i].space = unit;
		page[i].refused = ~0u;
		link_init(&page[i].derivation);
	}
	for (uint32_t i = number; i < (number ? number + 1 : CSPACE_REACH); i++)
		space->pages[i] = page;
	space->free[number] = number ? ~0ull : ~1ull;
	space->summary |= 1ull << number;
}

status_t cspace_grow(void *object, uint64_t slots)
{
	struct unit *unit = object;
	for (unsigned left = GROW_SLICE; unit->caps.slots < slots; left--) {
		struct capability *page = left ? frame_alloc(unit) : NULL;
		if (!page)
			return left ? ERR(MEMORY, 0) : ERR(AGAIN, 0);
		cspace_add(unit, page);
	}
	unit->closed = false;
	return TSS_OK;
}

struct capability *cspace_slot(const struct unit *unit, uint64_t slot)
{
	if (slot == 0 || slot >= unit->caps.slots)
		return NULL;
	return &unit->caps.pages[slot / CAPS_PER_PAGE][slot % CAPS_PER_PAGE];
}

struct capability *cspace_next(const struct unit *unit, uint64_t slot)
{
	const struct cspace *space = &unit->caps;
	for (uint64_t mask = ~0ull << slot % CAPS_PER_PAGE; slot < space->slots; slot += CAPS_PER_PAGE, mask = ~0ull) {
		uint64_t full = ~space->free[slot / CAPS_PER_PAGE] & mask;
		if (full)
			return &space->pages[slot / CAPS_PER_PAGE][__builtin_ctzll(full)];
	}
	return NULL;
}

struct capability *cspace_find_free(struct unit *unit)
{
	struct cspace *space = &unit->caps;
	if (!space->summary)
		return NULL;
	unsigned page = 63u - (unsigned)__builtin_clzll(space->summary);
	unsigned index = 63u - (unsigned)__builtin_clzll(space->free[page]);
	return &space->pages[page][index];
}

static void cspace_take(const struct capability *cap)
{
	if (!cap->slot)
		return;
	struct cspace *space = &cap->space->caps;
	unsigned page = cap->slot / CAPS_PER_PAGE;
	space->free[page] &= ~(1ull << cap->slot % CAPS_PER_PAGE);
	if (!space->free[page])
		space->summary &= ~(1ull << page);
	space->used++;
}

static void cspace_release(struct capability *cap)
{
	if (cap->slot) {
		struct cspace *space = &cap->space->caps;
		unsigned page = cap->slot / CAPS_PER_PAGE;
		space->free[page] |= 1ull << cap->slot % CAPS_PER_PAGE;
		space->summary |= 1ull << page;
		space->used--;
	}
	cap->object = NULL;
	cap->generation++;
	cap->type = TSS_TYPE_NONE;
	cap->refused = ~0u;
	cap->rights = 0;
	cap->sealed = SEAL_NONE;
}

/* A root, or in pre-order: a child goes directly behind its parent. */
static void capability_fill(struct capability *slot, struct object *object, uint16_t rights, struct capability *parent)
{
	*slot = (struct capability){.object = object,
				    .handle = slot->handle,
				    .not_types = CAP_NOT_TYPES(object->type),
				    .type = object->type,
				    .exercised = slot->exercised,
				    .space = slot->space};
	capability_set_rights(slot, rights);
	link_init(&slot->derivation);
	cspace_take(slot);
	if (slot->space)
		slot->space->memories += slot->type == TSS_TYPE_MEMORY;
	if (!parent)
		return;
	slot->depth = (uint8_t)(parent->depth + 1);
	link_insert_after(&parent->derivation, &slot->derivation);
}

void capability_place(struct capability *slot, struct object *object, uint16_t rights, struct capability *parent)
{
	capability_fill(slot, object, rights, parent);
	slot->original = true;
	object->original = slot;
	if (object->type == TSS_TYPE_REPLY)
		reply_moved(slot);
}

status_t capability_copyable(const struct capability *source, unsigned argument)
{
	struct object *object = source->object;
	if (source->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, argument);
	if (!object->revoking)
		return TSS_OK;
	if (object->revoking == REVOKE_SEALED)
		return ERR(BUSY, argument);
	object->revoking--;
	return ERR(AGAIN, argument);
}

void capability_derive(struct capability *slot, struct capability *source, uint16_t rights)
{
	capability_fill(slot, source->object, rights, source);
}

void capability_move(struct capability *slot, struct capability *source)
{
	const struct capability empty = *slot;
	capability_fill(slot, source->object, source->rights, NULL);
	*slot = *source;
	slot->handle = empty.handle;
	slot->space = empty.space;
	slot->exercised = empty.exercised;
	slot->sealed = SEAL_NONE;
	if (slot->original)
		slot->object->original = slot;
	link_insert_after(&source->derivation, &slot->derivation);
	link_remove(&source->derivation);
	cspace_release(source);
	if (slot->type == TSS_TYPE_REPLY)
		reply_moved(slot);
}

static struct capability *capability_next(const struct capability *cap)
{
	return LINK_ENTRY(cap->derivation.next, struct capability, derivation);
}

bool capability_has_children(const struct capability *cap)
{
	return capability_next(cap)->depth > cap->depth;
}

/* The list is circular and a root has depth 0, so a walk over descendants ends at the root at the latest. */
static struct capability *capability_victim(const struct capability *cap, bool spare)
{
	struct capability *victim = capability_next(cap);
	/*@ loop invariant member(victim) && deeper_until(cap, victim) && (!spare ==> follows(cap, victim));
	    loop assigns victim; */
	while (spare && victim->sealed && victim->depth > cap->depth) {
		uint8_t depth = victim->depth;
		/*@ loop invariant member(victim) && deeper_until(cap, victim) && victim->depth > cap->depth;
		    loop assigns victim; */
		do
			victim = capability_next(victim);
		while (victim->depth > depth);
	}
	if (victim->depth <= cap->depth)
		return NULL;
	/*@ loop invariant member(victim) && deeper_until(cap, victim) && victim->depth > cap->depth;
	    loop assigns victim; */
	while (capability_has_children(victim))
		victim = capability_next(victim);
	return victim;
}

static void revoke_mark(struct object *object, uint8_t mark)
{
	if (object->revoking != REVOKE_SEALED)
		object->revoking = mark;
}

bool capability_revoke(struct capability *cap, unsigned *left, bool spare)
{
	struct capability *victim;
	/*@ loop invariant sound && member(cap) && \valid(left) && gone_only_below{Pre, Here}(index(cap));
	    loop invariant cap == \at(cap, Pre) && left == \at(left, Pre) && spare == \at(spare, Pre); */
	while ((victim = capability_victim(cap, spare))) {
		if (!capability_delete(victim, left)) {
			revoke_mark(cap->object, REVOKE_PATIENCE);
			revoke_mark(victim->object, REVOKE_PATIENCE);
			return false;
		}
	}
	revoke_mark(cap->object, 0);
	return true;
}

bool capability_delete(struct capability *cap, unsigned *left)
{
	struct object *object = cap->object;
	bool original = cap->original;
	if (cap->type == TSS_TYPE_MEMORY && !memory_unmap(cap, left))
		return false;
	if (original && !object_lighten(object, left))
		return false;
	if (!slice_spend(left, 1))
		return false;
	link_remove(&cap->derivation);
	cspace_release(cap);
	if (original)
		object_destroy(object);
	else if (object->type == TSS_TYPE_REPLY && ((struct reply *)object)->away == cap)
		reply_dropped((struct reply *)object);
	return true;
}
