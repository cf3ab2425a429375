/* SPDX-License-Identifier: BSD-2-Clause */
/* function.c - a function's registers: silencing it, where its memory is, which address in a manifest fits it. */
#include <abi/abi.h>
#include "pci.h"

#define BAR_PORTS 1u
#define BAR_WIDE 4u /* two registers, 64 bits */
#define PAGES(size) (((size) + TSS_PAGE_SIZE - 1) / TSS_PAGE_SIZE)

/* From here on it neither interrupts nor touches memory by itself. Its own state is as it was. */
void function_stop(const struct function *f)
{
	uint32_t command = config_read(f->place, REGISTER_COMMAND, 2);
	config_write(f->place, REGISTER_COMMAND, 2, (command & ~COMMAND_MASTER) | COMMAND_NO_LINE);
	if (f->msix)
		config_write(f->place, f->msix + 2u, 2, MSIX_MASK_ALL);
}

void function_start(const struct function *f)
{
	uint32_t command = config_read(f->place, REGISTER_COMMAND, 2);
	config_write(f->place, REGISTER_COMMAND, 2, command | COMMAND_MASTER | COMMAND_MEMORY);
}

/* PCI 3.0, 6.2.5.1: bits that cannot be set say how large it is. Nothing is decoded meanwhile. Returns registers used. */
static unsigned measure_bar(struct function *f, unsigned i)
{
	unsigned at = REGISTER_BAR + 4 * i;
	uint32_t low = config_read(f->place, at, 4);
	bool wide = !(low & BAR_PORTS) && (low & 6u) == BAR_WIDE && i + 1 < BARS;
	uint32_t high = wide ? config_read(f->place, at + 4, 4) : 0, high_mask = UINT32_MAX;
	config_write(f->place, at, 4, UINT32_MAX);
	uint32_t low_mask = config_read(f->place, at, 4);
	config_write(f->place, at, 4, low);
	if (wide) {
		config_write(f->place, at + 4, 4, UINT32_MAX);
		high_mask = config_read(f->place, at + 4, 4);
		config_write(f->place, at + 4, 4, high);
	}
	uint64_t mask = (uint64_t)high_mask << 32 | (low_mask & ~0xfu);
	uint64_t base = (uint64_t)high << 32 | (low & ~0xfu), size = ~mask + 1;
	/* What shares a page with others, or has no place yet, is handed out to nobody. */
	bool good = !(low & BAR_PORTS) && low_mask != 0 && base != 0 && (size & (size - 1)) == 0 &&
		    size >= TSS_PAGE_SIZE && base % size == 0;
	f->bars[i].base = base;
	f->bars[i].size = good ? size : 0;
	return wide ? 2 : 1;
}

/* Bytes of a register of the MSI-X capability, as pages of a bar; false: they do not lie in any. */
static bool span_of(const struct function *f, uint32_t where, uint64_t bytes, struct span *span)
{
	uint64_t offset = where & ~7u;
	span->bar = where & 7;
	if (span->bar >= BARS || offset + bytes > f->bars[span->bar].size)
		return false;
	span->first = offset / TSS_PAGE_SIZE;
	span->pages = PAGES(offset % TSS_PAGE_SIZE + bytes);
	return true;
}

void function_measure(struct function *f)
{
	uint32_t command = config_read(f->place, REGISTER_COMMAND, 2);
	config_write(f->place, REGISTER_COMMAND, 2, command & ~(COMMAND_MEMORY | COMMAND_PORTS | COMMAND_MASTER));
	for (unsigned i = 0; i < BARS && (f->header & ~HEADER_MULTIPLE) == 0;)
		i += measure_bar(f, i);
	config_write(f->place, REGISTER_COMMAND, 2, (command & ~COMMAND_MASTER) | COMMAND_MEMORY | COMMAND_NO_LINE);
	if (!f->msix)
		return;
	uint32_t table = config_read(f->place, f->msix + 4u, 4), pending = config_read(f->place, f->msix + 8u, 4);
	f->table_offset = (table & ~7u) % TSS_PAGE_SIZE;
	if (!span_of(f, table, f->vectors * MSIX_ENTRY, &f->table) ||
	    !span_of(f, pending, (f->vectors + 63) / 64 * 8, &f->pending))
		f->vectors = 0;
}

bool which_fits(uint64_t which, const struct function *f)
{
	unsigned vendor = f->identity & 0xffff, device = f->identity >> 16;
	unsigned dropped = 8 * (3 - (unsigned)(which >> 24 & 3));
	switch (which >> 60) {
	case 1:
		return vendor == (which >> 32 & 0xffff) &&
		       (device == (which >> 16 & 0xffff) || device == (which & 0xffff));
	case 2:
		return f->kind >> dropped == (which & 0xffffff) >> dropped;
	case 3:
		return f->place == (which & 0xffff);
	default:
		return false;
	}
}
