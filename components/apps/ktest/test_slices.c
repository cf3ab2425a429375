/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_slices.c - calls that the kernel carries out in slices: others run in between, and whoever is ended there, or
 * comes to an end that is none, leaves nothing behind. That nothing is left is seen by the usage behind each test.
 */
#include "ktest.h"

#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)
#define LARGE 1200u /* pages: two tables of frames in a row, and one that is not */
#define FAR_AT 0x500000000000ull
#define IN_THE_MIDDLE 200u /* microseconds; a slice takes about 10 where the clock is counted */

static void make(struct worker *self)
{
	uint64_t memory = 0;
	self->status = tss_memory_create(SELF, self->a, &memory);
	self->got[0] = memory;
}

static void map(struct worker *self)
{
	self->status = tss_unit_map(SELF, (cap_t)self->a, self->b, RW);
}

/* Somewhere in the middle of a worker's call, and on time; false: it was faster, or the clock is not counted. */
static bool interrupted(struct worker *worker, uint64_t us)
{
	uint64_t start = now();
	(void)tss_self_sleep(us);
	if (clock_is_counted())
		CHECK_TRUE(now() - start < us + 2 * TICK);
	return !worker->done;
}

/* Is it sealed, as memory is until it is whole? */
static bool is_sealed(cap_t memory)
{
	uint64_t copy = 0;
	tss_status_t status = tss_capability_derive(memory, 0, &copy);
	if (status == TSS_OK)
		CHECK_OK(tss_capability_delete((cap_t)copy));
	return status == E(BUSY, 1);
}

/* The half-made memory is in a slot that nobody was told of. */
static cap_t half_made(void)
{
	const struct tss_inspect_capability *record = (const struct tss_inspect_capability *)tss_ipc()->recv;
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0, id = 0;
	cap_t found = TSS_CAP_NULL;
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
		if (strcmp((const char *)unit->name, "ktest") == 0)
			id = unit->id;
	} while (next && !id);
	for (next = 0;;) {
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, next, id, &next) != TSS_OK)
			break;
		cap_t cap = (cap_t)(record->slot | record->generation << 16);
		if (record->type == TSS_TYPE_MEMORY && is_sealed(cap))
			found = cap;
		if (!next)
			break;
	}
	return found;
}

static void test_large_memory_is_made_beside_others(void)
{
	struct worker *worker = work(LOW, make, LARGE, 0);
	bool halfway = interrupted(worker, IN_THE_MIDDLE);
	CHECK_TRUE(halfway || !clock_is_counted());
	CHECK_TRUE(joined(worker));
	CHECK_OK(worker->status);
	own((cap_t)worker->got[0]);
	CHECK_OK(tss_unit_map(SELF, (cap_t)worker->got[0], FAR_AT, RW));
	for (uint64_t page = 0; page < LARGE; page++)
		for (uint64_t word = 0; word < 512; word += 73)
			CHECK(((const uint64_t *)FAR_AT)[page * 512 + word], 0);
	CHECK_OK(tss_unit_unmap(SELF, (cap_t)worker->got[0]));
	CHECK_OK(tss_unit_map(SELF, (cap_t)worker->got[0], FAR_AT + TSS_PAGE_SIZE, RW));
	spent(5, 0); /* tables, which stay: here for the tests below, too */
}

/* What its thread leaves half-made can be deleted; nothing else can be done with it before. */
static void test_memory_that_is_not_whole(void)
{
	struct worker *worker = work(LOW, make, LARGE, 0);
	bool halfway = interrupted(worker, IN_THE_MIDDLE);
	cap_t memory = halfway ? half_made() : (cap_t)worker->got[0];
	CHECK_TRUE(memory != TSS_CAP_NULL);
	if (halfway) {
		CHECK(tss_unit_map(SELF, memory, FAR_AT, RW), E(BUSY, 2));
		CHECK(tss_memory_seal(memory), E(ARGUMENT, 1));
	}
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	CHECK_OK(destroy(memory));
}

/* The end of a unit takes what it has half-made, and its budget is whole again. */
static void test_maker_ends_with_its_unit(void)
{
	struct child child = child_new(LOW, make, 24, 0);
	child_go(&child);
	(void)tss_self_sleep(20);
	CHECK_OK(tss_unit_kill(child.unit, 1));
	CHECK_OK(destroy(child.unit));
	disown(child.unit);
}

/* All or nothing, though it is found out only at the last page and undone in slices. */
static void test_map_that_fails_late(void)
{
	cap_t memory = new_memory(LARGE), one = new_memory(1);
	CHECK_OK(tss_unit_map(SELF, one, FAR_AT + LARGE * TSS_PAGE_SIZE, RW));
	CHECK(tss_unit_map(SELF, memory, FAR_AT + TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	CHECK(tss_unit_unmap(SELF, memory), E(ARGUMENT, 2));
	CHECK_OK(tss_unit_map(SELF, new_memory(LARGE - 1), FAR_AT + TSS_PAGE_SIZE, RW));
}

/* The mapper is ended in the middle: what is mapped so far is seen to be, and can be undone. */
static void test_mapper_ends_in_the_middle(void)
{
	cap_t memory = new_memory(LARGE), other = new_memory(LARGE);
	struct worker *worker = worker_new(LOW, map, memory, FAR_AT + TSS_PAGE_SIZE);
	worker_go(worker);
	bool halfway = interrupted(worker, IN_THE_MIDDLE / 2);
	CHECK_TRUE(halfway || !clock_is_counted());
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	CHECK(tss_unit_map(SELF, other, FAR_AT + TSS_PAGE_SIZE, RW), E(OCCUPIED, 3));
	if (halfway)
		CHECK(tss_unit_map(SELF, memory, FAR_AT, RW), E(BUSY, 2));
	CHECK_OK(tss_unit_unmap(SELF, memory));
	CHECK_OK(tss_unit_map(SELF, other, FAR_AT + TSS_PAGE_SIZE, RW));
}

/* Of what is deleted slice by slice nobody sees a page that is another's by now. */
static void test_delete_of_mapped_memory(void)
{
	cap_t memory = new_memory(LARGE);
	CHECK_OK(tss_unit_map(SELF, memory, FAR_AT + TSS_PAGE_SIZE, RW));
	CHECK(tss_capability_delete(memory), E(AGAIN, 1));
	CHECK_OK(tss_unit_map(SELF, memory, FAR_AT + TSS_PAGE_SIZE, RW));
	CHECK_OK(destroy(memory));
	disown(memory);
	CHECK_OK(tss_unit_map(SELF, new_memory(LARGE), FAR_AT + TSS_PAGE_SIZE, RW));
}

/* What is shared lies behind more capabilities than are looked at in one slice. */
static void test_mode_sees_what_is_shared_far_away(void)
{
	uint64_t unit = 0, first = 0;
	cap_t port = new_port(1), memory = new_memory(1), theirs = new_memory(1);
	CHECK_OK(tss_unit_create(SELF, 64, 1024, 0, 0, &unit));
	own((cap_t)unit);
	CHECK_OK(tss_connection_create(port, (cap_t)unit, 1, 0, &first));
	own((cap_t)first);
	for (unsigned slot = 16; slot < 700; slot++)
		CHECK_OK(tss_unit_install((cap_t)unit, slot, memory, RW, TSS_INSTALL_COPY));
	CHECK(tss_capability_set_mode((cap_t)first, 1), E(BUSY, 1));
	CHECK_OK(destroy(memory));
	disown(memory);
	for (unsigned slot = 16; slot < 1000; slot++)
		CHECK_OK(tss_unit_install((cap_t)unit, slot, port, 0, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_install((cap_t)unit, 1001, theirs, RW, TSS_INSTALL_COPY));
	CHECK(tss_capability_set_mode((cap_t)first, 1), E(BUSY, 1));
	CHECK_OK(destroy(theirs));
	disown(theirs);
	CHECK_OK(tss_capability_set_mode((cap_t)first, 1));
}

const struct test slice_tests[] = {
	TEST(large_memory_is_made_beside_others), TEST(memory_that_is_not_whole),
	TEST(maker_ends_with_its_unit),           TEST(map_that_fails_late),
	TEST(mapper_ends_in_the_middle),          TEST(delete_of_mapped_memory),
	TEST(mode_sees_what_is_shared_far_away),  {0},
};
