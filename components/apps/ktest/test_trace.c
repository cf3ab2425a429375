/* SPDX-License-Identifier: BSD-2-Clause */
/* test_trace.c - system_trace: what is recorded, where, and what its owner can do to it. */
#include <abi/trace.h>
#include "modes.h"

#define RING_AT SPARE_AT
#define PAGES 8 /* the header, and a page for each of up to 7 CPUs */

static const struct tss_trace_header *const header = (const struct tss_trace_header *)RING_AT;

static cap_t new_ring(uint64_t protection)
{
	cap_t memory = new_memory(PAGES);
	CHECK_OK(tss_unit_map(SELF, memory, RING_AT, protection));
	return memory;
}

static const struct tss_trace_record *record(uint64_t cpu, uint64_t n)
{
	const struct tss_trace_record *ring = (const struct tss_trace_record *)(RING_AT + TSS_PAGE_SIZE);
	uint64_t records = header->pages * TSS_TRACE_PER_PAGE;
	return &ring[cpu * records + n % records];
}

/* The CPU that this thread was recorded on. */
static uint64_t here(void)
{
	for (uint64_t cpu = 0; cpu < header->cpus; cpu++)
		if (header->cpu[cpu].written && record(cpu, header->cpu[cpu].written - 1)->thread == tss_ipc()->thread)
			return cpu;
	return 0;
}

static void test_trace_arguments(void)
{
	cap_t memory = new_memory(PAGES), small = new_memory(1), other = new_memory(PAGES);
	CHECK(tss_system_trace(SYSTEM, TSS_CAP_NULL, 1), E(CAPABILITY, 2));
	CHECK(tss_system_trace(SYSTEM, SELF, 1), E(TYPE, 2));
	CHECK(tss_system_trace(SYSTEM, derive(memory, TSS_RIGHT_READ | TSS_RIGHT_GRANT), 1), E(RIGHTS, 2));
	CHECK(tss_system_trace(SYSTEM, small, 1), E(ARGUMENT, 2));
	CHECK(tss_system_trace(SYSTEM, memory, TSS_TRACING_ALL + 1), E(ARGUMENT, 3));
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_FAULT));
	CHECK(tss_system_trace(SYSTEM, other, 1), E(BUSY, 2));
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
	CHECK_OK(tss_system_trace(SYSTEM, other, 1));
	CHECK_OK(tss_system_trace(SYSTEM, other, 0));
}

/* By whom, through which connection, what, and why not: of calls and of messages. */
static void test_trace_has_broken_rules(void)
{
	cap_t memory = new_ring(TSS_RIGHT_READ);
	prepare(1 << 1, 0, 0, 0);
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
	const uint64_t id = inspected(mode_connection)->id;
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_VIOLATION));
	CHECK(call(mode_connection, 2), E(METHOD, 2));
	CHECK_OK(post(mode_connection, 1));
	CHECK(post(mode_connection, 3), E(METHOD, 2));
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
	CHECK(header->cpu[here()].written, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct tss_trace_record *r = record(here(), i);
		CHECK(r->event, TSS_TRACE_REFUSED);
		CHECK(r->thread, tss_ipc()->thread);
		CHECK(r->arguments[0], id);
		CHECK(TSS_TAG_TYPE(r->arguments[1]), 2 + i);
		CHECK(r->arguments[2], E(METHOD, 2));
	}
}

static void test_trace_records_calls_in_order(void)
{
	cap_t memory = new_ring(TSS_RIGHT_READ), event = new_event();
	uint64_t value = 0;
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_SYSCALL | TSS_TRACING_VIOLATION));
	CHECK_OK(tss_self_clock(&value));
	CHECK_OK(tss_event_signal(event, 5));
	CHECK(tss_event_signal(SELF, 5), E(TYPE, 1));
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
	const uint64_t want[][3] = {
		{TSS_TRACE_RETURN, TSS_OK, 0}, /* of system_trace itself */
		{TSS_TRACE_ENTER, TSS_SYS_self_clock, 0},
		{TSS_TRACE_RETURN, TSS_OK, value},
		{TSS_TRACE_ENTER, TSS_SYS_event_signal, event},
		{TSS_TRACE_RETURN, TSS_OK, 0},
		{TSS_TRACE_ENTER, TSS_SYS_event_signal, SELF},
		{TSS_TRACE_VIOLATION, TSS_SYS_event_signal, E(TYPE, 1)},
		{TSS_TRACE_RETURN, E(TYPE, 1), 0},
		{TSS_TRACE_ENTER, TSS_SYS_system_trace, SYSTEM},
	};
	CHECK(header->cpu[here()].written, sizeof(want) / sizeof(want[0]));
	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct tss_trace_record *r = record(here(), i);
		CHECK(r->event, want[i][0]);
		CHECK(r->sequence, i);
		CHECK(r->thread, tss_ipc()->thread);
		CHECK(r->arguments[0], want[i][1]);
		CHECK_TRUE(i == 0 || r->tsc > record(here(), i - 1)->tsc);
		if (i == 2 || i == 3 || i == 5 || i == 6)
			CHECK(r->arguments[1], want[i][2]);
	}
}

/* Only the newest are kept; each has its number, and the places are those of the header's rule. */
static void test_trace_keeps_the_newest(void)
{
	cap_t memory = new_ring(TSS_RIGHT_READ);
	uint64_t value = 0;
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_SYSCALL));
	for (unsigned i = 0; i < 10 * TSS_TRACE_PER_PAGE * PAGES; i++)
		(void)tss_self_clock(&value);
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
	uint64_t written = header->cpu[here()].written, records = header->pages * TSS_TRACE_PER_PAGE;
	CHECK(written, 2 + 20 * TSS_TRACE_PER_PAGE * PAGES);
	for (uint64_t n = written - records; n < written; n++)
		if (record(here(), n)->sequence != n)
			CHECK(record(here(), n)->sequence, n);
	CHECK(header->mask, 0);
}

/* Its owner overwrites all of it while the kernel records: that is his loss alone. */
static void test_trace_believes_nothing_in_the_ring(void)
{
	cap_t memory = new_ring(TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	uint64_t value = 0;
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_ALL));
	for (unsigned round = 0; round < 16; round++) {
		memset((void *)RING_AT, round % 2 ? 0xff : (int)round, PAGES * TSS_PAGE_SIZE);
		for (unsigned i = 0; i < 40; i++)
			(void)tss_self_clock(&value);
	}
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_SYSCALL));
	CHECK_OK(tss_self_clock(&value));
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
	CHECK(header->cpu[here()].written, 4);
	CHECK(record(here(), 2)->arguments[1], value);
}

static void test_trace_ends_with_its_memory(void)
{
	cap_t memory = new_ring(TSS_RIGHT_READ), next;
	uint64_t value = 0;
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_ALL));
	CHECK_OK(destroy(memory));
	disown(memory);
	CHECK_OK(tss_self_clock(&value));
	next = new_ring(TSS_RIGHT_READ);
	CHECK_OK(tss_system_trace(SYSTEM, next, TSS_TRACING_ALL));
	CHECK_OK(tss_system_trace(SYSTEM, next, 0));
}

/* While all is recorded calls mean what they mean without: no shorter way is taken, and none is missed. */
static void test_trace_changes_no_call(void)
{
	cap_t memory = new_memory(PAGES), port = new_port(2);
	new_reply(port);
	cap_t connection = new_connection(port, 7);
	CHECK_OK(tss_system_trace(SYSTEM, memory, TSS_TRACING_ALL));
	struct worker *server = work(HIGH, job_server, port, 2);
	struct worker *caller = work(HIGH, job_caller, connection, SECOND);
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
	caller = work(HIGH, job_caller, connection, TSS_INFINITE);
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
	CHECK_TRUE(joined(server));
	CHECK_OK(tss_system_trace(SYSTEM, memory, 0));
}

const struct test trace_tests[] = {TEST(trace_arguments),
				   TEST(trace_has_broken_rules),
				   TEST(trace_records_calls_in_order),
				   TEST(trace_keeps_the_newest),
				   TEST(trace_believes_nothing_in_the_ring),
				   TEST(trace_ends_with_its_memory),
				   TEST(trace_changes_no_call),
				   {0}};
