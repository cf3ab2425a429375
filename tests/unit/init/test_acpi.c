/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/init/acpi.c
// flags: -Icomponents/init
/* test_acpi.c - init's reader of ACPI's tables against forged and changed ones; memory ends where ASan watches. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "acpi.h"

#define ROUNDS 100000u
#define MEMORY_AT 0x10000u
#define MEMORY_SIZE 0x800u
enum { RSDT_AT = 0x000, XSDT_AT = 0x100, FADT_AT = 0x200, DSDT_AT = 0x400, OTHER_AT = 0x500 };

static uint8_t memory[MEMORY_SIZE], rsdp[36];
static uint8_t *window; /* what was mapped last: exactly the bytes asked for */
static struct tss_firmware_facts facts;

static const uint8_t *map(uint64_t address, uint64_t size)
{
	free(window);
	window = NULL;
	if (address < MEMORY_AT || address - MEMORY_AT > MEMORY_SIZE || size > MEMORY_SIZE - (address - MEMORY_AT))
		return NULL;
	window = malloc(size);
	memcpy(window, memory + (address - MEMORY_AT), size);
	return window;
}

static void put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Sets the byte at `hole` so that `size` bytes sum to 0. */
static void sum(uint8_t *bytes, size_t size, size_t hole)
{
	uint8_t total = 0;
	bytes[hole] = 0;
	for (size_t i = 0; i < size; i++)
		total = (uint8_t)(total + bytes[i]);
	bytes[hole] = (uint8_t)-total;
}

static void finish(uint32_t at, const char *signature, uint32_t size)
{
	memcpy(memory + at, signature, 4);
	put(memory + at + 4, size, 4);
	sum(memory + at, size, 9);
}

static void root(uint8_t revision)
{
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = revision;
	put(rsdp + 16, MEMORY_AT + RSDT_AT, 4);
	put(rsdp + 20, 36, 4);
	put(rsdp + 24, MEMORY_AT + XSDT_AT, 8);
	sum(rsdp, 20, 8);
	sum(rsdp, 36, 32);
}

/* Two root tables that list a table nobody wants and the FADT; the FADT is of revision 1 (116 bytes) or newer (244). */
static void forge(uint8_t revision, uint32_t fadt_size)
{
	uint8_t *fadt = memory + FADT_AT;
	memset(memory, 0, sizeof(memory));
	memset(rsdp, 0, sizeof(rsdp));
	root(revision);
	for (unsigned i = 0; i < 2; i++) {
		put(memory + RSDT_AT + 36 + 4 * i, MEMORY_AT + (i ? FADT_AT : OTHER_AT), 4);
		put(memory + XSDT_AT + 36 + 8 * i, MEMORY_AT + (i ? FADT_AT : OTHER_AT), 8);
	}
	finish(RSDT_AT, "RSDT", 36 + 8);
	finish(XSDT_AT, "XSDT", 36 + 16);
	finish(OTHER_AT, "HPET", 56);
	put(fadt + 40, MEMORY_AT + DSDT_AT, 4);
	put(fadt + 48, 0xb2, 4);
	put(fadt + 52, 2, 1);
	put(fadt + 64, 0x604, 4);
	put(fadt + 68, 0x704, 4);
	put(fadt + 112, 1u << 10, 4);
	put(fadt + 116, 0x0801, 4); /* I/O space, 8 bits */
	put(fadt + 120, 0xcf9, 8);
	put(fadt + 128, 0x0f, 1);
	finish(FADT_AT, "FACP", fadt_size);
	finish(DSDT_AT, "DSDT", 40);
}

static void read(void)
{
	facts = (struct tss_firmware_facts){0};
	acpi_read(rsdp, map, &facts);
}

static bool nothing(void)
{
	static const struct tss_firmware_facts empty;
	read();
	return memcmp(&facts, &empty, sizeof(facts)) == 0;
}

static void test_both_revisions(void)
{
	for (uint8_t revision = 0; revision <= 2; revision += 2) {
		forge(revision, 244);
		memcpy(memory + (revision ? RSDT_AT : XSDT_AT), "....", 4); /* the other root is what counts */
		read();
		CHECK(facts.pm1a == 0x604 && facts.pm1b == 0x704 && facts.smi == 0xb2 && facts.acpi_enable == 2);
		CHECK(facts.reset == 0xcf9 && facts.reset_value == 0x0f);
		CHECK(facts.dsdt == MEMORY_AT + DSDT_AT && facts.dsdt_size == 40);
	}
	forge(2, 244);
	memcpy(memory + XSDT_AT, "....", 4);
	read();
	CHECK(facts.pm1a == 0x604); /* a broken XSDT: the RSDT */
	forge(0, 116);
	read();
	CHECK(facts.pm1a == 0x604 && facts.reset == 0 && facts.reset_value == 0); /* too short to have one */
}

static void test_extended_fields(void)
{
	forge(2, 244);
	put(memory + FADT_AT + 140, MEMORY_AT + OTHER_AT, 8);
	put(memory + FADT_AT + 172, 0x1001, 4);
	put(memory + FADT_AT + 176, 0x1804, 8);
	put(memory + FADT_AT + 184, 0x1000, 4); /* in memory, not a port */
	put(memory + FADT_AT + 188, 0x1904, 8);
	finish(FADT_AT, "FACP", 244);
	finish(OTHER_AT, "DSDT", 60);
	read();
	CHECK(facts.pm1a == 0x1804 && facts.pm1b == 0x704);
	CHECK(facts.dsdt == MEMORY_AT + OTHER_AT && facts.dsdt_size == 60);
}

static void test_odd_values(void)
{
	forge(2, 244);
	put(memory + FADT_AT + 64, 0x10604, 4);
	put(memory + FADT_AT + 116, 0x0800, 4);
	memcpy(memory + DSDT_AT, "SSDT", 4);
	finish(FADT_AT, "FACP", 244);
	read();
	CHECK(facts.pm1a == 0 && facts.reset == 0 && facts.dsdt == 0 && facts.dsdt_size == 0);
	CHECK(facts.pm1b == 0x704);
}

static void test_broken_sums(void)
{
	forge(2, 244);
	rsdp[1] = 'X';
	CHECK(nothing());
	forge(2, 244);
	rsdp[8]++;
	CHECK(nothing());
	forge(2, 244);
	memory[FADT_AT + 9]++;
	CHECK(nothing());
	forge(0, 244);
	put(memory + RSDT_AT + 4, ACPI_TABLE_MAX + 1, 4);
	CHECK(nothing());
	forge(0, 244);
	put(memory + RSDT_AT + 4, 35, 4);
	CHECK(nothing());
}

static void test_changed(void)
{
	static const struct {
		uint32_t at, size;
	} tables[] = {{RSDT_AT, 44}, {XSDT_AT, 52}, {FADT_AT, 244}, {DSDT_AT, 40}};
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned which = (unsigned)rand() % 4;
		forge(rand() % 2 ? 2 : 0, rand() % 2 ? 244 : 36 + (uint32_t)rand() % 208);
		for (int n = rand() % 6; n >= 0; n--)
			memory[tables[which].at + (uint32_t)rand() % tables[which].size] = (uint8_t)rand();
		if (rand() % 2)
			sum(memory + tables[which].at, tables[which].size, 9);
		if (rand() % 8 == 0)
			rsdp[rand() % 36] = (uint8_t)rand();
		read();
		CHECK((facts.dsdt == 0) == (facts.dsdt_size == 0) && facts.dsdt_size <= ACPI_TABLE_MAX);
	}
	free(window);
	window = NULL;
}

int main(void)
{
	RUN(test_both_revisions);
	RUN(test_extended_fields);
	RUN(test_odd_values);
	RUN(test_broken_sums);
	RUN(test_changed);
	return tap_end();
}
