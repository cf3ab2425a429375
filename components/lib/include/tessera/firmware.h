/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firmware.h - what the machine's firmware says of itself, as init read and checked it: the page behind a device
 * `"mmio:facts"`. Whoever gets it sees no more than these numbers; what they stand for is a device of its own
 * (`"mmio:framebuffer"`, `"ioport:pm1a"`, ...), whose slot is empty where the machine has no such thing.
 */
#pragma once
#include <abi/inspect.h>

struct tss_firmware_facts {
	struct tss_framebuffer framebuffer; /* the device begins at the page of `address`; address 0: none */
	uint64_t dsdt; /* physical address, the device begins at its page; 0: none */
	uint32_t dsdt_size; /* bytes that the table claims to have, header included; not believed yet */
	uint16_t pm1a, pm1b, smi, reset; /* ports; 0: none */
	uint8_t acpi_enable; /* written to smi, it makes the firmware hand the power management over; 0: it has already */
	uint8_t reset_value; /* written to reset, it resets the machine */
	uint8_t reserved[2];
};
