/* SPDX-License-Identifier: BSD-2-Clause */
/* test_capability.c - derive, move, revoke, delete: rights, depths, generations, long and deep families. */
#include "ktest.h"

#define SLOT 100
#define EVENT_RIGHTS (TSS_RIGHT_GRANT | TSS_RIGHT_SIGNAL | TSS_RIGHT_WAIT | TSS_RIGHT_BIND)

static uint64_t inspected(cap_t cap)
{
	uint64_t value = 0;
	return tss_capability_inspect(cap, &value) == TSS_OK ? value : ~0ull;
}

static uint64_t expected(uint64_t type, uint64_t rights, uint64_t depth)
{
	return type | rights << 8 | depth << 24;
}

static void test_rights_only_shrink(void)
{
	cap_t event = new_event();
	uint64_t value;
	CHECK(inspected(event), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 0));
	cap_t less = derive(event, TSS_RIGHT_GRANT | TSS_RIGHT_WAIT);
	CHECK(inspected(less), expected(TSS_TYPE_EVENT, TSS_RIGHT_GRANT | TSS_RIGHT_WAIT, 1));
	CHECK(tss_capability_derive(less, TSS_RIGHT_SIGNAL, &value), E(RIGHTS, 2));
	CHECK(tss_capability_derive(less, 1ull << 63, &value), E(RIGHTS, 2));
	CHECK(tss_capability_derive(less, ~0ull, &value), E(RIGHTS, 2));
	CHECK(tss_capability_derive(less, 1ull << 16 | TSS_RIGHT_WAIT, &value), E(RIGHTS, 2));
	cap_t nothing = derive(less, 0);
	CHECK(inspected(nothing), expected(TSS_TYPE_EVENT, 0, 2));
	CHECK(tss_capability_derive(nothing, 0, &value), E(RIGHTS, 1));
	CHECK(tss_capability_revoke(nothing), E(RIGHTS, 1));
	CHECK(tss_event_wait(nothing, 0, &value), E(RIGHTS, 1));
	CHECK(tss_event_signal(less, 1), E(RIGHTS, 1));
}

static void test_revoke_ends_the_descendants_only(void)
{
	cap_t event = new_event(), a = derive(event, EVENT_RIGHTS), b = derive(a, EVENT_RIGHTS);
	cap_t c = derive(b, EVENT_RIGHTS), other = derive(event, EVENT_RIGHTS);
	CHECK_OK(tss_capability_revoke(a));
	CHECK(inspected(b), ~0ull);
	CHECK(inspected(c), ~0ull);
	CHECK(inspected(a), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 1));
	CHECK(inspected(other), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 1));
	CHECK_OK(tss_event_signal(other, 1));
	CHECK_OK(tss_capability_delete(event));
	CHECK(inspected(a), ~0ull);
	CHECK(inspected(other), ~0ull);
}

static void test_generation_makes_handles_stale(void)
{
	cap_t event = new_event(), last = derive(event, 0);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t value = 0;
		CHECK_OK(tss_capability_delete(last));
		CHECK(tss_capability_delete(last), E(CAPABILITY, 1));
		CHECK_OK(tss_capability_derive(event, 0, &value));
		CHECK(TSS_CAP_SLOT(value), TSS_CAP_SLOT(last));
		CHECK(TSS_CAP_GENERATION(value), (uint16_t)(TSS_CAP_GENERATION(last) + 1));
		last = (cap_t)value;
	}
}

/* 65536 uses of one slot: the generation wraps, the handle's slot number does not change. */
static void test_generation_wraps(void)
{
	cap_t event = new_event();
	uint64_t first = 0, value = 0;
	CHECK_OK(tss_capability_derive(event, 0, &first));
	CHECK_OK(tss_capability_delete((cap_t)first));
	for (unsigned i = 0; i < 65535; i++) {
		CHECK_OK(tss_capability_derive(event, 0, &value));
		CHECK_OK(tss_capability_delete((cap_t)value));
	}
	CHECK_OK(tss_capability_derive(event, 0, &value));
	CHECK(value, first);
	CHECK_OK(tss_capability_delete((cap_t)value));
}

static void revoke_many(unsigned count)
{
	cap_t event = new_event();
	uint64_t value = 0;
	unsigned calls = 1, before = (unsigned)usage_now().slots;
	for (unsigned i = 0; i < count; i++)
		CHECK_OK(tss_capability_derive(event, EVENT_RIGHTS, &value));
	CHECK(usage_now().slots, before + count);
	while (TSS_CODE(tss_capability_revoke(event)) == TSS_E_AGAIN && calls < 1000)
		calls++;
	CHECK(usage_now().slots, before);
	CHECK(calls, count ? (count + 15) / 16 : 1);
	CHECK_OK(tss_capability_revoke(event));
	CHECK_OK(tss_event_signal(event, 1));
}

static void test_revoke_in_slices(void)
{
	revoke_many(0);
	revoke_many(16);
	revoke_many(17);
	revoke_many(210);
}

/* As deep as the kernel lets it go, then everything at once. */
static void test_deepest_family(void)
{
	cap_t event = new_event(), last = event;
	uint64_t value = 0, status = TSS_OK;
	unsigned depth = 0;
	while ((status = tss_capability_derive(last, EVENT_RIGHTS, &value)) == TSS_OK && depth < 400) {
		last = (cap_t)value;
		depth++;
	}
	CHECK(status, E(DEPTH, 1));
	CHECK(depth, 255);
	CHECK(tss_unit_install(SELF, SLOT, last, 0, TSS_INSTALL_COPY), E(DEPTH, 3));
	CHECK_OK(tss_event_signal(last, 1));
	CHECK_OK(destroy(event));
	CHECK(inspected(last), ~0ull);
}

static void test_no_free_slot(void)
{
	cap_t event = new_event();
	uint64_t value = 0, status;
	struct usage before = usage_now();
	unsigned count = 0;
	while ((status = tss_capability_derive(event, 0, &value)) == TSS_OK && count < 5000)
		count++;
	CHECK(status, E(SLOTS, 0));
	CHECK_TRUE(count > 400);
	CHECK(tss_event_create(SELF, &value), E(SLOTS, 0));
	CHECK(tss_port_create(SELF, 4, &value), E(SLOTS, 0));
	CHECK(tss_memory_create(SELF, 1, &value), E(SLOTS, 0));
	CHECK(tss_unit_create(SELF, 20, 64, 0, 0, &value), E(SLOTS, 0));
	CHECK(tss_thread_create(SELF, 0x400000, 0x400000, 0x500000, 0, &value), E(SLOTS, 0));
	CHECK(usage_now().pages, before.pages);
	while (TSS_CODE(tss_capability_revoke(event)) == TSS_E_AGAIN)
		;
	CHECK(usage_now().slots, before.slots);
}

static cap_t handle_in(unsigned slot)
{
	for (cap_t generation = 0; generation < 0x10000; generation++)
		if (inspected(slot | generation << 16) != ~0ull)
			return slot | generation << 16;
	return TSS_CAP_NULL;
}

static void test_move_keeps_the_place(void)
{
	cap_t event = new_event(), a = derive(event, EVENT_RIGHTS), b = derive(a, EVENT_RIGHTS);
	CHECK_OK(tss_unit_install(SELF, SLOT, a, EVENT_RIGHTS, TSS_INSTALL_MOVE));
	CHECK(inspected(a), ~0ull);
	cap_t moved = handle_in(SLOT);
	CHECK(inspected(moved), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 1));
	CHECK_OK(tss_capability_revoke(moved));
	CHECK(inspected(b), ~0ull);
	b = derive(moved, 0);
	CHECK_OK(tss_capability_revoke(event));
	CHECK(inspected(moved), ~0ull);
	CHECK(inspected(b), ~0ull);
}

static void test_move_of_an_original(void)
{
	cap_t event = new_event(), a = derive(event, EVENT_RIGHTS);
	CHECK_OK(tss_unit_install(SELF, SLOT, event, EVENT_RIGHTS, TSS_INSTALL_MOVE));
	cap_t moved = handle_in(SLOT);
	CHECK(inspected(moved), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 0));
	CHECK_OK(tss_event_signal(a, 1));
	CHECK_OK(destroy(moved));
	CHECK(inspected(a), ~0ull);
}

/* What was derived before a move with fewer rights keeps what it had, and is still a descendant. */
static void test_move_with_fewer_rights(void)
{
	cap_t event = new_event(), a = derive(event, EVENT_RIGHTS), b = derive(a, EVENT_RIGHTS);
	uint64_t value;
	CHECK_OK(tss_unit_install(SELF, SLOT, a, TSS_RIGHT_GRANT | TSS_RIGHT_WAIT, TSS_INSTALL_MOVE));
	cap_t moved = handle_in(SLOT);
	CHECK(inspected(moved), expected(TSS_TYPE_EVENT, TSS_RIGHT_GRANT | TSS_RIGHT_WAIT, 1));
	CHECK(inspected(b), expected(TSS_TYPE_EVENT, EVENT_RIGHTS, 2));
	CHECK(tss_capability_derive(moved, TSS_RIGHT_SIGNAL, &value), E(RIGHTS, 2));
	CHECK_OK(tss_capability_revoke(moved));
	CHECK(inspected(b), ~0ull);
}

static void test_install_refusals(void)
{
	cap_t event = new_event(), weak = derive(event, TSS_RIGHT_WAIT);
	CHECK(tss_unit_install(SELF, 0, event, 0, 0), E(ARGUMENT, 2));
	CHECK(tss_unit_install(SELF, 512, event, 0, 0), E(ARGUMENT, 2));
	CHECK(tss_unit_install(SELF, 1ull << 63 | SLOT, event, 0, 0), E(ARGUMENT, 2));
	CHECK(tss_unit_install(SELF, 1ull << 32 | SLOT, event, 0, 0), E(ARGUMENT, 2));
	CHECK(tss_unit_install(SELF, TSS_SLOT_TEXT, event, 0, 0), E(OCCUPIED, 2));
	CHECK(tss_unit_install(SELF, SLOT, SLOT, 0, 0), E(CAPABILITY, 3));
	CHECK(tss_unit_install(SELF, SLOT, event, TSS_RIGHT_READ, 0), E(RIGHTS, 4));
	CHECK(tss_unit_install(SELF, SLOT, event, 1ull << 40, 0), E(RIGHTS, 4));
	CHECK(tss_unit_install(SELF, SLOT, event, 0, 2), E(ARGUMENT, 5));
	CHECK(tss_unit_install(SELF, SLOT, event, 0, 1ull << 63), E(ARGUMENT, 5));
	CHECK(tss_unit_install(SELF, SLOT, weak, TSS_RIGHT_WAIT, TSS_INSTALL_COPY), E(RIGHTS, 3));
	CHECK_OK(tss_unit_install(SELF, SLOT, weak, TSS_RIGHT_WAIT, TSS_INSTALL_MOVE));
	cap_t memory = new_memory(1);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ));
	CHECK(tss_unit_install(SELF, SLOT + 1, memory, 0, TSS_INSTALL_MOVE), E(BUSY, 3));
	CHECK(tss_capability_delete(SELF | 0x10000), E(CAPABILITY, 1));
}

static void test_originals_that_stay(void)
{
	uint64_t unit = 0;
	CHECK_OK(tss_unit_create(SELF, 16, 64, 0, 0, &unit));
	own((cap_t)unit);
	CHECK(tss_capability_delete(TSS_SLOT_THREAD), E(BUSY, 1));
	CHECK(inspected((cap_t)unit),
	      expected(TSS_TYPE_UNIT, TSS_RIGHT_GRANT | TSS_RIGHT_CONTROL | TSS_RIGHT_INSTALL, 0));
	cap_t copy = derive((cap_t)unit, TSS_RIGHT_CONTROL);
	CHECK_OK(tss_capability_delete(copy));
}

/* A port's family: connections and reply objects made through a copy die with the copy. */
static void test_family_of_a_port(void)
{
	cap_t port = new_port(1), copy = derive(port, TSS_RIGHT_GRANT | TSS_RIGHT_CONTROL);
	cap_t connection = new_connection(copy, 1), kept = new_connection(port, 2);
	cap_t client = derive(connection, TSS_RIGHT_CALL);
	(void)new_reply(copy);
	CHECK(inspected(client), expected(TSS_TYPE_CONNECTION, TSS_RIGHT_CALL, 3));
	CHECK_OK(tss_capability_revoke(copy));
	CHECK(inspected(client), ~0ull);
	CHECK(inspected(connection), ~0ull);
	CHECK_OK(tss_connection_send(kept, TSS_TAG(1, 0, 0), (uint64_t[4]){0}));
	CHECK(tss_connection_create(derive(port, TSS_RIGHT_RECEIVE), SELF, 1, 0, NULL), E(RIGHTS, 1));
}

const struct test capability_tests[] = {
	TEST(rights_only_shrink),
	TEST(revoke_ends_the_descendants_only),
	TEST(generation_makes_handles_stale),
	TEST(generation_wraps),
	TEST(revoke_in_slices),
	TEST(deepest_family),
	TEST(no_free_slot),
	TEST(move_keeps_the_place),
	TEST(move_of_an_original),
	TEST(move_with_fewer_rights),
	TEST(install_refusals),
	TEST(originals_that_stay),
	TEST(family_of_a_port),
	{0},
};
