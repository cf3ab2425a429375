/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_argument.c - every row of syscalls.def: no capability, another type's, too few rights; then every further
 * argument that names a capability. The rows come from the table itself, so a new call is tried without being added.
 */
#include "ktest.h"

struct row {
	const char *name;
	uint64_t number, right;
	unsigned type, argc;
};

#define TSS_TYPE_ANY 0xff
static const struct row rows[] = {
#define SYSCALL(number, object, type, verb, right, argc, form, text)                                                   \
	{#object "_" #verb, number, TSS_RIGHT_##right, TSS_TYPE_##type, argc},
#include <abi/syscalls.def>
#undef SYSCALL
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const uint64_t nonsense[] = {0, 1ull << 63, ~0ull};
static cap_t one_of[TSS_TYPE_COUNT], without_rights[TSS_TYPE_COUNT];

static uint64_t try(const struct row *row, uint64_t first, uint64_t others)
{
	const uint64_t arguments[5] = {first, others, others, others, others};
	return raw_call(row->number, arguments, NULL);
}

/* One capability of each type, and (but for reply objects) one more with no rights. */
static void make_one_of_each(void)
{
	uint64_t value = 0;
	one_of[TSS_TYPE_UNIT] = SELF;
	one_of[TSS_TYPE_THREAD] = TSS_SLOT_THREAD;
	one_of[TSS_TYPE_SCHED] = new_sched(1);
	one_of[TSS_TYPE_PORT] = new_port(1);
	one_of[TSS_TYPE_REPLY] = new_reply(one_of[TSS_TYPE_PORT]);
	one_of[TSS_TYPE_CONNECTION] = new_connection(one_of[TSS_TYPE_PORT], 1);
	one_of[TSS_TYPE_EVENT] = new_event();
	one_of[TSS_TYPE_MEMORY] = new_memory(1);
	CHECK_OK(tss_irq_create(SYSTEM, 7, &value));
	one_of[TSS_TYPE_IRQ] = own((cap_t)value);
	CHECK_OK(tss_ioport_create(SYSTEM, 0x5000, 4, &value));
	one_of[TSS_TYPE_IOPORT] = own((cap_t)value);
	one_of[TSS_TYPE_SYSTEM] = SYSTEM;
	for (unsigned type = 1; type < TSS_TYPE_COUNT; type++)
		without_rights[type] = type == TSS_TYPE_UNIT || type == TSS_TYPE_THREAD || type == TSS_TYPE_SYSTEM ||
						       type == TSS_TYPE_REPLY
					       ? TSS_CAP_NULL
					       : derive(one_of[type], 0);
}

static void check_row(const struct row *row, uint64_t got, uint64_t want)
{
	static char what[64];
	if (got == want)
		return;
	snprintf(what, sizeof(what), "%s", row->name);
	check_value("test_argument.c", 0, what, got, want);
}

static void test_no_capability_in_any_call(void)
{
	static const uint64_t handles[] = {0, 15, 200, 512, 4095, 4096, 0xffff, 0x10001, 0xffff0001, 1ull << 63, ~0ull};
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned j = 0; rows[i].type != TSS_TYPE_NONE && j < sizeof(handles) / sizeof(handles[0]); j++)
			for (unsigned k = 0; k < 3; k++)
				check_row(&rows[i], try(&rows[i], handles[j], nonsense[k]), E(CAPABILITY, 1));
}

static void test_stale_handle_in_any_call(void)
{
	cap_t stale = new_event();
	CHECK_OK(destroy(stale));
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].type != TSS_TYPE_NONE)
			check_row(&rows[i], try(&rows[i], stale, 0), E(CAPABILITY, 1));
	cap_t tenant = new_event();
	CHECK(TSS_CAP_SLOT(tenant), TSS_CAP_SLOT(stale));
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].type != TSS_TYPE_NONE)
			check_row(&rows[i], try(&rows[i], stale, 0), E(CAPABILITY, 1));
}

static void test_wrong_type_in_any_call(void)
{
	make_one_of_each();
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned type = 1; type < TSS_TYPE_COUNT; type++)
			if (rows[i].type != TSS_TYPE_NONE && rows[i].type != TSS_TYPE_ANY && rows[i].type != type)
				for (unsigned k = 0; k < 3; k++)
					check_row(&rows[i], try(&rows[i], one_of[type], nonsense[k]), E(TYPE, 1));
}

static void test_missing_right_in_any_call(void)
{
	make_one_of_each();
	for (unsigned i = 0; i < ROWS; i++)
		for (unsigned type = 1; type < TSS_TYPE_COUNT; type++)
			if (rows[i].right && without_rights[type] &&
			    (rows[i].type == type || rows[i].type == TSS_TYPE_ANY))
				for (unsigned k = 0; k < 3; k++)
					check_row(&rows[i], try(&rows[i], without_rights[type], nonsense[k]),
						  E(RIGHTS, 1));
	CHECK(tss_thread_start(TSS_SLOT_THREAD, one_of[TSS_TYPE_SCHED]), E(RIGHTS, 1));
	CHECK(tss_capability_derive(TSS_SLOT_THREAD, 0, NULL), E(RIGHTS, 1));
}

/* Argument 2 of these names a capability, too. */
static void second_capability(uint64_t number, cap_t first, unsigned type, bool right_needed)
{
	const struct row *row = &rows[number - TSS_SYSCALL_FIRST];
	const uint64_t fourth = number == TSS_SYS_sched_create || number == TSS_SYS_unit_pager ? SLICE : 0;
	for (unsigned i = 0; i < 3; i++) {
		const uint64_t none[5] = {first, nonsense[i], 0, fourth, 0};
		check_row(row, raw_call(number, none, NULL), E(CAPABILITY, 2));
	}
	for (unsigned other = 1; other < TSS_TYPE_COUNT; other++) {
		const uint64_t wrong[5] = {first, one_of[other], 10, fourth, 0};
		if (other != type)
			check_row(row, raw_call(number, wrong, NULL), E(TYPE, 2));
	}
	const uint64_t weak[5] = {first, without_rights[type], 10, fourth, 0};
	if (right_needed && without_rights[type])
		check_row(row, raw_call(number, weak, NULL), E(RIGHTS, 2));
}

static void test_second_capabilities(void)
{
	make_one_of_each();
	struct worker *fresh = worker_new(LOW, job_exit, 0, 0);
	second_capability(TSS_SYS_unit_supervise, SELF, TSS_TYPE_CONNECTION, true);
	second_capability(TSS_SYS_unit_pager, SELF, TSS_TYPE_CONNECTION, true);
	second_capability(TSS_SYS_unit_reserve, SELF, TSS_TYPE_EVENT, true);
	second_capability(TSS_SYS_thread_start, fresh->thread, TSS_TYPE_SCHED, true);
	second_capability(TSS_SYS_sched_create, SYSTEM, TSS_TYPE_UNIT, true);
	second_capability(TSS_SYS_sched_configure, SYSTEM, TSS_TYPE_SCHED, true);
	second_capability(TSS_SYS_sched_place, SYSTEM, TSS_TYPE_SCHED, true);
	second_capability(TSS_SYS_sched_watch, one_of[TSS_TYPE_SCHED], TSS_TYPE_EVENT, true);
	second_capability(TSS_SYS_reply_create, one_of[TSS_TYPE_PORT], TSS_TYPE_UNIT, true);
	second_capability(TSS_SYS_connection_create, one_of[TSS_TYPE_PORT], TSS_TYPE_UNIT, true);
	second_capability(TSS_SYS_event_bind, one_of[TSS_TYPE_EVENT], TSS_TYPE_PORT, true);
	second_capability(TSS_SYS_irq_bind, one_of[TSS_TYPE_IRQ], TSS_TYPE_EVENT, true);
	second_capability(TSS_SYS_memory_address, SYSTEM, TSS_TYPE_MEMORY, true);
	second_capability(TSS_SYS_irq_message, SYSTEM, TSS_TYPE_IRQ, true);
	second_capability(TSS_SYS_system_trace, SYSTEM, TSS_TYPE_MEMORY, true);
	second_capability(TSS_SYS_port_mailbox, one_of[TSS_TYPE_PORT], TSS_TYPE_MEMORY, true);
	second_capability(TSS_SYS_unit_map, SELF, TSS_TYPE_MEMORY, false);
	second_capability(TSS_SYS_unit_unmap, SELF, TSS_TYPE_MEMORY, false);
}

static void test_port_and_inspect_arguments(void)
{
	static const uint64_t bad_what[] = {0, 12, 255, 1ull << 32 | 1, 1ull << 63, ~0ull};
	uint64_t value;
	CHECK(tss_port_create(SELF, 257, &value), E(ARGUMENT, 2));
	CHECK(tss_port_create(SELF, 1ull << 32, &value), E(ARGUMENT, 2));
	CHECK(tss_port_create(SELF, 1ull << 63, &value), E(ARGUMENT, 2));
	CHECK(tss_port_create(SELF, ~0ull, &value), E(ARGUMENT, 2));
	own(new_port(256));
	for (unsigned i = 0; i < 6; i++)
		CHECK(tss_system_inspect(SYSTEM, bad_what[i], 0, 0, &value), E(ARGUMENT, 2));
	for (unsigned what = TSS_INSPECT_UNIT; what <= TSS_INSPECT_MACHINE; what++) {
		CHECK(tss_system_inspect(SYSTEM, what, ~0ull, 1, &value), E(ARGUMENT, 3));
		CHECK(tss_system_inspect(SYSTEM, what, 1ull << 63, 1, &value), E(ARGUMENT, 3));
	}
	CHECK(tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, 0, 0, &value), E(ARGUMENT, 3));
	CHECK(tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, 0, ~0ull, &value), E(ARGUMENT, 3));
	CHECK(tss_system_inspect(SYSTEM, TSS_INSPECT_MEMORY, 1, 0, &value), E(ARGUMENT, 3));
}

/* A failed call has no value, and a value call keeps nothing of the kernel's in its registers. */
static void test_failed_calls_have_no_value(void)
{
	for (unsigned i = 0; i < ROWS; i++) {
		struct registers r = {
			.rax = rows[i].number, .rdi = 0, .rsi = 3, .rdx = 4, .r10 = 5, .r8 = 6, .r9 = 7, .rbx = 8};
		if (rows[i].type == TSS_TYPE_NONE)
			continue;
		raw(&r);
		check_row(&rows[i], r.rdx, 0);
		check_row(&rows[i], (r.rdi | r.rsi | r.r10 | r.r8 | r.r9) & ~7ull, 0);
	}
}

const struct test argument_tests[] = {
	TEST(no_capability_in_any_call),  TEST(stale_handle_in_any_call),
	TEST(wrong_type_in_any_call),     TEST(missing_right_in_any_call),
	TEST(second_capabilities),        TEST(port_and_inspect_arguments),
	TEST(failed_calls_have_no_value), {0},
};
