/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pager.c - regions: who supplies their pages, and what is mapped in them.
 *
 * A region has a capability for each of its pages, in frames that are made when first needed. One is full at the page
 * where a memory object begins that the pager has answered with. What changes regions is exclusive; a fault looks them
 * up with its CPU's lock alone.
 */
#include <frame.h>
#include <memory.h>
#include <pager.h>
#include <port.h>
#include <syscall.h>

static struct region *region_at(const struct unit *unit, uint64_t address)
{
	struct region *region = unit->regions;
	while (region && address - region->base >= region->pages * PAGE_SIZE)
		region = region->next;
	return region;
}

struct connection *pager_of(const struct unit *unit, uint64_t address)
{
	const struct region *region = region_at(unit, address);
	return region ? region->connection : NULL;
}

/* The capability for the page at address; NULL: the unit's budget is used up. */
static struct capability *region_cap(struct unit *unit, const struct region *region, uint64_t address)
{
	uint64_t page = (address - region->base) / PAGE_SIZE;
	struct capability **table = &region->tables[page / CAPS_PER_PAGE];
	if (!*table) {
		*table = frame_alloc(unit);
		for (unsigned i = 0; *table && i < CAPS_PER_PAGE; i++) {
			struct capability *cap = &(*table)[i];
			cap->space = unit;
			cap->refused = ~0u;
			link_init(&cap->derivation);
		}
	}
	return *table ? &(*table)[page % CAPS_PER_PAGE] : NULL;
}

/* Deletes what is mapped, table by table, and the tables. False: the slice is used up. */
static bool region_clear(struct unit *unit, const struct region *region, unsigned *left)
{
	for (unsigned i = 0; i < REGION_TABLES; i++) {
		struct capability *caps = region->tables[i];
		for (unsigned j = 0; caps && j < CAPS_PER_PAGE; j++) {
			if (!caps[j].object)
				continue;
			if (!capability_delete(&caps[j], left))
				return false;
		}
		if (caps)
			frame_free(unit, caps);
		region->tables[i] = NULL;
	}
	return true;
}

/* *at leads to it. False: the slice is used up. */
static bool region_remove(struct unit *unit, struct region **at, unsigned *left)
{
	struct region *region = *at;
	region->connection = NULL;
	if (!region_clear(unit, region, left))
		return false;
	*at = region->next;
	frame_free(unit, region->tables);
	slab_free(unit, region, sizeof(*region));
	return true;
}

bool regions_clear(struct unit *unit, bool keep, unsigned *left)
{
	for (struct region **at = &unit->regions; *at;) {
		if (!(keep && (*at)->sealed)) {
			if (!region_remove(unit, at, left))
				return false;
			continue;
		}
		if (!region_clear(unit, *at, left))
			return false;
		at = &(*at)->next;
	}
	return true;
}

void regions_seal(const struct unit *unit)
{
	for (struct region *region = unit->regions; region; region = region->next)
		region->sealed = true;
}

void pager_forget(const struct connection *connection)
{
	OBJECTS_OF(UNIT, unit, unit)
		for (struct region *region = unit->regions; region; region = region->next)
			if (region->connection == connection)
				region->connection = NULL;
}

static status_t region_create(struct unit *unit, struct connection *connection, uint64_t base, uint64_t pages)
{
	if (pages > REGION_PAGES_MAX)
		return ERR(ARGUMENT, 4);
	if (!unit_range_valid(base, pages * PAGE_SIZE))
		return ERR(ARGUMENT, 3);
	for (const struct region *other = unit->regions; other; other = other->next)
		if (base < other->base + other->pages * PAGE_SIZE && other->base < base + pages * PAGE_SIZE)
			return ERR(OCCUPIED, 3);
	struct region *region = slab_alloc(unit, sizeof(*region));
	struct capability **tables = region ? frame_alloc(unit) : NULL;
	if (!tables) {
		if (region)
			slab_free(unit, region, sizeof(*region));
		return ERR(MEMORY, 0);
	}
	*region = (struct region){unit->regions, base, pages, connection, tables, false};
	unit->regions = region;
	return TSS_OK;
}

/* (unit, connection, address, pages); no pages: the region that begins there goes. */
status_t sys_unit_pager(struct thread *self, struct capability *cap)
{
	struct unit *unit = (struct unit *)cap->object;
	unsigned left = REVOKE_SLICE;
	struct region **at = &unit->regions;
	if (ARG4(self)) {
		struct connection *connection = ARGUMENT2(self, CONNECTION, CALL);
		return region_create(unit, connection, ARG3(self), ARG4(self));
	}
	while (*at && (*at)->base != ARG3(self))
		at = &(*at)->next;
	if (!*at)
		return ERR(ARGUMENT, 3);
	if ((*at)->sealed)
		return ERR(BUSY, 3);
	return region_remove(unit, at, &left) ? TSS_OK : ERR(AGAIN, 1);
}

/* What the answer brings goes to `address`, in the place of what an earlier answer brought there, if it is no larger. */
static status_t page_map(struct thread *caller, struct capability *source, uint64_t address, uint64_t protection)
{
	struct unit *unit = caller->unit;
	const struct region *region = region_at(unit, caller->frame.address);
	uint64_t size = ((struct memory *)source->object)->pages * PAGE_SIZE;
	if (!region || address % PAGE_SIZE || address < region->base || caller->frame.address - address >= size ||
	    size > region->base + region->pages * PAGE_SIZE - address)
		return ERR(ARGUMENT, 2);
	struct capability *slot = region_cap(unit, region, address);
	if (!slot)
		return ERR(MEMORY, 2);
	if (slot->object && ((struct memory *)slot->object)->pages * PAGE_SIZE < size)
		return ERR(OCCUPIED, 2);
	bool begun = slot->object == source->object && slot->mapped_at == address && slot->mapped * PAGE_SIZE < size;
	unsigned left = REVOKE_SLICE / 2;
	if (slot->object && !begun && !capability_delete(slot, &left))
		return ERR(AGAIN, 0);
	if (!begun)
		capability_derive(slot, source, (uint16_t)protection);
	status_t status = memory_map(slot, address, (unsigned)protection);
	if (status == TSS_OK || status == ERR(AGAIN, 0))
		return status;
	CAPABILITY_DELETE_SMALL(slot);
	return TSS_STATUS(TSS_CODE(status), 2);
}

/* Words: where, and with which protection. No capability: something is there by now, or the thread may try again. */
status_t pager_reply(struct thread *self, struct reply *reply, uint64_t tag)
{
	struct thread *caller = reply->caller;
	struct capability *source;
	if (TSS_TAG_CAPS(tag) > 1 || TSS_TAG_TYPE(tag) > TSS_FAULT_GIVE_UP)
		return ERR(ARGUMENT, 2);
	if (TSS_TAG_TYPE(tag) == TSS_FAULT_GIVE_UP)
		return TSS_OK;
	if (TSS_TAG_CAPS(tag)) {
		status_t status = syscall_capability(self, *(volatile cap_t *)&self->ipc->send_caps[0], 2,
						     TSS_TYPE_MEMORY, TSS_RIGHT_GRANT, &source);
		if (status == TSS_OK)
			status = capability_copyable(source, 2);
		if (status == TSS_OK)
			status = memory_protection(source, self->frame.r8, 2);
		if (status == TSS_OK)
			status = page_map(caller, source, self->frame.r10, self->frame.r8);
		if (status != TSS_OK)
			return status == ERR(AGAIN, 0) ? syscall_again(self) : status;
	}
	caller->fault = 0;
	caller->paging = false;
	reply->sched = reply->fault_sched;
	return TSS_OK;
}
