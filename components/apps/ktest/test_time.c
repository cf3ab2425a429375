/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_time.c - the clock and time-outs. "Never early" is exact; "within a tick" too where the clock counts instructions
 * (-icount, 1 GHz), elsewhere the host may be busy and a time-out is only held to LATE_MAX.
 */
#include "ktest.h"

#define COUNTED_TSC_PER_MS 1000000u
#define LATE_MAX 10000u

static uint64_t tsc(void)
{
	uint32_t low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t tsc_per_ms(void)
{
	const struct tss_inspect_counters *record = (const struct tss_inspect_counters *)tss_ipc()->recv;
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL));
	return record->tsc_per_ms;
}

bool clock_is_counted(void)
{
	uint64_t rate = tsc_per_ms();
	return rate > COUNTED_TSC_PER_MS - 1000 && rate < COUNTED_TSC_PER_MS + 1000;
}

static void test_clock_never_goes_back(void)
{
	uint64_t last = now();
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t next = now();
		CHECK_TRUE(next >= last);
		last = next;
	}
}

/* Over 50 ms the clock and the TSC agree to a thousandth and one microsecond. */
static void test_clock_follows_the_tsc(void)
{
	uint64_t rate = tsc_per_ms(), clock = now(), from = tsc();
	(void)tss_self_sleep(50000);
	uint64_t before = tsc() - from, us = now() - clock, after = tsc() - from;
	CHECK_TRUE(us + us / 1000 + 2 >= before * 1000 / rate);
	CHECK_TRUE(us <= after * 1000 / rate + after / rate + 2);
}

/* How late the least late of a series is: what the kernel does when the host does not get in the way. */
static uint64_t least_late(tss_status_t (*wait)(cap_t cap, uint64_t us), cap_t cap, uint64_t us)
{
	uint64_t least = SECOND;
	for (unsigned i = 0; i < 20 && least > 2 * TICK; i++) {
		uint64_t start = now();
		CHECK(wait(cap, us), E(TIMEOUT, 0));
		uint64_t took = now() - start;
		CHECK_TRUE(took >= us);
		if (took - us < least)
			least = took - us;
	}
	return least;
}

static tss_status_t wait_sleep(cap_t cap, uint64_t us)
{
	(void)cap;
	return tss_self_sleep(us);
}

static tss_status_t wait_receive(cap_t cap, uint64_t us)
{
	struct tss_request request;
	return tss_port_receive(cap, &request, us);
}

static tss_status_t wait_event(cap_t cap, uint64_t us)
{
	uint64_t bits;
	return tss_event_wait(cap, us, &bits);
}

static tss_status_t wait_call(cap_t cap, uint64_t us)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	return tss_connection_call(cap, &tag, words, us);
}

#define CHECK_LATE(wait, cap)                                                                                          \
	late = least_late(wait, cap, times[i]);                                                                        \
	CHECK(late > most ? late : 0, 0)

static void test_timeouts_never_early_and_within_a_tick(void)
{
	static const uint64_t times[] = {1, TICK - 1, TICK, TICK + 1, 63 * TICK, 64 * TICK, 65 * TICK, 9999};
	cap_t port = new_port(0), event = new_event(), connection = new_connection(new_port(0), 1);
	uint64_t late, most = clock_is_counted() ? 2 * TICK : LATE_MAX;
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CHECK_LATE(wait_sleep, TSS_CAP_NULL);
		CHECK_LATE(wait_receive, port);
		CHECK_LATE(wait_event, event);
		CHECK_LATE(wait_call, connection);
	}
}

static void test_timeout_zero_does_not_block(void)
{
	(void)work(LOW, job_spin, 100, 0);
	cap_t port = new_port(0), event = new_event(), connection = new_connection(port, 1);
	CHECK(wait_sleep(0, 0), E(TIMEOUT, 0));
	CHECK(wait_receive(port, 0), E(TIMEOUT, 0));
	CHECK(wait_event(event, 0), E(TIMEOUT, 0));
	CHECK(wait_call(connection, 0), E(TIMEOUT, 0));
}

static void test_timeouts_out_of_range(void)
{
	static const uint64_t bad[] = {TSS_TIMEOUT_MAX + 1, 1ull << 63, TSS_INFINITE - 1};
	cap_t port = new_port(0), event = new_event(), connection = new_connection(port, 1);
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned i = 0; i < 3; i++) {
		CHECK(wait_sleep(0, bad[i]), E(ARGUMENT, 1));
		CHECK(wait_receive(port, bad[i]), E(ARGUMENT, 2));
		CHECK(wait_event(event, bad[i]), E(ARGUMENT, 2));
		CHECK(wait_call(connection, bad[i]), E(ARGUMENT, 3));
		CHECK(tss_port_reply_receive(port, &request, bad[i]), E(ARGUMENT, 3));
	}
}

/* The longest time-outs are taken, and go away with their threads. */
static void test_longest_timeouts(void)
{
	struct worker *sleepers[3];
	static const uint64_t times[] = {TSS_TIMEOUT_MAX, TSS_TIMEOUT_MAX / 2, TSS_INFINITE};
	for (unsigned i = 0; i < 3; i++)
		sleepers[i] = work(HIGH, job_sleep, times[i], 0);
	(void)tss_self_sleep(5000);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_TRUE(!sleepers[i]->done);
		CHECK(thread_state(sleepers[i]->thread), TSS_THREAD_SLEEPING);
	}
}

static void job_sleep_and_mark(struct worker *self)
{
	(void)tss_self_sleep(self->b);
	mark((char)self->a);
}

static bool in_order(void)
{
	for (unsigned i = 1; i < 20; i++)
		if ((unsigned)(trace()[i] - 'a') * 7 % 20 < (unsigned)(trace()[i - 1] - 'a') * 7 % 20)
			return false;
	return true;
}

/* Each sleeps from its own start on: a busy host may shift one, so one good try of several will do. */
static void test_many_timeouts_in_order(void)
{
	bool good = false;
	for (unsigned round = 0; round < 10 && !good; round++) {
		workers_end();
		for (unsigned i = 0; i < 20; i++)
			(void)work(HIGH, job_sleep_and_mark, 'a' + i, 2000 + (i * 7 % 20) * 5 * TICK);
		for (unsigned i = 0; i < 100 && strlen(trace()) < 20; i++)
			(void)tss_self_sleep(20 * TICK);
		CHECK(strlen(trace()), 20);
		good = in_order();
	}
	CHECK_TRUE(good);
}

/* An answer in time takes the time-out away: the next wait is not cut short by it. */
static void test_answered_calls_leave_no_timeout(void)
{
	cap_t port = new_port(0), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_server, port, 5);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_OK(wait_call(connection, 2000));
		CHECK(wait_sleep(0, 3000), E(TIMEOUT, 0));
	}
	CHECK_TRUE(joined(server));
}

const struct test time_tests[] = {
	TEST(clock_never_goes_back),
	TEST(clock_follows_the_tsc),
	TEST(timeouts_never_early_and_within_a_tick),
	TEST(timeout_zero_does_not_block),
	TEST(timeouts_out_of_range),
	TEST(longest_timeouts),
	TEST(many_timeouts_in_order),
	TEST(answered_calls_leave_no_timeout),
	{0},
};
