/* SPDX-License-Identifier: BSD-2-Clause */
/* device.c - the calls of tessera/device.h: what the manager of PCI gives, received, mapped and remembered. */
#include <interfaces/pci.h>
#include <tessera/device.h>

#define SPACE 0x0000000600000000ull /* what is given is mapped from here up, with a free page behind each */

/* Where the next capability arrives. False: there is no slot left for it. */
static bool expect(struct device *d)
{
	if (d->slot == d->first_slot + DEVICE_SLOTS)
		return false;
	tss_ipc()->recv_slots[0] = d->slot;
	tss_ipc()->recv_slots[1] = 0;
	return true;
}

/* It came, or not: no slot is offered to anybody any more. */
static tss_status_t arrived(struct device *d, tss_status_t status)
{
	tss_ipc()->recv_slots[0] = 0;
	d->slot += status == TSS_OK;
	return status;
}

static tss_status_t map(struct device *d, cap_t memory, uint64_t pages, void **at)
{
	tss_status_t status = tss_unit_map(d->unit, memory, d->address, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	*at = (void *)d->address;
	d->address += (pages + 1) * TSS_PAGE_SIZE;
	return status;
}

tss_status_t device_open(struct device *d, cap_t unit, cap_t connection, uint32_t slot)
{
	uint32_t kind, place;
	*d = (struct device){
		.unit = unit, .connection = connection, .first_slot = slot, .slot = slot, .address = SPACE};
	return pci_open(connection, &d->identity, &kind, &place, TSS_INFINITE);
}

tss_status_t device_start(const struct device *d)
{
	return pci_start(d->connection, TSS_INFINITE);
}

tss_status_t device_enum(cap_t connection, uint32_t number, uint32_t *next, char text[120], size_t *size)
{
	return pci_list(connection, number, next, text, PCI_LIST_TEXT_MAX, size, TSS_INFINITE);
}

tss_status_t map_device(struct device *d, uint32_t bar, uint32_t first, uint32_t pages, void **at)
{
	cap_t memory = TSS_CAP_NULL;
	if (!expect(d))
		return TSS_STATUS(TSS_E_MEMORY, 0);
	tss_status_t status = arrived(d, pci_region(d->connection, bar, first, pages, &memory, TSS_INFINITE));
	return status == TSS_OK ? map(d, memory, pages, at) : status;
}

tss_status_t irq_register(struct device *d, uint32_t number, cap_t event, uint64_t bits, cap_t *irq)
{
	if (!expect(d))
		return TSS_STATUS(TSS_E_MEMORY, 0);
	tss_status_t status = arrived(d, pci_vector(d->connection, number, irq, TSS_INFINITE));
	if (status == TSS_OK)
		status = tss_irq_bind(*irq, event, bits);
	return status == TSS_OK ? pci_arm(d->connection, number, TSS_INFINITE) : status;
}

tss_status_t dma_alloc(struct device *d, size_t size, void **at)
{
	uint64_t pages = (size + TSS_PAGE_SIZE - 1) / TSS_PAGE_SIZE;
	unsigned run = 0;
	while (run < DEVICE_RUNS && d->runs[run].size != 0)
		run++;
	if (run == DEVICE_RUNS || pages > UINT32_MAX || !expect(d))
		return TSS_STATUS(TSS_E_MEMORY, 0);
	uint64_t physical = 0;
	cap_t memory = TSS_CAP_NULL;
	tss_status_t status = arrived(d, pci_dma(d->connection, (uint32_t)pages, &physical, &memory, TSS_INFINITE));
	if (status == TSS_OK)
		status = map(d, memory, pages, at);
	if (status != TSS_OK)
		return status;
	d->runs[run].at = (uint64_t)*at;
	d->runs[run].physical = physical;
	d->runs[run].size = pages * TSS_PAGE_SIZE;
	d->runs[run].memory = memory;
	return TSS_OK;
}

tss_status_t dma_free(struct device *d, void *at)
{
	for (unsigned run = 0; run < DEVICE_RUNS; run++)
		if (d->runs[run].size != 0 && d->runs[run].at == (uint64_t)at) {
			d->runs[run].size = 0;
			return pci_dma_free(d->connection, d->runs[run].physical, TSS_INFINITE);
		}
	return TSS_STATUS(TSS_E_ARGUMENT, 2);
}

uint64_t virt_to_phys(const struct device *d, const void *at)
{
	for (unsigned run = 0; run < DEVICE_RUNS; run++)
		if ((uint64_t)at - d->runs[run].at < d->runs[run].size)
			return d->runs[run].physical + ((uint64_t)at - d->runs[run].at);
	return 0;
}
