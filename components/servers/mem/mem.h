/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.h - what the files of the memory server share: clients with an entry for each page of their region, the pages
 * themselves, and what is counted.
 *
 * A page is a memory object of this unit; several entries may use it after a clone, and then nobody has it writable. The
 * kernel maps a capability derived from it for each of them, so a revoke takes it from all.
 */
#pragma once
#include <tessera/table.h>
#include <interfaces/mem.h>
#include <tessera/tessera.h>
#include <tessera/vm.h>
#include "slots.h"

#define CLIENTS_MAX 64u
#define PAGES_MAX 4000u
#define PLACES_MAX 16384u /* of the store */
#define NEVER_ENDED 255u /* importance */
#define SLOT_ARRIVAL SLOTS_END /* where an event of a client arrives; taken to another slot at once */

enum entry_kind { ENTRY_NONE, ENTRY_ZERO, ENTRY_PAGE, ENTRY_STORED };

struct entry {
	uint32_t kind : 2; /* enum entry_kind */
	uint32_t writable : 1; /* the client may write */
	uint32_t cache : 1; /* may be dropped */
	uint32_t index : 28; /* PAGE: of pages[]; STORED: place */
};

struct client {
	const struct tss_directory_entry *row;
	struct entry *entries; /* row->paged of them; NULL: none */
	cap_t watcher;
	uint64_t dropped;
	bool attached;
};

struct page {
	cap_t memory; /* TSS_CAP_NULL: a free record */
	uint32_t users;
	uint32_t next; /* free records: index + 1 of the next */
};

struct mem {
	struct client clients[CLIENTS_MAX];
	unsigned client_count;
	struct page pages[PAGES_MAX];
	uint32_t free_page; /* index + 1; 0: none */
	uint64_t places; /* of the store */
	uint8_t place_used[PLACES_MAX];
	unsigned hand_client; /* where the search for a page to be paged out goes on */
	uint32_t hand_entry;
	uint64_t totals[MEM_TOTALS];
};

/* page.c */
void pages_init(struct mem *m);
tss_status_t page_new(struct mem *m, uint32_t *index); /* zeros; one user */
tss_status_t page_copy(struct mem *m, uint32_t from, uint32_t *to); /* of its contents */
void page_release(struct mem *m, uint32_t index); /* one user less; nobody has it mapped any more */
void page_unmap(const struct mem *m, uint32_t index);

/* client.c */
bool clients_init(struct mem *m);
struct client *client_of(struct mem *m, uint64_t badge);
bool range_good(const struct client *c, uint64_t address, uint64_t pages); /* in the region, and in use */
struct entry *entry_at(const struct client *c, uint64_t address);
void entry_clear(struct mem *m, struct entry *entry);
void client_clear(struct mem *m, struct client *c);
tss_status_t client_request(struct mem *m, struct tss_request *request);

/* fault.c */
/* Not any more in the store. False: there is no room. */
bool entry_fetch(struct mem *m, const struct client *c, struct entry *entry);
void on_page(void *state, struct tss_request *request);

/* reclaim.c: make room. */
void reclaim_init(struct mem *m);
/* Frees something if there is anything to be freed; `asking` needs it, and is itself ended for it. */
bool reclaim(struct mem *m, const struct client *asking);
void reclaim_low(struct mem *m); /* the kernel says that memory is low */
tss_status_t store_fetch(struct mem *m, uint64_t place, cap_t memory);
void place_free(struct mem *m, uint64_t place);
