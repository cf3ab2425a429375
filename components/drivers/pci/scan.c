/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.c - every function on the bus with number 0, and on those behind its bridges, as the firmware has numbered them.
 * Only reads. Each bus is walked once, wherever bridges say that they lead.
 */
#include <tessera/string.h>
#include "pci.h"

#define NOBODY 0xffffffffu
#define DEVICES 32u
#define FUNCTIONS 8u
#define KIND_BRIDGE 0x0604u

/* A list in the device's own memory: it may run in a circle, or out of what there is. */
uint8_t find_capability(uint16_t place, uint8_t id)
{
	if (!(config_read(place, REGISTER_STATUS, 2) & STATUS_CAPABILITIES))
		return 0;
	uint32_t at = config_read(place, REGISTER_CAPABILITIES, 1) & 0xfc;
	for (unsigned i = 0; i < CAPABILITIES_MAX && at >= 0x40; i++) {
		uint32_t head = config_read(place, at, 2);
		if ((head & 0xff) == id)
			return (uint8_t)at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}

static bool add(struct machine *machine, uint16_t place)
{
	uint32_t identity = config_read(place, REGISTER_IDENTITY, 4);
	if (identity == NOBODY || (identity & 0xffff) == 0 || machine->count == FUNCTIONS_MAX)
		return false;
	struct function *f = &machine->functions[machine->count++];
	memset(f, 0, sizeof(*f));
	f->place = place;
	f->identity = identity;
	f->kind = config_read(place, REGISTER_CLASS, 4) >> 8;
	f->header = (uint8_t)config_read(place, REGISTER_HEADER, 1);
	f->msix = find_capability(place, CAPABILITY_MSIX);
	if (f->msix)
		f->vectors = (config_read(place, f->msix + 2u, 2) & 0x7ff) + 1;
	return true;
}

static void scan_bus(struct machine *machine, unsigned bus)
{
	for (unsigned device = 0; device < DEVICES; device++)
		for (unsigned function = 0; function < FUNCTIONS; function++) {
			bool found = add(machine, (uint16_t)(bus << 8 | device << 3 | function));
			if (function == 0 &&
			    (!found || !(machine->functions[machine->count - 1].header & HEADER_MULTIPLE)))
				break;
		}
}

void scan(struct machine *machine)
{
	static bool walked[256];
	memset(walked, 0, sizeof(walked));
	walked[0] = true;
	machine->count = 0;
	scan_bus(machine, 0);
	/* What is found behind a bridge is at the end of the list, which is walked till there is no more. */
	for (unsigned seen = 0; seen < machine->count; seen++) {
		const struct function *f = &machine->functions[seen];
		unsigned behind = config_read(f->place, REGISTER_SECONDARY, 1);
		bool bridge = (f->header & ~HEADER_MULTIPLE) == HEADER_BRIDGE && f->kind >> 8 == KIND_BRIDGE;
		if (!bridge || walked[behind & 0xff])
			continue;
		walked[behind & 0xff] = true;
		scan_bus(machine, behind);
	}
}
