/* SPDX-License-Identifier: BSD-2-Clause */
/* config.c - configuration mechanism 1: an address register and a window on four bytes. PCI 3.0, 3.2.2.3.2. */
#include <tessera/tessera.h>
#include "pci.h"
#include "slots.h"

#define WINDOW 4u
#define ADDRESS_ENABLE 0x80000000u

static void point(uint16_t place, unsigned offset)
{
	(void)tss_ioport_write(SLOT_CONFIG, 0, 4, ADDRESS_ENABLE | (uint32_t)place << 8 | (offset & 0xfcu));
}

uint32_t config_read(uint16_t place, unsigned offset, unsigned width)
{
	uint64_t value = UINT32_MAX;
	point(place, offset);
	(void)tss_ioport_read(SLOT_CONFIG, WINDOW + (offset & 3), width, &value);
	return (uint32_t)value;
}

void config_write(uint16_t place, unsigned offset, unsigned width, uint32_t value)
{
	point(place, offset);
	(void)tss_ioport_write(SLOT_CONFIG, WINDOW + (offset & 3), width, value);
}
