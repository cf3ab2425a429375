/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.c - root pointer, root table, FADT, and where the DSDT lies (ACPI specification 6.5, 5.2.5 to 5.2.11).
 *
 * The tables are the firmware's, and broken ones are met with: nothing is read past a length that was checked, a bad
 * checksum or an odd address makes a table or a field absent. Tables lie unaligned, so they are read byte by byte.
 */
#include <stdbool.h>
#include <tessera/string.h>
#include "acpi.h"

#define HEADER_SIZE 36u
#define RSDP_OLD_SIZE 20u
#define RSDP_SIZE 36u
#define ROOT_ENTRIES_MAX 64u
#define SPACE_IO 1u /* a generic address structure's first byte, 5.2.3.2 */

/* Offsets in the FADT, table 5.9. */
enum fadt {
	FADT_DSDT = 40,
	FADT_SMI = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A = 64,
	FADT_PM1B = 68,
	FADT_FLAGS = 112,
	FADT_RESET = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A = 172,
	FADT_X_PM1B = 184
};
#define FLAG_RESET (1u << 10)

/* A table in reach: its bytes stay valid until the next one is looked at. */
struct view {
	const uint8_t *bytes;
	uint32_t size;
};

static uint64_t number(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;
	while (size-- > 0)
		value = value << 8 | at[size];
	return value;
}

static bool sum_is_zero(const uint8_t *bytes, uint32_t size)
{
	uint8_t sum = 0;
	while (size-- > 0)
		sum = (uint8_t)(sum + bytes[size]);
	return sum == 0;
}

/* A field of a table that may be too short to have it: then 0. */
static uint64_t field(const struct view *view, uint32_t offset, unsigned size)
{
	return offset + size <= view->size ? number(view->bytes + offset, size) : 0;
}

/* The size that the header at `address` claims, 0 if there is no header of that signature. */
static uint32_t claimed_size(acpi_map_t *map, uint64_t address, const char *signature)
{
	const uint8_t *header = address != 0 ? map(address, HEADER_SIZE) : NULL;
	if (header == NULL || memcmp(header, signature, 4) != 0)
		return 0;
	uint64_t size = number(header + 4, 4);
	return size >= HEADER_SIZE && size <= ACPI_TABLE_MAX ? (uint32_t)size : 0;
}

static bool view_table(acpi_map_t *map, uint64_t address, const char *signature, struct view *view)
{
	view->size = claimed_size(map, address, signature);
	view->bytes = view->size != 0 ? map(address, view->size) : NULL;
	return view->bytes != NULL && sum_is_zero(view->bytes, view->size);
}

/* The addresses that the root table lists: the XSDT's if there is one, else the RSDT's. */
static unsigned root_entries(const uint8_t *rsdp, acpi_map_t *map, uint64_t entries[ROOT_ENTRIES_MAX])
{
	struct view view;
	unsigned size = 8, count = 0;
	if (memcmp(rsdp, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_OLD_SIZE))
		return 0;
	bool extended = rsdp[15] >= 2 && sum_is_zero(rsdp, RSDP_SIZE);
	if (!extended || !view_table(map, number(rsdp + 24, 8), "XSDT", &view)) {
		size = 4;
		if (!view_table(map, number(rsdp + 16, 4), "RSDT", &view))
			return 0;
	}
	for (uint32_t at = HEADER_SIZE; at + size <= view.size && count < ROOT_ENTRIES_MAX; at += size)
		entries[count++] = number(view.bytes + at, size);
	return count;
}

/* An I/O port from the extended field, if the table has a sensible one there, else from the old field. */
static uint16_t port(const struct view *fadt, uint32_t old, uint32_t extended)
{
	uint64_t address = field(fadt, extended + 4, 8);
	if (field(fadt, extended, 1) == SPACE_IO && address != 0 && address <= 0xffff)
		return (uint16_t)address;
	address = old != 0 ? field(fadt, old, 4) : 0;
	return address <= 0xffff ? (uint16_t)address : 0;
}

static void read_fadt(const struct view *fadt, struct tss_firmware_facts *facts)
{
	facts->dsdt = field(fadt, FADT_X_DSDT, 8) != 0 ? field(fadt, FADT_X_DSDT, 8) : field(fadt, FADT_DSDT, 4);
	facts->pm1a = port(fadt, FADT_PM1A, FADT_X_PM1A);
	facts->pm1b = port(fadt, FADT_PM1B, FADT_X_PM1B);
	facts->smi = field(fadt, FADT_SMI, 4) <= 0xffff ? (uint16_t)field(fadt, FADT_SMI, 4) : 0;
	facts->acpi_enable = (uint8_t)field(fadt, FADT_ACPI_ENABLE, 1);
	if (field(fadt, FADT_FLAGS, 4) & FLAG_RESET)
		facts->reset = port(fadt, 0, FADT_RESET);
	facts->reset_value = (uint8_t)field(fadt, FADT_RESET_VALUE, 1);
}

void acpi_read(const uint8_t *rsdp, acpi_map_t *map, struct tss_firmware_facts *facts)
{
	uint64_t entries[ROOT_ENTRIES_MAX];
	struct view fadt;
	unsigned count = root_entries(rsdp, map, entries);
	for (unsigned i = 0; i < count; i++) {
		if (!view_table(map, entries[i], "FACP", &fadt))
			continue;
		read_fadt(&fadt, facts);
		facts->dsdt_size = claimed_size(map, facts->dsdt, "DSDT");
		if (facts->dsdt_size == 0)
			facts->dsdt = 0;
		return;
	}
}
