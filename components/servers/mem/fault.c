/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.c - a page is asked for. What the founding documents call kern_vm_fault: the kernel forwards, this server decides.
 *
 *   nothing was mapped there           give up: a fault like any other
 *   zeros that nobody has touched      a new page
 *   a page                             mapped; for writing with others who use it: a copy first
 *   paged out                          a new page, filled from the store
 *
 * A page that others use, too, is mapped for reading only. An answer to the same question twice is the same answer, so it
 * does no harm when two threads of a client ask at once.
 */
#include "mem.h"

/* A page for entry; again and again, as long as room can be made. */
static tss_status_t supply(struct mem *m, const struct client *c, struct entry *entry, bool write)
{
	while (entry->kind != ENTRY_NONE) { /* room may have been made of the client's own */
		uint32_t index = entry->index;
		bool copy = entry->kind == ENTRY_PAGE && write && m->pages[index].users > 1;
		tss_status_t status = entry->kind == ENTRY_PAGE && !copy ? TSS_OK
				      : copy                             ? page_copy(m, entry->index, &index)
									 : page_new(m, &index);
		if (status != TSS_OK) {
			if (!reclaim(m, c))
				return status;
			continue;
		}
		if (entry->kind == ENTRY_STORED) {
			status = store_fetch(m, entry->index, m->pages[index].memory);
			if (status != TSS_OK) {
				page_release(m, index);
				return status;
			}
			place_free(m, entry->index);
		}
		if (copy)
			page_release(m, entry->index);
		m->totals[MEM_TOTAL_COPIED] += copy;
		m->totals[MEM_TOTAL_ZEROED] += entry->kind == ENTRY_ZERO;
		m->totals[MEM_TOTAL_IN] += entry->kind == ENTRY_STORED;
		entry->kind = ENTRY_PAGE;
		entry->index = index & 0xfffffff;
		return TSS_OK;
	}
	return TSS_STATUS(TSS_E_GONE, 0);
}

bool entry_fetch(struct mem *m, const struct client *c, struct entry *entry)
{
	return supply(m, c, entry, false) == TSS_OK;
}

void on_page(void *state, struct tss_request *request)
{
	struct mem *m = state;
	const struct client *c = client_of(m, request->badge);
	uint64_t address = request->words[0], access = request->words[1];
	m->totals[MEM_TOTAL_FAULTS]++;
	if (c == NULL || !range_good(c, address, 1))
		return;
	struct entry *entry = entry_at(c, address);
	bool write = access == TSS_RIGHT_WRITE;
	if (access == TSS_RIGHT_EXECUTE || (write && !entry->writable))
		return;
	if (supply(m, c, entry, write) != TSS_OK) {
		if (c->attached) /* or it is the one that was ended for it */
			printf("no page for %.16s at %#lx\n", (const char *)c->row->client, address);
		return;
	}
	const struct page *page = &m->pages[entry->index];
	request->tag = TSS_TAG(TSS_FAULT_RESUME, 16, 1);
	request->words[1] = TSS_RIGHT_READ | (entry->writable && page->users == 1 ? TSS_RIGHT_WRITE : 0u);
	tss_ipc()->send_caps[0] = page->memory;
}
