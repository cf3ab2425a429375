// sources: kernel/arch/x86_64/regions.c
// flags: -Ikernel/arch/x86_64/include -Ikernel/arch/x86_64
/* SPDX-License-Identifier: BSD-2-Clause */
/* test_regions.c - range lists against a plain map of bytes: sorted, merged, and what was added less what was cut. */
#include "check.h"
#include "x86.h"
#include <stdlib.h>
#include <string.h>

#define SPACE 400
#define ROUNDS 2000
#define STEPS 60

static struct boot_region list[BOOT_REGIONS_MAX];
static unsigned count;
static char model[SPACE];

static void compare(void)
{
	char seen[SPACE] = {0};
	for (unsigned i = 0; i < count; i++) {
		CHECK(list[i].size > 0);
		CHECK(i == 0 || list[i - 1].base.raw + list[i - 1].size < list[i].base.raw);
		memset(seen + list[i].base.raw, 1, list[i].size);
	}
	CHECK(memcmp(seen, model, SPACE) == 0);
}

static void step(void)
{
	unsigned base = (unsigned)rand() % SPACE, size = (unsigned)rand() % (rand() % 2 ? 6 : SPACE - base);
	if (size > SPACE - base)
		size = SPACE - base;
	bool add = rand() % 3;
	if (add)
		CHECK(region_add(list, &count, base, base + size));
	else
		region_cut(list, &count, base, base + size);
	memset(model + base, add, size);
	compare();
}

static void test_model(void)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		srand(round);
		memset(model, 0, SPACE);
		count = 0;
		for (unsigned i = 0; i < STEPS; i++)
			step();
	}
}

static void test_full(void)
{
	count = 0;
	for (unsigned i = 0; i < BOOT_REGIONS_MAX; i++)
		CHECK(region_add(list, &count, i * 10, i * 10 + 5));
	CHECK(!region_add(list, &count, 7000, 7001));
	CHECK(region_add(list, &count, 5, 6) && count == BOOT_REGIONS_MAX);
	region_cut(list, &count, 2, 3); /* no room for both sides: the lower stays */
	CHECK(count == BOOT_REGIONS_MAX && list[0].size == 2 && list[1].base.raw == 10);
}

int main(void)
{
	test_model();
	test_full();
	puts("ok 1 regions");
}
