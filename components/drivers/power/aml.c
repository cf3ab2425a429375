/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aml.c - finds Name(_S5_, Package{a, b, ...}) in a DSDT (ACPI specification 6.5, 20.2: encoding; 7.4.2.6: meaning).
 *
 * AML is a program; running it takes an interpreter, but in every table the package of the soft-off state is constant,
 * so that its bytes stand there as the compiler wrote them. They are looked for, and a place counts only if everything
 * around it is as a definition has it. Each byte is read through a cursor that knows where the table ends.
 */
#include <tessera/string.h>
#include "aml.h"

#define HEADER_SIZE 36u
#define SLEEP_TYPE_MAX 7u /* three bits */

enum opcode {
	OP_ZERO = 0x00,
	OP_ONE = 0x01,
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_PACKAGE = 0x12,
	OP_QWORD = 0x0e,
	OP_ROOT = 0x5c /* a name may begin with it */
};

struct cursor {
	const uint8_t *at, *end;
	bool good;
};

static uint8_t next(struct cursor *c)
{
	if (c->at == c->end)
		c->good = false;
	return c->good ? *c->at++ : 0;
}

/* PkgLength: how much is left of the package, which must fit; the cursor then ends there. */
static void enter_package(struct cursor *c)
{
	const uint8_t *start = c->at;
	uint8_t lead = next(c);
	unsigned more = lead >> 6;
	size_t length = more == 0 ? lead & 0x3fu : lead & 0xfu;
	for (unsigned i = 0; i < more; i++)
		length |= (size_t)next(c) << (4 + 8 * i);
	if (!c->good || length > (size_t)(c->end - start) || start + length < c->at)
		c->good = false;
	else
		c->end = start + length;
}

/* A constant integer of any width. */
static uint64_t integer(struct cursor *c)
{
	uint8_t op = next(c);
	unsigned size = op == OP_BYTE ? 1 : op == OP_WORD ? 2 : op == OP_DWORD ? 4 : op == OP_QWORD ? 8 : 0;
	uint64_t value = op == OP_ONE;
	if (size == 0 && op != OP_ZERO && op != OP_ONE)
		c->good = false;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)next(c) << 8 * i;
	return value;
}

/* Does the package behind the name hold two sleep types? */
static bool read_package(struct cursor c, uint8_t types[2])
{
	uint64_t values[2];
	if (next(&c) != OP_PACKAGE)
		return false;
	enter_package(&c);
	if (next(&c) < 2)
		return false;
	for (unsigned i = 0; i < 2; i++)
		values[i] = integer(&c);
	if (!c.good || values[0] > SLEEP_TYPE_MAX || values[1] > SLEEP_TYPE_MAX)
		return false;
	types[0] = (uint8_t)values[0];
	types[1] = (uint8_t)values[1];
	return true;
}

bool aml_table_good(const uint8_t *table, size_t size)
{
	uint8_t sum = 0;
	if (size < HEADER_SIZE || memcmp(table, "DSDT", 4) != 0)
		return false;
	size_t length = table[4] | (size_t)table[5] << 8 | (size_t)table[6] << 16 | (size_t)table[7] << 24;
	if (length < HEADER_SIZE || length > size)
		return false;
	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + table[i]);
	return sum == 0;
}

bool aml_soft_off(const uint8_t *table, size_t size, uint8_t types[2])
{
	for (size_t i = HEADER_SIZE + 2; i + 4 < size; i++) {
		if (table[i] != '_' || memcmp(table + i, "_S5_", 4) != 0)
			continue;
		bool named = table[i - 1] == OP_NAME || (table[i - 1] == OP_ROOT && table[i - 2] == OP_NAME);
		if (named && read_package((struct cursor){table + i + 4, table + size, true}, types))
			return true;
	}
	return false;
}
