/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - what drivers do: interrupts, registers in memory, memory that devices reach by themselves.
 *
 * A device on PCI is a connection (`class: pci` in component.yaml), to the manager of PCI, who is asked for all this; lines
 * and fixed addresses are capabilities that the driver has from the start. Errors are those of system calls and of
 * <interfaces/pci.h>. When a driver starts, or hears PEER_RESTARTED, it opens its device: what it had of it is gone then.
 *
 * The driver's unit maps what it is given, so component.yaml says `self: true`.
 */
#pragma once
#include <tessera/ipc.h>

#define DEVICE_RUNS 4u
struct device {
	cap_t unit, connection;
	uint32_t first_slot, slot; /* empty slots, for what is given; the next of them */
	uint64_t address; /* where the next of it is mapped */
	uint32_t identity; /* device << 16 | vendor */
	struct {
		uint64_t at, physical, size;
		cap_t memory;
	} runs[DEVICE_RUNS];
};
/* `unit`: the driver's own, TSS_SLOT_UNIT. `slot`: from here on DEVICE_SLOTS slots of the unit are empty, SLOTS_END for example. */
#define DEVICE_SLOTS 16u
tss_status_t device_open(struct device *d, cap_t unit, cap_t connection, uint32_t slot);
tss_status_t device_start(const struct device *d); /* from now on it may use memory by itself */
/* One line for each device of the machine, 0 first; *next is 0 after the last. */
tss_status_t device_enum(cap_t connection, uint32_t number, uint32_t *next, char text[120], size_t *size);

/* Pages of the device's memory: from page `first` of base address register `bar`. *at is where they are. */
tss_status_t map_device(struct device *d, uint32_t bar, uint32_t first, uint32_t pages, void **at);

/* Interrupt `number` sets `bits` of the event from now on; *irq is for irq_ack(). */
tss_status_t irq_register(struct device *d, uint32_t number, cap_t event, uint64_t bits, cap_t *irq);
static inline tss_status_t irq_wait(cap_t event, uint64_t timeout_us, uint64_t *bits)
{
	return tss_event_wait(event, timeout_us, bits);
}
static inline tss_status_t irq_ack(cap_t irq)
{
	return tss_irq_ack(irq);
}
static inline tss_status_t irq_unregister(cap_t irq, cap_t event)
{
	return tss_irq_bind(irq, event, 0);
}

/* Cleared memory in a row, mapped at *at. */
tss_status_t dma_alloc(struct device *d, size_t size, void **at);
tss_status_t dma_free(struct device *d, void *at);
/* Where the device finds what is at `at` in memory of dma_alloc(); 0: it is not there. */
uint64_t virt_to_phys(const struct device *d, const void *at);
