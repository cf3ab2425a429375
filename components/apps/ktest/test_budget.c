/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_budget.c - a budget that is used up: every call that allocates says MEMORY to whoever spends from it, leaves
 * nothing behind, and nobody else notices. Page tables are the expense of the unit that maps; budgets nest.
 */
#include "ktest.h"

#define POOR_PAGES 16
#define FAR_AT 0x500000000000ull
static cap_t poor, poor_child;

static uint64_t pages_of(cap_t unit)
{
	const struct tss_inspect_unit *record = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t id = object_id(unit), next = 0;
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
		if (record->id == id)
			return record->used_pages;
	} while (next);
	return 0;
}

static cap_t unit_new(cap_t parent, uint64_t pages)
{
	uint64_t unit = 0;
	CHECK_OK(tss_unit_create(parent, pages, 64, 0, 0, &unit));
	return own((cap_t)unit);
}

/* The calls with which somebody else spends from a unit's budget. */
static cap_t some_port, spare_memory;
static uint64_t next_page;
static tss_status_t spend_thread(uint64_t *value)
{
	next_page += 1ull << 39;
	return tss_thread_create(poor, 0x400000, 0x400000, next_page, 0, value);
}
static tss_status_t spend_sched(uint64_t *value)
{
	return tss_sched_create(SYSTEM, poor, LOW, SLICE, value);
}
static tss_status_t spend_port(uint64_t *value)
{
	return tss_port_create(poor, 1, value);
}
static tss_status_t spend_deep_port(uint64_t *value)
{
	return tss_port_create(poor, 200, value);
}
static tss_status_t spend_reply(uint64_t *value)
{
	return tss_reply_create(some_port, poor, value);
}
static tss_status_t spend_connection(uint64_t *value)
{
	return tss_connection_create(some_port, poor, 1, 0, value);
}
static tss_status_t spend_event(uint64_t *value)
{
	return tss_event_create(poor, value);
}
static tss_status_t spend_memory(uint64_t *value)
{
	return tss_memory_create(poor, 1, value);
}
static tss_status_t spend_unit(uint64_t *value)
{
	return tss_unit_create(poor, 7, 64, 0, 0, value);
}
static tss_status_t spend_restrict(uint64_t *value)
{
	(void)value;
	return tss_unit_restrict(poor_child, ~0ull, 1);
}
static tss_status_t spend_map(uint64_t *value)
{
	*value = TSS_CAP_NULL;
	next_page += 1ull << 39;
	return tss_unit_map(poor, CHILD_FIRST, next_page, TSS_RIGHT_READ);
}

static const struct spending {
	tss_status_t (*call)(uint64_t *value);
	unsigned argument;
} spendings[] = {
	{spend_memory, 2}, {spend_deep_port, 0}, {spend_thread, 0},     {spend_sched, 0},
	{spend_port, 0},   {spend_reply, 0},     {spend_connection, 0}, {spend_event, 0},
	{spend_unit, 2},   {spend_map, 0},       {spend_restrict, 0},
};
#define SPENDINGS (sizeof(spendings) / sizeof(spendings[0]))

/* Until nothing is left: pages by memory, then what is free in pages that are there already. */
static void spend_all(void)
{
	some_port = new_port(1);
	spare_memory = new_memory(1);
	next_page = FAR_AT;
	CHECK_OK(tss_unit_install(poor, CHILD_FIRST, spare_memory, TSS_RIGHT_READ, TSS_INSTALL_COPY));
	for (unsigned i = 0; i < SPENDINGS; i++) {
		uint64_t value = TSS_CAP_NULL;
		if (spendings[i].call == spend_map || spendings[i].call == spend_restrict)
			continue;
		for (unsigned made = 0; made < 100 && spendings[i].call(&value) == TSS_OK; made++)
			own((cap_t)value);
	}
}

static void test_an_empty_budget_fails_its_owner_only(void)
{
	cap_t other = unit_new(SELF, POOR_PAGES);
	uint64_t value = 0;
	poor = unit_new(SELF, POOR_PAGES);
	poor_child = unit_new(poor, 7); /* whose table of calls poor would pay */
	spend_all();
	struct usage mine = usage_now();
	uint64_t used = pages_of(poor), others = pages_of(other);
	CHECK(used, POOR_PAGES);
	for (unsigned i = 0; i < SPENDINGS; i++) {
		CHECK(i << 16 | spendings[i].call(&value), i << 16 | E(MEMORY, spendings[i].argument));
		CHECK(i << 16 | pages_of(poor), i << 16 | used);
		CHECK(pages_of(other), others);
		CHECK(usage_now().pages, mine.pages);
		CHECK(usage_now().slots, mine.slots);
	}
	(void)new_port(4);
	CHECK_OK(tss_event_create(other, &value));
	own((cap_t)value);
	CHECK(pages_of(other), others + 1);
}

/* The calls that spend the caller's own budget; here it is this unit's that is empty. */
static void test_an_empty_budget_of_ones_own(void)
{
	cap_t whole = new_memory(4), port = new_port(1);
	uint64_t value = 0;
	for (uint64_t pages = 4096; pages > 0; pages /= 2)
		while (tss_memory_create(SELF, pages, &value) == TSS_OK)
			own((cap_t)value);
	while (tss_memory_slice(whole, 0, 1, &value) == TSS_OK)
		own((cap_t)value);
	while (tss_event_create(SELF, &value) == TSS_OK)
		own((cap_t)value);
	while (tss_connection_create(port, SELF, 1, 0, &value) == TSS_OK)
		own((cap_t)value);
	for (unsigned i = 0; i < 64 && tss_ioport_create(SYSTEM, 0x6000 + i, 1, &value) == TSS_OK; i++)
		own((cap_t)value);
	struct usage before = usage_now();
	CHECK(tss_memory_slice(whole, 0, 1, &value), E(MEMORY, 0));
	CHECK(tss_ioport_create(SYSTEM, 0x7000, 1, &value), E(MEMORY, 0));
	CHECK(tss_irq_create(SYSTEM, 9, &value), E(MEMORY, 0));
	CHECK(tss_memory_device(SYSTEM, 0xfd000000, 1, &value), E(MEMORY, 0));
	CHECK(tss_unit_create(SELF, 7, 64, 0, 0, &value), E(MEMORY, 2));
	CHECK(tss_port_create(SELF, 100, &value), E(MEMORY, 0));
	CHECK(usage_now().pages, before.pages);
	CHECK(usage_now().slots, before.slots);
}

static void test_page_tables_are_the_mapping_units_expense(void)
{
	cap_t unit = unit_new(SELF, 30), memory = new_memory(4);
	struct usage before = usage_now();
	uint64_t used = pages_of(unit);
	CHECK_OK(tss_unit_install(unit, CHILD_FIRST, memory, TSS_RIGHT_READ, TSS_INSTALL_COPY));
	CHECK(pages_of(unit), used);
	CHECK_OK(tss_unit_map(unit, CHILD_FIRST, FAR_AT, TSS_RIGHT_READ));
	CHECK(pages_of(unit), used + 3);
	CHECK(usage_now().pages, before.pages);
	CHECK_OK(tss_unit_unmap(unit, CHILD_FIRST));
	CHECK_OK(tss_unit_map(unit, CHILD_FIRST, FAR_AT + 8 * TSS_PAGE_SIZE, TSS_RIGHT_READ));
	CHECK(pages_of(unit), used + 3);
}

/* A budget is a part of the parent's, down to the grandchild; what that wastes is nobody else's loss. */
static void test_budgets_nest(void)
{
	uint64_t value = 0;
	struct usage before = usage_now();
	cap_t child = unit_new(SELF, 60);
	CHECK(usage_now().pages, before.pages + 60);
	uint64_t used = pages_of(child);
	cap_t grandchild = unit_new(child, 30);
	CHECK(pages_of(child), used + 30);
	CHECK(usage_now().pages, before.pages + 60);
	CHECK(tss_unit_create(child, 60 - used - 30 + 1, 64, 0, 0, &value), E(MEMORY, 2));
	CHECK(tss_unit_create(grandchild, 30, 64, 0, 0, &value), E(MEMORY, 2));
	while (tss_memory_create(grandchild, 1, &value) == TSS_OK)
		own((cap_t)value);
	CHECK_TRUE(pages_of(grandchild) + 2 >= 30); /* one page takes a table, too */
	CHECK(pages_of(child), used + 30);
	CHECK_OK(tss_memory_create(child, 4, &value));
	own((cap_t)value);
	CHECK_OK(destroy(grandchild));
	CHECK_TRUE(pages_of(child) < used + 10);
	CHECK_OK(destroy(child));
	CHECK(usage_now().pages, before.pages);
}

/* Each time there are fewer than 8 frames left the event has its bits, and at once if there are. */
static void test_low_memory_is_told(void)
{
	uint64_t bits = 0;
	cap_t event = new_event(), unit = unit_new(SELF, POOR_PAGES), memory = TSS_CAP_NULL;
	uint64_t left = POOR_PAGES - pages_of(unit), value = 0;
	CHECK_OK(tss_unit_reserve(unit, event, 6, left - 2, 0));
	CHECK_OK(tss_memory_create(unit, 1, &value)); /* and a frame for the object */
	memory = own((cap_t)value);
	CHECK(POOR_PAGES - pages_of(unit), left - 2);
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(tss_memory_create(unit, 1, &value));
		CHECK_OK(tss_event_wait(event, 0, &bits));
		CHECK(bits, 6);
		CHECK_OK(destroy((cap_t)value));
		CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	}
	CHECK_OK(tss_unit_reserve(unit, event, 8, left - 1, 0));
	CHECK_OK(tss_event_wait(event, 0, &bits));
	CHECK(bits, 8);
	CHECK_OK(destroy(event));
	CHECK_OK(tss_memory_create(unit, 2, &value));
	(void)own((cap_t)value);
	(void)memory;
}

/* The last frames are for kernel objects: no memory is made of them, but an event is. */
static void test_kept_frames_are_for_kernel_objects(void)
{
	cap_t unit = unit_new(SELF, POOR_PAGES), event = new_event();
	uint64_t left = POOR_PAGES - pages_of(unit), value = 0;
	CHECK_OK(tss_unit_reserve(unit, event, 1, 0, left - 2));
	CHECK(tss_memory_create(unit, 3, &value), E(MEMORY, 2));
	CHECK_OK(tss_memory_create(unit, 1, &value));
	(void)own((cap_t)value);
	CHECK(tss_memory_create(unit, 1, &value), E(MEMORY, 2));
	CHECK_OK(tss_event_create(unit, &value));
	(void)own((cap_t)value);
	CHECK(tss_unit_reserve(unit, event, 1, POOR_PAGES + 1, 0), E(ARGUMENT, 4));
	CHECK(tss_unit_reserve(unit, event, 1, 0, POOR_PAGES + 1), E(ARGUMENT, 5));
	CHECK(tss_unit_reserve(unit, event, 1, ~0ull, 0), E(ARGUMENT, 4));
	CHECK(tss_unit_reserve(unit, event, 1, 0, 1ull << 63), E(ARGUMENT, 5));
	CHECK(tss_unit_reserve(unit, derive(event, TSS_RIGHT_WAIT), 1, 0, 0), E(RIGHTS, 2));
}

const struct test budget_tests[] = {
	TEST(low_memory_is_told),
	TEST(kept_frames_are_for_kernel_objects),
	TEST(an_empty_budget_fails_its_owner_only),
	TEST(an_empty_budget_of_ones_own),
	TEST(page_tables_are_the_mapping_units_expense),
	TEST(budgets_nest),
	{0},
};
