// sources: kernel/mm/frame.c kernel/mm/slab.c kernel/obj/object.c tests/unit/kernel/ends.c kernel/obj/cspace.c
// flags: -Ikernel/arch/x86_64/include -Wno-unused-parameter
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cspace.c - capability spaces against a model that keeps a parent for each capability: random derive, move,
 * revoke and delete; after each step exactly the model's capabilities live, and stale handles name nothing.
 */
#include "host.h"
#include <irq.h>
#include <memory.h>
#include <port.h>

#define SLOTS 192
#define STEPS 60000

static struct unit unit;
static struct {
	bool live;
	unsigned parent; /* slot; 0: a root */
	cap_t handle;
} model[SLOTS];
static unsigned destroyed;

void reply_dropped(struct reply *reply)
{
	(void)reply;
}
void reply_moved(struct capability *cap)
{
	(void)cap;
}
bool memory_unmap(struct capability *cap, unsigned *left)
{
	(void)cap, (void)left;
	return true;
}
void event_destroy(void *object)
{
	(void)object;
	destroyed++;
}

static bool model_descends(unsigned slot, unsigned from)
{
	while ((slot = model[slot].parent))
		if (slot == from)
			return true;
	return false;
}

static void model_drop_below(unsigned slot)
{
	bool drop[SLOTS];
	for (unsigned i = 1; i < SLOTS; i++)
		drop[i] = model[i].live && model_descends(i, slot);
	for (unsigned i = 1; i < SLOTS; i++)
		if (drop[i])
			model[i].live = false;
}

static void model_add(struct capability *cap, unsigned parent)
{
	CHECK(!model[cap->slot].live);
	model[cap->slot].live = true;
	model[cap->slot].parent = parent;
	model[cap->slot].handle = capability_handle(cap);
}

static void check_all(void)
{
	unsigned live = 0;
	for (unsigned i = 1; i < SLOTS; i++) {
		CHECK((cspace_lookup_in(&unit.caps, model[i].handle) != NULL) == model[i].live || !model[i].handle);
		live += model[i].live;
	}
	CHECK(unit.caps.used == live);
}

static void step_create(struct capability *slot)
{
	struct object *event = object_alloc(&unit, TSS_TYPE_EVENT);
	CHECK(event != NULL);
	capability_place(slot, event, TSS_RIGHT_ALL, NULL);
	model_add(slot, 0);
}

static void step_move(struct capability *slot, unsigned from)
{
	unsigned parent = model[from].parent;
	cap_t stale = model[from].handle;
	capability_move(slot, cspace_slot(&unit, from));
	CHECK(cspace_lookup_in(&unit.caps, stale) == NULL);
	model[from].live = false;
	model_add(slot, parent);
	for (unsigned i = 1; i < SLOTS; i++)
		if (model[i].live && model[i].parent == from)
			model[i].parent = slot->slot;
}

static void step_end(unsigned victim, bool delete)
{
	struct capability *cap = cspace_slot(&unit, victim);
	unsigned left;
	do
		left = 1 + (unsigned)random() % 4;
	while (!capability_revoke(cap, &left, false));
	CHECK(!capability_has_children(cap));
	model_drop_below(victim);
	if (!delete)
		return;
	left = 0;
	CHECK(!capability_delete(cap, &left) && cap->object);
	left = 1;
	CHECK(capability_delete(cap, &left) && left == 0);
	model[victim].live = false;
}

static void step(void)
{
	struct capability *free = cspace_find_free(&unit);
	unsigned picked = 1 + (unsigned)random() % (SLOTS - 1);
	unsigned what = (unsigned)random() % 16;
	CHECK((free == NULL) == (unit.caps.used == SLOTS - 1));
	if (what == 0 && free)
		step_create(free);
	else if (!model[picked].live)
		return;
	else if (what < 10 && free && cspace_slot(&unit, picked)->depth < CAP_DEPTH_MAX) {
		capability_derive(free, cspace_slot(&unit, picked), TSS_RIGHT_READ);
		model_add(free, picked);
	} else if (what < 13 && free)
		step_move(free, picked);
	else
		step_end(picked, what & 1);
}

int main(void)
{
	srandom(7);
	host_memory_init();
	object_init_lists();
	(void)frame_init();
	host_unit_init(&unit, frame_count.available);
	CHECK(cspace_grow(&unit, SLOTS) == TSS_OK);
	CHECK(cspace_slot(&unit, 0) == NULL && cspace_slot(&unit, SLOTS) == NULL &&
	      cspace_lookup_in(&unit.caps, 0) == NULL);
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		if (i % 16 == 0)
			check_all();
	}
	CHECK(destroyed > 100);
	puts("ok cspace");
	return 0;
}
