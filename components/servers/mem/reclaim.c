/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reclaim.c - making room, in this order: what ended clients have left, caches, pages to the store, and as a last resort
 * the least important client is ended.
 *
 * The kernel says that memory is low (unit_reserve) while there still is some; then as much is freed by the first three as
 * takes the unit well above that. Who finds no page left goes on until there is one. The last `kept` bytes are for this
 * unit's own kernel objects, so that the work here does not fail for want of them.
 */
#include <interfaces/store.h>
#include <interfaces/supervision.h>
#include "mem.h"

#define BATCH 16u /* pages, when somebody waits for one */
#define RUNNING 0u

void reclaim_init(struct mem *m)
{
	uint64_t places = 0;
	if (store_places(SLOT_STORE, &places, TSS_INFINITE) == TSS_OK)
		m->places = places < PLACES_MAX ? places : PLACES_MAX;
	tss_status_t status = tss_event_bind(SLOT_EVENT_LOW, SLOT_PORT_MEM);
	if (status == TSS_OK)
		status = tss_unit_reserve(TSS_SLOT_UNIT, SLOT_EVENT_LOW, 1, PARAMETERS->low / TSS_PAGE_SIZE,
					  PARAMETERS->kept / TSS_PAGE_SIZE);
	if (status != TSS_OK)
		printf("nobody will say when memory is low: %s\n", tss_error_name(status));
}

/* Pages that clients left which do not run any more; what attaches again begins with nothing anyhow. */
static unsigned sweep_ended(struct mem *m)
{
	uint64_t before = m->totals[MEM_TOTAL_PRESENT], restarts;
	uint8_t life = 0, policy = 0, label[TSS_NAME_SIZE];
	size_t size = 0;
	for (uint32_t i = 0; supervision_list(SLOT_SUPERVISION, i, &life, &policy, &restarts, label, sizeof(label),
					      &size, TSS_INFINITE) == TSS_OK;
	     i++)
		for (unsigned n = 0; life != RUNNING && n < m->client_count; n++) {
			struct client *c = &m->clients[n];
			if (strnlen((const char *)c->row->client, TSS_NAME_SIZE) != size ||
			    memcmp(c->row->client, label, size) != 0)
				continue;
			client_clear(m, c);
			c->attached = false;
		}
	return (unsigned)(before - m->totals[MEM_TOTAL_PRESENT]);
}

static unsigned drop_cache_of(struct mem *m, struct client *c, unsigned most)
{
	unsigned dropped = 0;
	for (uint32_t i = 0; i < c->row->paged && dropped < most; i++) {
		struct entry *entry = &c->entries[i];
		if (!entry->cache || entry->kind != ENTRY_PAGE || m->pages[entry->index].users > 1)
			continue;
		page_release(m, entry->index);
		entry->kind = ENTRY_ZERO;
		dropped++;
	}
	c->dropped += dropped;
	m->totals[MEM_TOTAL_DROPPED] += dropped;
	if (dropped > 0 && c->watcher != TSS_CAP_NULL)
		(void)tss_event_signal(c->watcher, 1);
	return dropped;
}

static unsigned drop_caches(struct mem *m, unsigned most)
{
	unsigned dropped = 0;
	for (unsigned i = 0; i < m->client_count && dropped < most; i++)
		dropped += drop_cache_of(m, &m->clients[i], most - dropped);
	return dropped;
}

static bool place_take(struct mem *m, uint32_t *place)
{
	for (*place = 0; *place < m->places; (*place)++)
		if (!m->place_used[*place]) {
			m->place_used[*place] = 1;
			return true;
		}
	return false;
}

void place_free(struct mem *m, uint64_t place)
{
	m->place_used[place] = 0;
}

tss_status_t store_fetch(struct mem *m, uint64_t place, cap_t memory)
{
	(void)m;
	return store_get(SLOT_STORE, place, memory, TSS_INFINITE);
}

/* The hand goes round all entries of all clients. NULL: once round, and there is nothing that could go. */
static struct entry *next_to_go(struct mem *m)
{
	uint64_t left = 0;
	for (unsigned i = 0; i < m->client_count; i++)
		left += m->clients[i].row->paged + 1ull;
	for (; left > 0; left--) {
		const struct client *c = &m->clients[m->hand_client];
		if (m->hand_entry >= c->row->paged) {
			m->hand_client = (m->hand_client + 1) % m->client_count;
			m->hand_entry = 0;
			continue;
		}
		struct entry *entry = &c->entries[m->hand_entry++];
		if (entry->kind == ENTRY_PAGE && m->pages[entry->index].users == 1)
			return entry;
	}
	return NULL;
}

/* Its client must not write any more before it is read. What the store does not take stays. */
static bool page_out(struct mem *m)
{
	uint32_t place;
	struct entry *entry = place_take(m, &place) ? next_to_go(m) : NULL;
	if (entry == NULL) {
		if (place < m->places)
			place_free(m, place);
		return false;
	}
	page_unmap(m, entry->index);
	if (store_put(SLOT_STORE, place, m->pages[entry->index].memory, TSS_INFINITE) != TSS_OK) {
		place_free(m, place);
		return false;
	}
	page_release(m, entry->index);
	entry->kind = ENTRY_STORED;
	entry->index = place & 0xfffffff;
	m->totals[MEM_TOTAL_OUT]++;
	return true;
}

static unsigned pages_out(struct mem *m, unsigned most)
{
	unsigned out = 0;
	while (out < most && page_out(m))
		out++;
	return out;
}

static bool has_pages(const struct client *c)
{
	for (uint32_t i = 0; c->attached && i < c->row->paged; i++)
		if (c->entries[i].kind == ENTRY_PAGE || c->entries[i].kind == ENTRY_STORED)
			return true;
	return false;
}

/* The least important client that has pages, here or in the store, goes, with all that it had. False: nobody may, or it was `asking` itself. */
static bool end_least(struct mem *m, const struct client *asking)
{
	struct client *least = NULL;
	for (unsigned i = 0; i < m->client_count; i++) {
		struct client *c = &m->clients[i];
		if (c->row->importance < NEVER_ENDED && has_pages(c) &&
		    (least == NULL || c->row->importance < least->row->importance))
			least = c;
	}
	if (least == NULL)
		return false;
	const char *name = (const char *)least->row->client;
	if (supervision_kill(SLOT_SUPERVISION, name, strnlen(name, TSS_NAME_SIZE), TSS_INFINITE) != TSS_OK)
		return false;
	m->totals[MEM_TOTAL_ENDED]++;
	client_clear(m, least);
	least->attached = false;
	printf("out of memory: %.16s, importance %u, is ended\n", name, least->row->importance);
	return least != asking;
}

bool reclaim(struct mem *m, const struct client *asking)
{
	return sweep_ended(m) > 0 || drop_caches(m, BATCH) > 0 || pages_out(m, BATCH) > 0 || end_least(m, asking);
}

void reclaim_low(struct mem *m)
{
	const unsigned wanted = (unsigned)(PARAMETERS->low / TSS_PAGE_SIZE);
	unsigned freed = sweep_ended(m);
	m->totals[MEM_TOTAL_LOW]++;
	if (freed < wanted)
		freed += drop_caches(m, wanted - freed);
	if (freed < wanted)
		(void)pages_out(m, wanted - freed);
}
