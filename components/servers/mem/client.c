/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.c - what clients ask for: ranges of their region, first fit. Who they are and how large their regions are is in
 * the directory that the generator made. A client that has not attached in this life has nothing.
 */
#include "mem.h"

bool clients_init(struct mem *m)
{
	const struct tss_directory_entry *rows = (const void *)TSS_LAYOUT_DIRECTORY;
	for (; rows->badge != 0 && m->client_count < CLIENTS_MAX; rows++) {
		struct client *c = &m->clients[m->client_count++];
		c->row = rows;
		c->entries = rows->paged ? calloc(rows->paged, sizeof(*c->entries)) : NULL;
		if (rows->paged && c->entries == NULL)
			return false;
	}
	return rows->badge == 0;
}

struct client *client_of(struct mem *m, uint64_t badge)
{
	for (unsigned i = 0; i < m->client_count; i++)
		if (m->clients[i].row->badge == badge)
			return &m->clients[i];
	return NULL;
}

struct entry *entry_at(const struct client *c, uint64_t address)
{
	return &c->entries[(address - TSS_LAYOUT_PAGED) / TSS_PAGE_SIZE];
}

bool range_good(const struct client *c, uint64_t address, uint64_t pages)
{
	uint64_t first = (address - TSS_LAYOUT_PAGED) / TSS_PAGE_SIZE;
	if (!c->attached || address % TSS_PAGE_SIZE != 0 || address < TSS_LAYOUT_PAGED || pages == 0 ||
	    first >= c->row->paged || pages > c->row->paged - first)
		return false;
	for (uint64_t i = 0; i < pages; i++)
		if (c->entries[first + i].kind == ENTRY_NONE)
			return false;
	return true;
}

void entry_clear(struct mem *m, struct entry *entry)
{
	if (entry->kind == ENTRY_PAGE) {
		if (m->pages[entry->index].users > 1)
			page_unmap(m, entry->index); /* the others ask again */
		page_release(m, entry->index);
	} else if (entry->kind == ENTRY_STORED) {
		place_free(m, entry->index);
	}
	*entry = (struct entry){.kind = ENTRY_NONE};
}

void client_clear(struct mem *m, struct client *c)
{
	for (uint32_t i = 0; i < c->row->paged; i++)
		entry_clear(m, &c->entries[i]);
	if (c->watcher != TSS_CAP_NULL)
		(void)tss_capability_delete(c->watcher);
	c->watcher = TSS_CAP_NULL;
}

/* The first of so many entries in a row that are not in use. */
static struct entry *find_free(const struct client *c, uint64_t pages)
{
	uint64_t run = 0;
	for (uint32_t i = 0; c->attached && pages > 0 && i < c->row->paged; i++) {
		run = c->entries[i].kind == ENTRY_NONE ? run + 1 : 0;
		if (run == pages)
			return &c->entries[i + 1 - pages];
	}
	return NULL;
}

static uint64_t address_of(const struct client *c, const struct entry *entry)
{
	return TSS_LAYOUT_PAGED + (uint64_t)(entry - c->entries) * TSS_PAGE_SIZE;
}

static tss_status_t on_attach(void *state, struct tss_request *request, uint64_t *base, uint64_t *pages)
{
	struct mem *m = state;
	struct client *c = client_of(m, request->badge);
	if (c == NULL || c->row->paged == 0)
		return MEM_ERROR_RANGE;
	client_clear(m, c);
	c->attached = true;
	*base = TSS_LAYOUT_PAGED;
	*pages = c->row->paged;
	return TSS_OK;
}

static tss_status_t on_map(void *state, struct tss_request *request, uint64_t pages, uint64_t protection,
			   uint64_t *address)
{
	const struct client *c = client_of(state, request->badge);
	if (c == NULL || !c->attached)
		return MEM_ERROR_DETACHED;
	if (protection != TSS_RIGHT_READ && protection != (TSS_RIGHT_READ | TSS_RIGHT_WRITE))
		return MEM_ERROR_PROTECTION;
	struct entry *entry = find_free(c, pages);
	if (entry == NULL)
		return MEM_ERROR_NO_SPACE;
	*address = address_of(c, entry);
	for (uint64_t i = 0; i < pages; i++)
		entry[i] = (struct entry){.kind = ENTRY_ZERO, .writable = (protection & TSS_RIGHT_WRITE) != 0};
	return TSS_OK;
}

static tss_status_t on_unmap(void *state, struct tss_request *request, uint64_t address, uint64_t pages)
{
	const struct client *c = client_of(state, request->badge);
	if (c == NULL || !range_good(c, address, pages))
		return MEM_ERROR_RANGE;
	for (uint64_t i = 0; i < pages; i++)
		entry_clear(state, entry_at(c, address) + i);
	return TSS_OK;
}

/* What is in the store is fetched first, so that only pages have several users. */
static tss_status_t on_clone(void *state, struct tss_request *request, uint64_t address, uint64_t pages, uint64_t *copy)
{
	struct mem *m = state;
	const struct client *c = client_of(m, request->badge);
	if (c == NULL || !range_good(c, address, pages))
		return MEM_ERROR_RANGE;
	struct entry *from = entry_at(c, address), *to = find_free(c, pages);
	if (to == NULL)
		return MEM_ERROR_NO_SPACE;
	for (uint64_t i = 0; i < pages; i++) {
		if (from[i].kind == ENTRY_STORED && !entry_fetch(m, c, &from[i])) {
			while (i-- > 0)
				entry_clear(m, &to[i]);
			return MEM_ERROR_MEMORY;
		}
		to[i] = from[i];
		if (from[i].kind != ENTRY_PAGE)
			continue;
		page_unmap(m, from[i].index); /* who writes has to ask again */
		m->pages[from[i].index].users++;
	}
	*copy = address_of(c, to);
	return TSS_OK;
}

static tss_status_t on_cache(void *state, struct tss_request *request, uint64_t address, uint64_t pages, bool keep)
{
	const struct client *c = client_of(state, request->badge);
	if (c == NULL || !range_good(c, address, pages))
		return MEM_ERROR_RANGE;
	for (uint64_t i = 0; i < pages; i++)
		entry_at(c, address)[i].cache = !keep;
	return TSS_OK;
}

static tss_status_t on_watch(void *state, struct tss_request *request, cap_t event)
{
	struct client *c = client_of(state, request->badge);
	uint64_t moved = TSS_CAP_NULL, kind = 0;
	bool good = c != NULL && c->attached && tss_capability_inspect(event, &kind) == TSS_OK &&
		    (kind & 0xff) == TSS_TYPE_EVENT && (kind >> 8 & TSS_RIGHT_SIGNAL);
	if (good && c->watcher != TSS_CAP_NULL)
		(void)tss_capability_delete(c->watcher);
	/* Each client has a slot of its own behind the one where they arrive. */
	if (good)
		good = tss_capability_move(event, SLOT_ARRIVAL + 1 + (uint64_t)(c - ((struct mem *)state)->clients),
					   &moved) == TSS_OK;
	if (!good)
		(void)tss_capability_delete(event);
	if (c != NULL && good)
		c->watcher = (cap_t)moved;
	return good ? TSS_OK : MEM_ERROR_EVENT;
}

static tss_status_t on_usage(void *state, struct tss_request *request, uint64_t *present, uint64_t *stored,
			     uint64_t *dropped)
{
	const struct client *c = client_of(state, request->badge);
	if (c == NULL)
		return MEM_ERROR_DETACHED;
	for (uint32_t i = 0; i < c->row->paged; i++) {
		*present += c->entries[i].kind == ENTRY_PAGE;
		*stored += c->entries[i].kind == ENTRY_STORED;
	}
	*dropped = c->dropped;
	return TSS_OK;
}

static tss_status_t on_totals(void *state, struct tss_request *request, uint32_t what, uint64_t *count)
{
	(void)request;
	if (what >= MEM_TOTALS)
		return MEM_ERROR_RANGE;
	*count = ((const struct mem *)state)->totals[what];
	return TSS_OK;
}

tss_status_t client_request(struct mem *m, struct tss_request *request)
{
	static const struct mem_operations operations = {.attach = on_attach,
							 .map = on_map,
							 .unmap = on_unmap,
							 .clone = on_clone,
							 .cache = on_cache,
							 .watch = on_watch,
							 .usage = on_usage,
							 .totals = on_totals};
	return mem_dispatch(&operations, m, request);
}
