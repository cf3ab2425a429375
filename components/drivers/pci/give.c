/* SPDX-License-Identifier: BSD-2-Clause */
/* give.c - pages of a device's memory, interrupts by message, memory for DMA: given out, and taken back. */
#include <interfaces/pci.h>
#include "manager.h"
#include "slots.h"

#define PAGES_MAX 8192u /* of one memory object */
#define ENTRY_LOW 0u /* of an entry of the table, in words; PCI 3.0, 6.8.2.6 */
#define ENTRY_HIGH 1u
#define ENTRY_DATA 2u
#define ENTRY_CONTROL 3u
#define ENTRY_MASKED 1u

/* What was derived from it, wherever it is, goes first. */
static void drop(cap_t *cap)
{
	while (*cap != TSS_CAP_NULL && TSS_CODE(tss_capability_delete(*cap)) == TSS_E_AGAIN)
		;
	*cap = TSS_CAP_NULL;
}

static bool overlap(const struct span *span, uint32_t bar, uint64_t first, uint64_t pages)
{
	return span->bar == bar && span->first < first + pages && first < span->first + span->pages;
}

/* Pages of a bar, as an object that descends from that of the whole bar. */
static tss_status_t slice_of(struct function *f, uint32_t bar, uint64_t first, uint64_t pages, cap_t *memory)
{
	struct bar *b = &f->bars[bar];
	uint64_t all = b->size / TSS_PAGE_SIZE < PAGES_MAX ? b->size / TSS_PAGE_SIZE : PAGES_MAX, handle = 0;
	if (pages == 0 || first >= all || pages > all - first)
		return PCI_ERROR_RANGE;
	if (b->memory == TSS_CAP_NULL) {
		if (tss_memory_device(TSS_SLOT_SYSTEM, b->base, all, &handle) != TSS_OK)
			return PCI_ERROR_MEMORY;
		b->memory = (cap_t)handle;
	}
	if (tss_memory_slice(b->memory, first, pages, &handle) != TSS_OK)
		return PCI_ERROR_MEMORY;
	*memory = (cap_t)handle;
	return TSS_OK;
}

tss_status_t give_region(struct owner *o, uint32_t bar, uint32_t first, uint32_t pages, cap_t *memory)
{
	struct function *f = o->function;
	if (bar >= BARS || o->regions == REGIONS_MAX)
		return PCI_ERROR_RANGE;
	if (f->vectors && (overlap(&f->table, bar, first, pages) || overlap(&f->pending, bar, first, pages)))
		return PCI_ERROR_RESERVED;
	tss_status_t status = slice_of(f, bar, first, pages, memory);
	o->regions += status == TSS_OK;
	return status;
}

/* The table of interrupts is mapped here and in no client: who writes it chooses what memory the device writes. */
static bool map_table(struct owner *o)
{
	const struct span *span = &o->function->table;
	if (o->table != TSS_CAP_NULL)
		return true;
	return slice_of(o->function, span->bar, span->first, span->pages, &o->table) == TSS_OK &&
	       tss_unit_map(TSS_SLOT_UNIT, o->table, (uint64_t)o->entries, TSS_RIGHT_READ | TSS_RIGHT_WRITE) == TSS_OK;
}

static volatile uint32_t *entry_of(const struct owner *o, uint32_t number)
{
	return o->entries + (o->function->table_offset + number * MSIX_ENTRY) / 4;
}

static bool vector_good(const struct owner *o, uint32_t number)
{
	return number < o->row->vectors && number < VECTORS_MAX && number < o->function->vectors;
}

tss_status_t give_vector(struct owner *o, uint32_t number, cap_t *irq)
{
	uint64_t handle = TSS_CAP_NULL;
	if (!vector_good(o, number))
		return PCI_ERROR_RANGE;
	if (!map_table(o))
		return PCI_ERROR_MEMORY;
	entry_of(o, number)[ENTRY_CONTROL] = ENTRY_MASKED;
	drop(&o->irqs[number]);
	tss_status_t status = TSS_STATUS(TSS_E_OCCUPIED, 2);
	for (uint64_t n = TSS_IRQ_MESSAGES; TSS_CODE(status) == TSS_E_OCCUPIED && n < TSS_IRQ_COUNT; n++)
		status = tss_irq_create(TSS_SLOT_SYSTEM, n, &handle);
	if (status != TSS_OK)
		return PCI_ERROR_MEMORY;
	*irq = o->irqs[number] = (cap_t)handle;
	return TSS_OK;
}

tss_status_t arm_vector(struct owner *o, uint32_t number)
{
	uint64_t message = 0;
	if (!vector_good(o, number) || o->irqs[number] == TSS_CAP_NULL)
		return PCI_ERROR_RANGE;
	if (tss_irq_message(TSS_SLOT_SYSTEM, o->irqs[number], &message) != TSS_OK)
		return PCI_ERROR_MEMORY;
	const struct function *f = o->function;
	volatile uint32_t *entry = entry_of(o, number);
	entry[ENTRY_CONTROL] = ENTRY_MASKED;
	entry[ENTRY_LOW] = (uint32_t)(message >> 32);
	entry[ENTRY_HIGH] = 0;
	entry[ENTRY_DATA] = (uint32_t)message;
	for (uint32_t i = 0; i < f->vectors && !(config_read(f->place, f->msix + 2u, 2) & MSIX_ENABLE); i++)
		if (i != number)
			entry_of(o, i)[ENTRY_CONTROL] = ENTRY_MASKED;
	config_write(f->place, f->msix + 2u, 2, MSIX_ENABLE);
	entry[ENTRY_CONTROL] = 0;
	return TSS_OK;
}

tss_status_t give_run(struct owner *o, uint32_t pages, uint64_t *physical, cap_t *memory)
{
	struct run *run = o->runs;
	uint64_t handle = TSS_CAP_NULL;
	while (run < o->runs + RUNS_MAX && run->pages != 0)
		run++;
	if (pages == 0 || pages > o->row->dma_pages - o->dma_pages || run == o->runs + RUNS_MAX)
		return PCI_ERROR_RANGE;
	uint32_t first = pool_take(pages);
	if (first == POOL_NONE)
		return PCI_ERROR_MEMORY;
	if (tss_memory_address(TSS_SLOT_SYSTEM, SLOT_POOL, first, physical) != TSS_OK ||
	    tss_memory_slice(SLOT_POOL, first, pages, &handle) != TSS_OK) {
		pool_give(first, pages);
		return PCI_ERROR_MEMORY;
	}
	memset((uint8_t *)ADDRESS_POOL + first * TSS_PAGE_SIZE, 0, pages * TSS_PAGE_SIZE);
	*run = (struct run){.first = first, .pages = pages, .memory = (cap_t)handle};
	o->dma_pages += pages;
	*memory = run->memory;
	return TSS_OK;
}

static void release(struct owner *o, struct run *run)
{
	drop(&run->memory);
	pool_give(run->first, run->pages);
	o->dma_pages -= run->pages;
	run->pages = 0;
}

tss_status_t take_run(struct owner *o, uint64_t physical)
{
	uint64_t pool = 0;
	(void)tss_memory_address(TSS_SLOT_SYSTEM, SLOT_POOL, 0, &pool);
	for (struct run *run = o->runs; run < o->runs + RUNS_MAX; run++)
		if (run->pages != 0 && pool + run->first * TSS_PAGE_SIZE == physical) {
			release(o, run);
			return TSS_OK;
		}
	return PCI_ERROR_RANGE;
}

void take_back(struct owner *o)
{
	for (unsigned i = 0; i < VECTORS_MAX; i++)
		drop(&o->irqs[i]);
	for (struct run *run = o->runs; run < o->runs + RUNS_MAX; run++)
		if (run->pages != 0)
			release(o, run);
	drop(&o->table);
	o->regions = 0;
	for (unsigned i = 0; i < BARS; i++)
		drop(&o->function->bars[i].memory);
}
