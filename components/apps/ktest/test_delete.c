/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_delete.c - deleting units: whatever state they are in, what they held and paid for comes back (each test ends
 * with the usage it began with), and whoever depended on them is told.
 */
#include "ktest.h"

#define ROUNDS 200u
#define SMALL_PAGES 24
#define SLOT 20

static cap_t small_unit(cap_t parent)
{
	uint64_t unit = 0;
	CHECK_OK(tss_unit_create(parent, SMALL_PAGES, 64, 0, 0, &unit));
	return own((cap_t)unit);
}

static bool stale(cap_t cap)
{
	return tss_capability_inspect(cap, NULL) == E(CAPABILITY, 1);
}

static uint64_t free_pages(void)
{
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_MEMORY, 0, 0, NULL));
	return ((const struct tss_inspect_memory *)tss_ipc()->recv)->free_pages;
}

static void test_delete_many_units(void)
{
	uint64_t before = free_pages();
	for (unsigned round = 0; round < ROUNDS; round++) {
		cap_t unit = small_unit(SELF);
		CHECK_OK(tss_unit_restrict(unit, ~0ull >> 1, ~0ull));
		for (unsigned slot = SLOT; slot < SLOT + round % 40; slot++)
			CHECK_OK(tss_unit_install(unit, slot, new_event(), TSS_RIGHT_WAIT, TSS_INSTALL_COPY));
		CHECK_OK(destroy(unit));
		disown(unit);
		own_nothing();
	}
	CHECK(free_pages(), before);
}

/* A family of three: with the eldest go the others, and our capabilities to them, copies too. */
static void test_delete_takes_child_units(void)
{
	uint64_t eldest = 0, middle = 0;
	CHECK_OK(tss_unit_create(SELF, 4 * SMALL_PAGES, 64, 0, 0, &eldest));
	CHECK_OK(tss_unit_create((cap_t)eldest, 2 * SMALL_PAGES, 64, 0, 0, &middle));
	cap_t inner = small_unit((cap_t)middle);
	cap_t of_inner = derive(inner, TSS_RIGHT_CONTROL), of_middle = derive((cap_t)middle, TSS_RIGHT_CONTROL);
	CHECK_OK(tss_unit_install((cap_t)eldest, SLOT, (cap_t)middle, TSS_RIGHT_CONTROL, TSS_INSTALL_MOVE));
	CHECK_OK(destroy((cap_t)eldest));
	CHECK_TRUE(stale(inner) && stale(of_inner) && stale(of_middle));
	disown(inner);
	disown(of_inner);
	disown(of_middle);
}

/* What the unit paid for dies with it, wherever its capabilities are. */
static void test_delete_takes_what_it_paid(void)
{
	uint64_t port = 0, event = 0, memory = 0, sched = 0, connection = 0;
	cap_t unit = small_unit(SELF);
	CHECK_OK(tss_port_create(unit, 4, &port));
	CHECK_OK(tss_event_create(unit, &event));
	CHECK_OK(tss_memory_create(unit, 2, &memory));
	CHECK_OK(tss_sched_create(SYSTEM, unit, LOW, SLICE, &sched));
	CHECK_OK(tss_connection_create((cap_t)port, SELF, 1, 0, &connection));
	CHECK_OK(tss_unit_map(SELF, (cap_t)memory, SPARE_AT, TSS_RIGHT_READ));
	CHECK_OK(destroy(unit));
	disown(unit);
	CHECK_TRUE(stale((cap_t)port) && stale((cap_t)event) && stale((cap_t)memory) && stale((cap_t)sched));
	CHECK_TRUE(stale((cap_t)connection));
	cap_t other = new_memory(1);
	CHECK_OK(tss_unit_map(SELF, other, SPARE_AT, TSS_RIGHT_READ)); /* the address is free again */
}

static void job_in_child(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	(void)tss_event_wait((cap_t)self->b, TSS_INFINITE, NULL);
}

/* One caller has been received, one is queued, the server sleeps in a wait: both learn that it is gone. */
static void test_delete_a_server_at_work(void)
{
	struct child child = child_new(HIGH, job_in_child, SLOT, SLOT + 2);
	uint64_t port = 0, reply = 0;
	CHECK_OK(tss_port_create(child.unit, 1, &port));
	CHECK_OK(tss_reply_create((cap_t)port, child.unit, &reply));
	cap_t connection = new_connection((cap_t)port, 7);
	CHECK_OK(tss_unit_install(child.unit, SLOT + 1, (cap_t)reply, TSS_RIGHT_SEND, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_install(child.unit, SLOT, (cap_t)port, TSS_RIGHT_RECEIVE, TSS_INSTALL_MOVE));
	child_give(&child, SLOT + 2, new_event(), TSS_RIGHT_WAIT);
	child_go(&child);
	struct worker *received = work(HIGH, job_caller, connection, TSS_INFINITE);
	struct worker *queued = work(HIGH, job_caller, connection, TSS_INFINITE);
	CHECK(thread_state(child.thread), TSS_THREAD_WAITING);
	CHECK_OK(destroy(child.unit));
	disown(child.unit);
	CHECK_TRUE(joined(received) && joined(queued));
	CHECK(TSS_CODE(received->status), TSS_E_PEER_DEAD);
	CHECK(TSS_CODE(queued->status), TSS_E_PEER_DEAD);
}

/* Two units that hold each other's originals: the deleter inherits the one that is not deleted with the other. */
static void test_delete_inherits_units(void)
{
	cap_t unit = small_unit(SELF), other = small_unit(SELF), copy = derive(other, TSS_RIGHT_INSTALL);
	uint64_t before = usage_now().slots;
	CHECK_OK(tss_unit_install(unit, SLOT, other, TSS_RIGHT_CONTROL, TSS_INSTALL_MOVE));
	disown(other);
	CHECK_OK(destroy(unit));
	disown(unit);
	CHECK(usage_now().slots, before - 1);
	CHECK_OK(tss_unit_kill(copy, 0)); /* it is still there */
	CHECK_OK(destroy(other + 0x10000)); /* the topmost free slot was the one it had left */
}

const struct test delete_tests[] = {
	TEST(delete_many_units),       TEST(delete_takes_child_units), TEST(delete_takes_what_it_paid),
	TEST(delete_a_server_at_work), TEST(delete_inherits_units),    {NULL, NULL},
};
