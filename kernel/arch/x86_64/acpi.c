/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.c - reads two tables, MADT and HPET, and nothing else of ACPI (specification 6.5, 5.2). Tables lie where the
 * firmware liked, so each is mapped when it is looked at. A table with a bad length or checksum is as good as absent;
 * without a MADT the PC's customary addresses hold.
 */
#include "x86.h"

#define TABLE_MAX (1u << 20)
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2
#define MADT_LAPIC 0
#define MADT_LAPIC_ADDRESS 5
#define MADT_X2APIC 9
#define MADT_CPU_ENABLED 1u
#define DEFAULT_LAPIC 0xfee00000u
#define DEFAULT_IOAPIC 0xfec00000u
#define RSDP_OLD_SIZE 20

struct rsdp {
	char signature[8];
	uint8_t checksum, oem[6], revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct rsdp) == RSDP_SIZE, "layout");

struct table {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum, names[26];
	uint8_t body[];
} __attribute__((packed));
_Static_assert(sizeof(struct table) == 36, "layout");

struct acpi_info acpi_info;

/* A little-endian number of that many bytes; fields lie unaligned. */
static uint64_t get(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;
	__builtin_memcpy(&value, at, size);
	return value;
}

static bool sum_is_zero(const void *data, uint64_t size)
{
	const uint8_t *bytes = data;
	uint8_t sum = 0;
	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

/* The table at `base` if it has that signature and is sound, else NULL. */
static const struct table *table_at(uint64_t base, const char *signature)
{
	const struct table *table = base ? mmu_map_firmware((paddr_t){base}, sizeof(*table)) : NULL;
	if (!table || __builtin_memcmp(table->signature, signature, 4) != 0)
		return NULL;
	uint32_t length = table->length;
	if (length < sizeof(*table) || length > TABLE_MAX || !mmu_map_firmware((paddr_t){base}, length))
		return NULL;
	return sum_is_zero(table, length) ? table : NULL;
}

/* The root table and the size of its entries: XSDT (8 bytes) if there is one, else RSDT (4). */
static const struct table *root_table(unsigned *entry_size)
{
	const struct rsdp *rsdp = (const struct rsdp *)boot_info.machine.rsdp;
	const struct table *xsdt = NULL;
	*entry_size = 4;
	if (__builtin_memcmp(rsdp->signature, "RSD PTR ", 8) != 0 || !sum_is_zero(rsdp, RSDP_OLD_SIZE))
		return NULL;
	if (rsdp->revision >= 2 && sum_is_zero(rsdp, sizeof(*rsdp)))
		xsdt = table_at(rsdp->xsdt, "XSDT");
	if (!xsdt)
		return table_at(rsdp->rsdt, "RSDT");
	*entry_size = 8;
	return xsdt;
}

static const struct table *find_table(const char *signature)
{
	unsigned entry_size;
	const struct table *root = root_table(&entry_size);
	uint64_t room = root ? root->length - sizeof(*root) : 0;
	for (uint64_t at = 0; at + entry_size <= room; at += entry_size) {
		const struct table *table = table_at(get(root->body + at, entry_size), signature);
		if (table)
			return table;
	}
	return NULL;
}

static void add_ioapic(uint64_t base, uint64_t first)
{
	if (acpi_info.ioapic_count < IOAPICS_MAX)
		acpi_info.ioapics[acpi_info.ioapic_count++] = (struct acpi_ioapic){{base}, (uint32_t)first};
}

static void add_cpu(uint64_t apic_id, uint64_t flags)
{
	if (flags & MADT_CPU_ENABLED && acpi_info.cpu_count < CPUS_LISTED)
		acpi_info.cpus[acpi_info.cpu_count++] = (uint32_t)apic_id;
}

/* One MADT structure of `size` bytes; ACPI 5.2.12. */
static void read_madt_entry(const uint8_t *entry, uint64_t size)
{
	if (entry[0] == MADT_IOAPIC && size >= 12)
		add_ioapic(get(entry + 4, 4), get(entry + 8, 4));
	else if (entry[0] == MADT_LAPIC && size >= 8)
		add_cpu(entry[3], get(entry + 4, 4));
	else if (entry[0] == MADT_X2APIC && size >= 16)
		add_cpu(get(entry + 4, 4), get(entry + 8, 4));
	else if (entry[0] == MADT_LAPIC_ADDRESS && size >= 12)
		acpi_info.lapic = (paddr_t){get(entry + 4, 8)};
	else if (entry[0] == MADT_OVERRIDE && size >= 10 && entry[2] == 0 && entry[3] < ISA_LINES) {
		acpi_info.isa[entry[3]].gsi = (uint32_t)get(entry + 4, 4);
		acpi_info.isa[entry[3]].flags = (uint16_t)get(entry + 8, 2);
	}
}

static void read_madt(const struct table *madt)
{
	uint64_t end = madt ? madt->length - sizeof(*madt) : 0;
	if (end < 8)
		return;
	acpi_info.lapic = (paddr_t){get(madt->body, 4)};
	for (uint64_t at = 8, size; at + 2 <= end; at += size) {
		size = madt->body[at + 1];
		if (size < 2 || at + size > end)
			break;
		read_madt_entry(madt->body + at, size);
	}
}

/* IA-PC HPET specification 3.2.4: a generic address structure, of which only memory makes sense. */
static void read_hpet(const struct table *hpet)
{
	if (hpet && hpet->length >= sizeof(*hpet) + 16 && hpet->body[4] == 0)
		acpi_info.hpet = (paddr_t){get(hpet->body + 8, 8)};
}

void acpi_init(void)
{
	acpi_info.lapic = (paddr_t){DEFAULT_LAPIC};
	for (uint32_t line = 0; line < ISA_LINES; line++)
		acpi_info.isa[line].gsi = line;
	read_madt(find_table("APIC"));
	if (acpi_info.ioapic_count == 0) {
		add_ioapic(DEFAULT_IOAPIC, 0);
		acpi_info.isa[0].gsi = 2; /* MultiProcessor specification 1.4, D.3 */
	}
	read_hpet(find_table("HPET"));
}
