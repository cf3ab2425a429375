/* SPDX-License-Identifier: BSD-2-Clause */
/* device_test.c - requests to the manager of PCI that it refuses, and what remains of a device when it is opened again. */
#include <interfaces/log.h>
#include <interfaces/pci.h>
#include <tessera/device.h>
#include <tessera/tessera.h>
#include "slots.h"

TSS_OUTPUT_TO_LOG(SLOT_LOG)

#define PAGE TSS_PAGE_SIZE
#define MSIX 0x11u

static unsigned held, failed;

static void check(bool good, int line)
{
	held += good;
	failed += !good;
	if (!good)
		printf("line %d\n", line);
}
#define CHECK(condition) check(condition, __LINE__)
#define REFUSED(call, error) CHECK((call) == (error))

static tss_status_t region(cap_t device, uint32_t bar, uint32_t first, uint32_t pages)
{
	cap_t memory = TSS_CAP_NULL;
	tss_ipc()->recv_slots[0] = SLOTS_END + DEVICE_SLOTS;
	tss_status_t status = pci_region(device, bar, first, pages, &memory, TSS_INFINITE);
	tss_ipc()->recv_slots[0] = 0;
	if (status == TSS_OK)
		(void)tss_capability_delete(memory);
	return status;
}

/* A connection that is no device, one whose device is not there or another's: nothing is to be had. */
static void nothing_there(cap_t device, tss_status_t error)
{
	uint32_t a, b, c;
	uint64_t physical;
	cap_t cap;
	REFUSED(pci_open(device, &a, &b, &c, TSS_INFINITE), error);
	REFUSED(pci_read(device, 0, 4, &a, TSS_INFINITE), error);
	REFUSED(region(device, 0, 0, 1), error);
	REFUSED(pci_vector(device, 0, &cap, TSS_INFINITE), error);
	REFUSED(pci_arm(device, 0, TSS_INFINITE), error);
	REFUSED(pci_dma(device, 1, &physical, &cap, TSS_INFINITE), error);
	REFUSED(pci_dma_free(device, 0, TSS_INFINITE), error);
	REFUSED(pci_start(device, TSS_INFINITE), error);
}

static uint32_t config(uint32_t offset, uint32_t width)
{
	uint32_t value = 0;
	CHECK(pci_read(SLOT_CARD, offset, width, &value, TSS_INFINITE) == TSS_OK);
	return value;
}

/* Where the table of interrupts is: nobody writes it but the manager. */
static void table_is_kept(void)
{
	uint32_t at = config(0x34, 1) & 0xfc;
	while (at != 0 && config(at, 1) != MSIX)
		at = config(at + 1, 1) & 0xfc;
	CHECK(at != 0);
	uint32_t table = config(at + 4, 4);
	REFUSED(region(SLOT_CARD, table & 7, (uint32_t)((table & ~7u) / PAGE), 1), PCI_ERROR_RESERVED);
}

static void more_than_there_is(struct device *d)
{
	uint32_t value;
	cap_t irq;
	void *one = NULL, *two = NULL;
	REFUSED(pci_read(SLOT_CARD, 256, 1, &value, TSS_INFINITE), PCI_ERROR_RANGE);
	REFUSED(pci_read(SLOT_CARD, 2, 4, &value, TSS_INFINITE), PCI_ERROR_RANGE);
	REFUSED(pci_read(SLOT_CARD, 0, 3, &value, TSS_INFINITE), PCI_ERROR_RANGE);
	REFUSED(region(SLOT_CARD, 6, 0, 1), PCI_ERROR_RANGE);
	REFUSED(region(SLOT_CARD, 4, 0, 0), PCI_ERROR_RANGE);
	REFUSED(region(SLOT_CARD, 4, 0, 5), PCI_ERROR_RANGE);
	REFUSED(region(SLOT_CARD, 4, UINT32_MAX, 2), PCI_ERROR_RANGE);
	REFUSED(region(SLOT_CARD, 5, 0, 1), PCI_ERROR_RANGE); /* the upper half of the one before */
	REFUSED(pci_vector(SLOT_CARD, 1, &irq, TSS_INFINITE), PCI_ERROR_RANGE);
	REFUSED(pci_arm(SLOT_CARD, 0, TSS_INFINITE), PCI_ERROR_RANGE);
	REFUSED(dma_alloc(d, 4 * PAGE, &one), PCI_ERROR_RANGE);
	CHECK(dma_alloc(d, 2 * PAGE, &one) == TSS_OK);
	REFUSED(dma_alloc(d, 2 * PAGE, &two), PCI_ERROR_RANGE);
	CHECK(virt_to_phys(d, (uint8_t *)one + PAGE + 5) == virt_to_phys(d, one) + PAGE + 5);
	CHECK(virt_to_phys(d, (uint8_t *)one + 2 * PAGE) == 0);
	*(volatile uint64_t *)one = 77;
	uint64_t before = virt_to_phys(d, one);
	REFUSED(pci_dma_free(SLOT_CARD, before + PAGE, TSS_INFINITE), PCI_ERROR_RANGE);
	CHECK(dma_free(d, one) == TSS_OK);
	CHECK(dma_alloc(d, 3 * PAGE, &two) == TSS_OK);
	CHECK(virt_to_phys(d, two) == before && *(volatile uint64_t *)two == 0);
}

/* Places in the manager are bounded as well: somebody who asks for ever harms nobody else. */
static void regions_run_out(void)
{
	unsigned given = 0;
	while (given < 100 && region(SLOT_CARD, 4, 0, 1) == TSS_OK)
		given++;
	CHECK(given > 0 && given < 10);
}

int main(void)
{
	static struct device d;
	void *registers = NULL;
	cap_t irq = TSS_CAP_NULL;
	nothing_there(SLOT_NOTHING, PCI_ERROR_ABSENT);
	nothing_there(SLOT_OTHER, PCI_ERROR_TAKEN);
	uint32_t value;
	REFUSED(pci_read(SLOT_CARD, 0, 4, &value, TSS_INFINITE), PCI_ERROR_CLOSED);
	REFUSED(pci_start(SLOT_CARD, TSS_INFINITE), PCI_ERROR_CLOSED);
	CHECK(device_open(&d, TSS_SLOT_UNIT, SLOT_CARD, SLOTS_END) == TSS_OK);
	table_is_kept();
	more_than_there_is(&d);
	CHECK(map_device(&d, 4, 0, 1, &registers) == TSS_OK);
	CHECK(irq_register(&d, 0, SLOT_EVENT_INTERRUPT, 1, &irq) == TSS_OK);
	CHECK(device_start(&d) == TSS_OK && (config(4, 2) & 4));
	CHECK(irq_unregister(irq, SLOT_EVENT_INTERRUPT) == TSS_OK && TSS_CODE(irq_ack(irq)) == TSS_E_BUSY);
	regions_run_out();
	CHECK(*(volatile uint32_t *)registers != UINT32_MAX);
	CHECK(device_open(&d, TSS_SLOT_UNIT, SLOT_CARD, SLOTS_END) == TSS_OK);
	CHECK(!(config(4, 2) & 4)); /* bus mastering */
	CHECK(TSS_CODE(irq_ack(irq)) == TSS_E_CAPABILITY);
	printf("%u checks held, %u failed\n", held, failed);
	return *(volatile uint8_t *)registers; /* is not there any more */
}
