/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists.c - for Eva: kernel/obj/cspace.c on every derivation list of up to ENTRIES entries. What is left after a delete,
 * a revoke, a move or a derive is compared with a plain array of depths, slot by slot and link by link.
 */
#include "kernel/obj/cspace.c"
#include "eva.h"

#ifndef ENTRIES
#define ENTRIES 5
#endif

static struct unit unit;
static struct object object;
static struct capability caps[ENTRIES + 1];
static unsigned count;
static uint8_t depths[ENTRIES + 1];

bool memory_unmap(struct capability *cap, unsigned *left)
{
	return true;
}
bool object_lighten(struct object *going, unsigned *left)
{
	return true;
}
void object_destroy(struct object *gone)
{
}
void reply_moved(struct capability *cap)
{
}
void reply_dropped(struct reply *reply)
{
}
void *frame_alloc(struct unit *payer)
{
	return NULL;
}

/* caps[0] to caps[n - 1] in this order, caps[0] the root; slot i + 1 of the unit. */
static void list_make(unsigned sealed)
{
	unit.caps.free[0] = ~0ull;
	unit.caps.summary = 1;
	unit.caps.used = 0;
	object.type = TSS_TYPE_EVENT;
	object.revoking = 0;
	for (unsigned i = 0; i <= ENTRIES; i++) {
		caps[i] = (struct capability){.space = &unit, .slot = (uint16_t)(i + 1)};
		link_init(&caps[i].derivation);
	}
	for (unsigned i = 0; i < count; i++) {
		caps[i].object = &object;
		caps[i].type = TSS_TYPE_EVENT;
		caps[i].depth = depths[i];
		caps[i].sealed = sealed >> i & 1;
		cspace_take(&caps[i]);
		if (i)
			link_insert_after(&caps[i - 1].derivation, &caps[i].derivation);
	}
}

/* The list is caps[order[0]], caps[order[1]] ... with these depths; every other slot is empty; the bitmap says so. */
static void list_check(const unsigned *order, const uint8_t *wanted, unsigned left)
{
	uint64_t used = 0;
	for (unsigned i = 0; i < left; i++) {
		struct capability *cap = &caps[order[i]], *next = &caps[order[i + 1 < left ? i + 1 : 0]];
		PROVE(cap->object == &object && cap->type == TSS_TYPE_EVENT && cap->depth == wanted[i]);
		PROVE(cap->derivation.next == &next->derivation && next->derivation.prev == &cap->derivation);
		used |= 1ull << cap->slot;
	}
	for (unsigned i = 0; i <= ENTRIES; i++)
		PROVE((used >> caps[i].slot & 1) == (caps[i].object != NULL) &&
		      (caps[i].object ||
		       (caps[i].type == TSS_TYPE_NONE && caps[i].derivation.next == &caps[i].derivation)));
	PROVE(unit.caps.free[0] == ~used && unit.caps.used == left);
}

static bool under(unsigned top, unsigned i)
{
	for (unsigned k = top + 1; k <= i; k++)
		if (depths[k] <= depths[top])
			return false;
	return i > top;
}

/* With `spare` a sealed child stays, with what is below it. */
static bool stays(unsigned top, unsigned i, unsigned sealed, bool spare)
{
	if (!under(top, i))
		return true;
	while (depths[i] > depths[top] + 1)
		i--;
	return spare && (sealed >> i & 1);
}

static void revoke_check(unsigned top, unsigned sealed, bool spare)
{
	unsigned order[ENTRIES], budget = ENTRIES, left = 0;
	uint8_t wanted[ENTRIES];
	for (unsigned i = 0; i < count; i++)
		if (stays(top, i, sealed, spare)) {
			wanted[left] = depths[i];
			order[left++] = i;
		}
	list_make(sealed);
	PROVE(capability_revoke(&caps[top], &budget, spare) && budget == ENTRIES - (count - left) && !object.revoking);
	list_check(order, wanted, left);
}

/* One entry a slice: what is gone is the last of the subtree, and it is said that more is left. */
static void slice_check(unsigned top)
{
	unsigned budget = 1, last = top, order[ENTRIES], left = 0;
	uint8_t wanted[ENTRIES];
	list_make(0);
	bool done = capability_revoke(&caps[top], &budget, false);
	while (last + 1 < count && depths[last + 1] > depths[last])
		last++;
	for (unsigned i = 0; i < count; i++)
		if (i != last || last == top) {
			wanted[left] = depths[i];
			order[left++] = i;
		}
	PROVE(done == !(top + 1 < count && under(top, top + 1) && top + 2 < count && under(top, top + 2)));
	list_check(order, wanted, left);
}

static void derive_check(unsigned parent)
{
	unsigned order[ENTRIES + 1];
	uint8_t wanted[ENTRIES + 1];
	list_make(0);
	capability_derive(&caps[count], &caps[parent], 3);
	for (unsigned i = 0; i <= count; i++) {
		order[i] = i <= parent ? i : i == parent + 1 ? count : i - 1;
		wanted[i] = i == parent + 1 ? (uint8_t)(depths[parent] + 1) : depths[order[i]];
	}
	list_check(order, wanted, count + 1);
	PROVE(caps[count].rights == 3 && caps[count].denied == (uint16_t)~3 && !caps[count].original);
}

static void move_check(unsigned from)
{
	unsigned order[ENTRIES];
	list_make(0);
	caps[from].original = from == 0;
	capability_move(&caps[count], &caps[from]);
	for (unsigned i = 0; i < count; i++)
		order[i] = i == from ? count : i;
	list_check(order, depths, count);
	PROVE(from != 0 || object.original == &caps[count]);
}

static void list_prove(void)
{
	for (unsigned top = 0; top < count; top++) {
		for (unsigned sealed = 0; sealed < 1u << count; sealed += 2)
			revoke_check(top, sealed, true);
		revoke_check(top, ~0u, false);
		slice_check(top);
		derive_check(top);
		move_check(top);
	}
}

void lists_prove(void)
{
	for (count = 1; count <= ENTRIES; count++) {
		for (unsigned i = 0; i < count; i++)
			depths[i] = i > 0;
		for (;;) {
			unsigned i = count - 1;
			list_prove();
			while (i > 0 && depths[i] == depths[i - 1] + 1)
				depths[i--] = 1;
			if (i == 0)
				break;
			depths[i]++;
		}
	}
}
