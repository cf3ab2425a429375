// sources: kernel/arch/x86_64/regions.c
// flags: -Ikernel/arch/x86_64/include -Ikernel/arch/x86_64
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_firmware.c - the loader's information and the ACPI tables: read right when they are right, and when bytes of
 * them are changed at random, a panic or a result, never a step outside them (the sanitizer watches).
 */
#include "check.h"
#include "../../../kernel/arch/x86_64/acpi.c"
#include "../../../kernel/arch/x86_64/multiboot2.c"
#include <setjmp.h>
#include <string.h>

#define ROUNDS 20000
#define MEMORY_SIZE 0x400
#define XSDT_AT 0x80u
#define RSDT_AT 0xc0u
#define MADT_AT 0x100u
#define HPET_AT (MEMORY_SIZE - 52u)

struct boot_info boot_info;
static jmp_buf panicked;
static uint8_t *memory; /* "physical" memory from 0 */

void panic(const char *format, ...)
{
	(void)format;
	longjmp(panicked, 1);
}

const void *mmu_map_firmware(paddr_t base, uint64_t size)
{
	return base.raw < MEMORY_SIZE && size <= MEMORY_SIZE - base.raw ? memory + base.raw : NULL;
}

static const uint32_t information[] = {
	144,         0,  TAG_CMDLINE, 8 + 7,    0x3d6b6f74,  0x006968, /* "tok=hi" */
	TAG_MODULE,  24, 0x200000,    0x201001, 0x6e7562,    0,        TAG_MEMORY, 16 + 3 * 24, 24,       0,
	0x500,       0,  0x9f000,     0,        MEMORY_FREE, 0,        0x100000,   0,           0x700800, 0,
	MEMORY_FREE, 0,  0x300000,    0,        0x1000,      0,        2,          0,           TAG_END,  8,
};
_Static_assert(sizeof(information) == 144, "information");

static bool parse_copy(const uint32_t *words, size_t size)
{
	uint32_t *copy = malloc(size); /* its end is watched */
	bool done = false;
	memcpy(copy, words, size);
	boot_info = (struct boot_info){0};
	if (!setjmp(panicked)) {
		parse(copy, size);
		done = true;
	}
	free(copy);
	return done;
}

static void test_information(void)
{
	CHECK(parse_copy(information, sizeof(information)));
	CHECK(strcmp(boot_info.cmdline, "tok=hi") == 0);
	CHECK(boot_info.bundle.raw == 0x200000 && boot_info.bundle_size == 0x1001);
	CHECK(boot_info.ram_count == 3);
	CHECK(boot_info.ram[0].base.raw == 0x1000 && boot_info.ram[0].size == 0x9e000);
	CHECK(boot_info.ram[1].base.raw == 0x100000 && boot_info.ram[1].size == 0x200000);
	CHECK(boot_info.ram[2].base.raw == 0x301000 && boot_info.ram[2].size == 0x4ff000);
	CHECK(boot_info.reserved_count == 2 && boot_info.reserved[1].size == 0x701000);
}

static void test_information_changed(void)
{
	uint32_t words[COUNT_OF(information)];
	for (unsigned round = 0; round < ROUNDS; round++) {
		memcpy(words, information, sizeof(words));
		for (int n = rand() % 4; n >= 0; n--) {
			size_t at = 2 + (size_t)rand() % (COUNT_OF(words) - 2);
			words[at] = rand() % 2 ? (uint32_t)rand() % 200 : (uint32_t)rand() * 2u;
		}
		parse_copy(words, sizeof(words) - (size_t)(rand() % 3) * 8);
		for (unsigned i = 1; i < boot_info.ram_count; i++)
			CHECK(boot_info.ram[i - 1].base.raw + boot_info.ram[i - 1].size < boot_info.ram[i].base.raw);
	}
}

static uint8_t negative_sum(const uint8_t *bytes, uint64_t size)
{
	uint8_t sum = 0;
	while (size-- > 0)
		sum = (uint8_t)(sum - bytes[size]);
	return sum;
}

static void put_table(uint32_t at, const char *signature, const void *body, uint32_t size)
{
	struct table *table = (struct table *)(memory + at);
	memset(table, 0, sizeof(*table));
	memcpy(table->signature, signature, 4);
	table->length = (uint32_t)sizeof(*table) + size;
	memcpy(table->body, body, size);
	table->checksum = negative_sum(memory + at, table->length);
}

static void sum_table(uint32_t at)
{
	struct table *table = (struct table *)(memory + at);
	table->checksum = 0;
	table->checksum =
		negative_sum(memory + at, table->length <= MEMORY_SIZE - at ? table->length : MEMORY_SIZE - at);
}

static void put_tables(bool new)
{
	static const uint8_t madt[] = {0, 0, 0xe1, 0xfe, 1,    0, 0, 0, 0, 8, 0,  0, 1, 0,  0, 0, 1, 12,   2,
				       0, 0, 0,    0xc1, 0xfe, 0, 0, 0, 0, 2, 10, 0, 9, 20, 0, 0, 0, 0x0d, 0};
	static const uint8_t hpet[] = {0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0xd1, 0xfe, 0, 0, 0, 0};
	struct rsdp *rsdp = (struct rsdp *)boot_info.machine.rsdp;
	put_table(MADT_AT, "APIC", madt, sizeof(madt));
	put_table(HPET_AT, "HPET", hpet, sizeof(hpet));
	put_table(XSDT_AT, "XSDT", (uint64_t[]){HPET_AT, MADT_AT}, 16);
	put_table(RSDT_AT, "RSDT", (uint32_t[]){MADT_AT, HPET_AT}, 8);
	*rsdp = (struct rsdp){.revision = new ? 2 : 0, .rsdt = RSDT_AT, .xsdt = new ? XSDT_AT : 0, .length = 36};
	memcpy(rsdp->signature, "RSD PTR ", 8);
	rsdp->checksum = negative_sum(boot_info.machine.rsdp, RSDP_OLD_SIZE);
	rsdp->extended_checksum = negative_sum(boot_info.machine.rsdp, RSDP_SIZE);
}

static void test_tables(bool new)
{
	acpi_info = (struct acpi_info){0};
	put_tables(new);
	acpi_init();
	CHECK(acpi_info.lapic.raw == 0xfee10000 && acpi_info.hpet.raw == 0xfed10000);
	CHECK(acpi_info.ioapic_count == 1 && acpi_info.ioapics[0].base.raw == 0xfec10000);
	CHECK(acpi_info.isa[9].gsi == 20 && acpi_info.isa[9].flags == 0x0d && acpi_info.isa[1].gsi == 1);
	memory[MADT_AT + 40]++; /* a wrong sum: the defaults hold */
	acpi_info = (struct acpi_info){0};
	acpi_init();
	CHECK(acpi_info.lapic.raw == DEFAULT_LAPIC && acpi_info.isa[0].gsi == 2 && acpi_info.isa[9].gsi == 9);
}

static void test_tables_changed(void)
{
	static const uint32_t tables[] = {XSDT_AT, RSDT_AT, MADT_AT, HPET_AT};
	for (unsigned round = 0; round < ROUNDS; round++) {
		put_tables(rand() % 2);
		for (int n = rand() % 6; n >= 0; n--)
			memory[XSDT_AT + (unsigned)rand() % (MEMORY_SIZE - XSDT_AT)] = (uint8_t)rand();
		for (unsigned i = 0; i < COUNT_OF(tables); i++)
			sum_table(tables[i]);
		acpi_info = (struct acpi_info){0};
		acpi_init();
		CHECK(acpi_info.ioapic_count >= 1 && acpi_info.ioapic_count <= IOAPICS_MAX);
	}
}

int main(void)
{
	memory = calloc(1, MEMORY_SIZE);
	test_information();
	test_information_changed();
	test_tables(false);
	test_tables(true);
	test_tables_changed();
	free(memory);
	puts("ok 1 firmware");
}
