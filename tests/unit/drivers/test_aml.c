/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/drivers/power/aml.c
// flags: -Icomponents/drivers/power
/* test_aml.c - the soft-off package in forged tables: as compilers write it, cut short, and changed at random. */
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "aml.h"

#define ROUNDS 200000u
#define HEADER 36u

static uint8_t types[2];

/* A table of `size` bytes of code in memory whose end is watched; the caller frees it. */
static uint8_t *table_of(const void *code, size_t size)
{
	uint8_t *table = calloc(1, HEADER + size), sum = 0;
	memcpy(table, "DSDT", 4);
	table[4] = (uint8_t)(HEADER + size);
	memcpy(table + HEADER, code, size);
	for (size_t i = 0; i < HEADER + size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
	return table;
}

static bool finds(const char *code, size_t size)
{
	uint8_t *table = table_of(code, size);
	types[0] = types[1] = 0xff;
	bool found = aml_table_good(table, HEADER + size) && aml_soft_off(table, HEADER + size, types);
	free(table);
	return found;
}
#define FINDS(code) finds(code, sizeof(code) - 1)

static void test_encodings(void)
{
	CHECK(FINDS("xx\x08_S5_\x12\x06\x04\x00\x00\x00\x00") && types[0] == 0 && types[1] == 0); /* QEMU's */
	CHECK(FINDS("xx\x08_S5_\x12\x08\x04\x0a\x05\x0a\x07\x00\x00") && types[0] == 5 && types[1] == 7);
	CHECK(FINDS("xx\x08\\_S5_\x12\x07\x04\x0a\x05\x01\x00\x00") && types[0] == 5 && types[1] == 1);
	CHECK(FINDS("xx\x08_S5_\x12\x47\x00\x02\x0b\x06\x00\x01") && types[0] == 6 &&
	      types[1] == 1); /* 2-byte length */
	CHECK(FINDS("_S5_xx\x08_S5_\x12\x04\x02\x01\x01") && types[0] == 1); /* a mention before the definition */
	CHECK(FINDS("xx\x08_S5_\x12\x0c\x02\x0c\x03\x00\x00\x00\x0c\x02\x00\x00\x00") && types[0] == 3 &&
	      types[1] == 2);
	CHECK(!FINDS("xx\x08_S5_\x12\x0b\x02\x0c\x03\x00\x00\x00\x0c\x02\x00\x00\x00")); /* cuts the second off */
}

static void test_what_is_none(void)
{
	CHECK(!FINDS(""));
	CHECK(!FINDS("xx_S5_\x12\x06\x04\x00\x00\x00\x00")); /* not a definition */
	CHECK(!FINDS("xx\x08_S5_\x11\x06\x04\x00\x00\x00\x00")); /* a buffer */
	CHECK(!FINDS("xx\x08_S5_\x12\x06\x01\x00")); /* longer than the table */
	CHECK(!FINDS("xx\x08_S5_\x12\x03\x01\x00\x00")); /* one element */
	CHECK(!FINDS("xx\x08_S5_\x12\x03\x02\x00\x00")); /* the second beyond the package */
	CHECK(!FINDS("xx\x08_S5_\x12\x05\x02\x0a\x08\x00")); /* a type of four bits */
	CHECK(!FINDS("xx\x08_S5_\x12\x06\x02PTYP")); /* a name */
	CHECK(!FINDS("xx\x08_S5_\x12\xff\xff\xff\xff\x02"));
	CHECK(!FINDS("xx\x08_S5_"));
}

static void test_header(void)
{
	uint8_t *table = table_of("x", 1);
	CHECK(aml_table_good(table, HEADER + 1) && !aml_table_good(table, HEADER) && !aml_table_good(table, 3));
	table[HEADER]++;
	CHECK(!aml_table_good(table, HEADER + 1));
	table[9]--;
	CHECK(aml_table_good(table, HEADER + 1));
	table[4] = 35;
	table[9] += 2;
	CHECK(!aml_table_good(table, HEADER + 1));
	free(table);
}

/* Whatever the bytes are: no read outside (ASan), and never a sleep type that does not fit its three bits. */
static void test_changed(void)
{
	static const char code[] =
		"\x10\x05_SB_xxx\x08_S3_\x12\x06\x04\x01\x01\x00\x00\x08_S5_\x12\x08\x04\x0a\x05\x00\x00";
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t size = sizeof(code) - (size_t)rand() % 12;
		uint8_t *table = table_of(code, size);
		for (int n = rand() % 4; n >= 0; n--)
			table[(size_t)rand() % (HEADER + size)] = (uint8_t)rand();
		(void)aml_table_good(table, HEADER + size);
		types[0] = types[1] = 0;
		(void)aml_soft_off(table, HEADER + size, types);
		CHECK(types[0] <= 7 && types[1] <= 7);
		free(table);
	}
}

int main(void)
{
	RUN(test_encodings);
	RUN(test_what_is_none);
	RUN(test_header);
	RUN(test_changed);
	return tap_end();
}
