/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pressure.c - what happens when memory runs out. `hog` takes all it can get and is ended for it, life after life; `small`
 * has little and is the least important of all; `keeper` must never lose a byte, `cacher` may, but only whole pages of its
 * cache, and must be told.
 */
#include "vm_test.h"

#define WORDS (PAGE / sizeof(uint64_t))
#define KEPT_PAGES 24u
#define ENDS 11u /* ten of hog, one of small */
#define ROUND_US 20000u
#define ROUNDS_MAX 20000u

static uint64_t pattern(uint64_t page, uint64_t word, uint64_t seed)
{
	return (page * WORDS + word + 1) * 0x9e3779b97f4a7c15ull ^ seed;
}

static void fill(volatile uint64_t *at, uint64_t page, uint64_t seed)
{
	for (uint64_t i = 0; i < WORDS; i++)
		at[page * WORDS + i] = pattern(page, i, seed);
}

static bool intact(const volatile uint64_t *at, uint64_t page, uint64_t seed)
{
	for (uint64_t i = 0; i < WORDS; i++)
		if (at[page * WORDS + i] != pattern(page, i, seed))
			return false;
	return true;
}

static bool all_zero(const volatile uint64_t *at, uint64_t page)
{
	for (uint64_t i = 0; i < WORDS; i++)
		if (at[page * WORDS + i] != 0)
			return false;
	return true;
}

static bool over(void)
{
	return total(MEM_TOTAL_ENDED) >= ENDS;
}

void run_hog(void)
{
	uint64_t base = 0, pages = 0;
	CHECK(mem_attach(SLOT_MEMORY, &base, &pages, TSS_INFINITE) == TSS_OK);
	volatile uint64_t *at = map(pages, VM_READ | VM_WRITE);
	for (uint64_t i = 0; i < pages; i++)
		at[i * WORDS] = i;
	printf("got all of it\n");
}

void run_small(void)
{
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	volatile uint64_t *at = map(4, VM_READ | VM_WRITE);
	for (;;) {
		for (uint64_t i = 0; i < 4; i++)
			at[i * WORDS]++;
		(void)tss_self_sleep(ROUND_US);
	}
}

/* Writes its pages anew each round, so that what comes back from the store has to be the latest. */
void run_keeper(void)
{
	uint64_t lost = 0, round = 0, present = 0, stored = 0, dropped = 0;
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	volatile uint64_t *at = map(KEPT_PAGES, VM_READ | VM_WRITE);
	for (uint64_t page = 0; page < KEPT_PAGES; page++)
		fill(at, page, 0);
	for (bool last = false; !last && round < ROUNDS_MAX; round++) {
		last = over();
		for (uint64_t page = 0; page < KEPT_PAGES; page++) {
			lost += !intact(at, page, round);
			fill(at, page, round + 1);
		}
		(void)tss_self_sleep(ROUND_US);
	}
	CHECK(lost == 0);
	CHECK(mem_usage(SLOT_MEMORY, &present, &stored, &dropped, TSS_INFINITE) == TSS_OK);
	CHECK(present + stored == KEPT_PAGES && dropped == 0);
	printf("ended %lu, low %s, out %s, in %s\n", total(MEM_TOTAL_ENDED),
	       total(MEM_TOTAL_LOW) >= 10 ? "often" : "rarely", total(MEM_TOTAL_OUT) > 0 ? "yes" : "no",
	       total(MEM_TOTAL_IN) > 0 ? "yes" : "no");
}

/* A page of the cache is as it was written or all zeros. */
void run_cacher(void)
{
	uint64_t event = 0, bits = 0, lost = 0, told = 0, torn = 0, value = 0, present, stored, dropped = 0;
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	CHECK(tss_event_create(TSS_SLOT_UNIT, &event) == TSS_OK);
	CHECK(mem_watch(SLOT_MEMORY, (cap_t)event, TSS_INFINITE) == TSS_OK);
	volatile uint64_t *at = map(KEPT_PAGES, VM_READ | VM_WRITE);
	CHECK(vm_cache(SLOT_MEMORY, (void *)at, KEPT_PAGES * PAGE) == TSS_OK);
	for (uint64_t page = 0; page < KEPT_PAGES; page++)
		fill(at, page, 1);
	for (uint64_t round = 0; round < ROUNDS_MAX && !over(); round++) {
		for (uint64_t page = 0; page < KEPT_PAGES; page++) {
			if (intact(at, page, 1))
				continue;
			torn += !all_zero(at, page);
			lost++;
			fill(at, page, 1);
		}
		value = tss_event_wait((cap_t)event, ROUND_US, &bits);
		told += value == TSS_OK && bits == 1;
	}
	CHECK(torn == 0);
	CHECK(lost > 0);
	CHECK(told > 0);
	CHECK(mem_usage(SLOT_MEMORY, &present, &stored, &dropped, TSS_INFINITE) == TSS_OK && dropped >= lost);
}
