/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/servers/name/names.c
// flags: -Icomponents/servers/name
/* test_names.c - the name server's table against a simple model: owners, shares, entries that die. */
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "names.h"

#define ROUNDS 100000u
#define THINGS 64u
#define TEXTS 48u
#define OWNERS 10u

static bool living[THINGS];
static unsigned held; /* things that the table has taken over and not dropped */
static struct names table;

static bool alive(uint64_t thing)
{
	return living[thing];
}

static void drop(uint64_t thing)
{
	living[thing] = false;
	held--;
}

static void fresh(void)
{
	memset(&table, 0, sizeof(table));
	memset(living, 0, sizeof(living));
	table.alive = alive;
	table.drop = drop;
	held = 0;
}

static void test_valid(void)
{
	CHECK(names_valid("a", 1) && names_valid("disk0.part-1_x", 14));
	CHECK(names_valid("abcdefghijklmnopqrstuvwxyz01234", 31) &&
	      !names_valid("abcdefghijklmnopqrstuvwxyz012345", 32));
	CHECK(!names_valid("", 0) && !names_valid("A", 1) && !names_valid("0a", 2) && !names_valid("a\0b", 3));
	CHECK(!names_valid("a\x80", 2) && !names_valid("a ", 2) && !names_valid("a/", 2));
}

/* A prefix is another name, and so is what goes on. */
static void test_whole_names(void)
{
	fresh();
	living[1] = true;
	CHECK(names_add(&table, "abc", 3, 1, 1) == NAMES_OK);
	CHECK(names_find(&table, "abc", 3) != NULL);
	CHECK(names_find(&table, "ab", 2) == NULL && names_find(&table, "abcd", 4) == NULL);
}

static uint64_t spare_thing(void)
{
	for (uint64_t i = 0; i < THINGS; i++) {
		bool used = false;
		for (unsigned n = 0; n < NAMES_MAX; n++)
			used |= table.names[n].text[0] != '\0' && table.names[n].thing == i;
		if (!used)
			return i;
	}
	return 0;
}

static unsigned owned_by(uint64_t owner)
{
	unsigned count = 0;
	for (unsigned n = 0; n < NAMES_MAX; n++)
		count +=
			table.names[n].text[0] != '\0' && living[table.names[n].thing] && table.names[n].owner == owner;
	return count;
}

static void one_step(void)
{
	char text[2] = {(char)('a' + rand() % 24), (char)('0' + rand() % (TEXTS / 24))};
	uint64_t owner = 1 + (uint64_t)rand() % OWNERS, thing = spare_thing();
	const struct name *before = names_find(&table, text, 2);
	bool mine = before != NULL && before->owner == owner, others = before != NULL && !mine;
	enum names_result result;
	switch (rand() % 4) {
	case 0:
	case 1:
		living[thing] = true;
		result = names_add(&table, text, 2, owner, thing);
		held += result == NAMES_OK;
		CHECK((result == NAMES_TAKEN) == others);
		CHECK(result != NAMES_FULL ||
		      (before == NULL && (owned_by(owner) == NAMES_SHARE || held == NAMES_MAX)));
		CHECK(result != NAMES_OK || names_find(&table, text, 2)->thing == thing);
		break;
	case 2:
		result = names_remove(&table, text, 2, owner);
		CHECK(result == (mine ? NAMES_OK : others ? NAMES_TAKEN : NAMES_ABSENT));
		break;
	default:
		living[rand() % (int)THINGS] = false;
	}
	CHECK(owned_by(owner) <= NAMES_SHARE);
}

static void test_random(void)
{
	fresh();
	for (unsigned round = 0; round < ROUNDS; round++)
		one_step();
	unsigned count = 0;
	for (size_t at = names_next(&table, 0); at < NAMES_MAX; at = names_next(&table, at + 1))
		count++;
	CHECK(count == held && names_next(&table, UINT64_MAX) == NAMES_MAX);
}

int main(void)
{
	RUN(test_valid);
	RUN(test_whole_names);
	RUN(test_random);
	return tap_end();
}
