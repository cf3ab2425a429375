/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci.h - what the manager's files share: functions that were found, and whose they are.
 *
 * Numbers of registers are those of the PCI Local Bus Specification 3.0, 6.1 and 6.8, and the PCI-to-PCI Bridge one, 3.2.
 */
#pragma once
#include <stdbool.h>
#include <tessera/table.h>

#define FUNCTIONS_MAX 96u
#define BARS 6u
#define VECTORS_MAX 32u
#define RUNS_MAX 8u /* pieces of DMA memory that a device has at once */
#define REGIONS_MAX 8u /* pieces of its own memory */
#define CAPABILITIES_MAX 48u /* so many fit into 192 bytes */

enum {
	REGISTER_IDENTITY = 0x00,
	REGISTER_COMMAND = 0x04,
	REGISTER_STATUS = 0x06,
	REGISTER_CLASS = 0x08,
	REGISTER_HEADER = 0x0e,
	REGISTER_BAR = 0x10,
	REGISTER_SECONDARY = 0x19,
	REGISTER_CAPABILITIES = 0x34
};
#define COMMAND_PORTS 0x1u
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u
#define COMMAND_NO_LINE 0x400u
#define STATUS_CAPABILITIES 0x10u
#define HEADER_MULTIPLE 0x80u
#define HEADER_BRIDGE 1u
#define CAPABILITY_MSIX 0x11u
#define MSIX_ENABLE 0x8000u
#define MSIX_MASK_ALL 0x4000u
#define MSIX_ENTRY 16u

struct bar {
	uint64_t base, size; /* size 0: there is none that could be handed out */
	cap_t memory;
};
struct span {
	uint32_t bar;
	uint64_t first, pages; /* of that bar */
};
/* One function of a device. */
struct function {
	uint16_t place; /* bus << 8 | device << 3 | function */
	uint32_t identity, kind; /* device << 16 | vendor; class << 16 | subclass << 8 | interface */
	uint8_t header;
	uint8_t msix; /* where that capability is, 0: nowhere */
	uint32_t vectors; /* entries of its table */
	struct span table, pending; /* what nobody but us sees */
	uint64_t table_offset; /* in the first page of `table` */
	struct bar bars[BARS];
	const struct owner *owner;
};
struct run {
	uint32_t first, pages;
	cap_t memory;
};
/* A client's connection. */
struct owner {
	const struct tss_directory_device *row;
	const uint8_t *name; /* of the client */
	struct function *function; /* NULL: this machine does not have it, or it is another's */
	bool open, taken;
	cap_t irqs[VECTORS_MAX];
	cap_t table; /* of interrupts, mapped at `entries` */
	volatile uint32_t *entries;
	struct run runs[RUNS_MAX];
	uint32_t dma_pages, regions;
};

/* config.c: configuration space, by the ports that every PC has. */
uint32_t config_read(uint16_t place, unsigned offset, unsigned width);
void config_write(uint16_t place, unsigned offset, unsigned width, uint32_t value);

/* scan.c: what is there. Touches nothing. */
struct machine {
	unsigned count;
	struct function functions[FUNCTIONS_MAX];
};
void scan(struct machine *machine);
uint8_t find_capability(uint16_t place, uint8_t id);
/* function.c: silent, and its registers measured: what has an owner only. */
void function_stop(const struct function *f);
void function_measure(struct function *f);
void function_start(const struct function *f);
bool which_fits(uint64_t which, const struct function *f);

/* pool.c: pages for DMA, by number. */
#define POOL_NONE UINT32_MAX
uint32_t pool_take(uint32_t pages);
void pool_give(uint32_t first, uint32_t pages);
