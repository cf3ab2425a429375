/* SPDX-License-Identifier: BSD-2-Clause */
/* page.c - pages: memory objects of one page each, counted by those who use them, copied through two windows. */
#include "mem.h"

#define WINDOW_FROM 0x0000006000000000ull
#define WINDOW_TO (WINDOW_FROM + TSS_PAGE_SIZE)

void pages_init(struct mem *m)
{
	for (uint32_t i = 0; i < PAGES_MAX; i++)
		m->pages[i].next = i + 1 < PAGES_MAX ? i + 2 : 0;
	m->free_page = 1;
}

tss_status_t page_new(struct mem *m, uint32_t *index)
{
	uint64_t memory = TSS_CAP_NULL;
	if (m->free_page == 0)
		return TSS_STATUS(TSS_E_MEMORY, 0);
	tss_status_t status = tss_memory_create(TSS_SLOT_UNIT, 1, &memory);
	if (status != TSS_OK)
		return status;
	*index = m->free_page - 1;
	struct page *page = &m->pages[*index];
	m->free_page = page->next;
	*page = (struct page){.memory = (cap_t)memory, .users = 1};
	m->totals[MEM_TOTAL_PRESENT]++;
	return TSS_OK;
}

void page_release(struct mem *m, uint32_t index)
{
	struct page *page = &m->pages[index];
	if (--page->users > 0)
		return;
	while (TSS_CODE(tss_capability_delete(page->memory)) == TSS_E_AGAIN)
		;
	*page = (struct page){.next = m->free_page};
	m->free_page = index + 1;
	m->totals[MEM_TOTAL_PRESENT]--;
}

void page_unmap(const struct mem *m, uint32_t index)
{
	while (TSS_CODE(tss_capability_revoke(m->pages[index].memory)) == TSS_E_AGAIN)
		;
}

tss_status_t page_copy(struct mem *m, uint32_t from, uint32_t *to)
{
	tss_status_t status = page_new(m, to);
	if (status != TSS_OK)
		return status;
	cap_t source = m->pages[from].memory, target = m->pages[*to].memory;
	status = tss_unit_map(TSS_SLOT_UNIT, source, WINDOW_FROM, TSS_RIGHT_READ);
	if (status == TSS_OK)
		status = tss_unit_map(TSS_SLOT_UNIT, target, WINDOW_TO, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	if (status == TSS_OK)
		memcpy((void *)WINDOW_TO, (const void *)WINDOW_FROM, TSS_PAGE_SIZE);
	(void)tss_unit_unmap(TSS_SLOT_UNIT, source);
	(void)tss_unit_unmap(TSS_SLOT_UNIT, target);
	if (status != TSS_OK)
		page_release(m, *to);
	return status;
}
