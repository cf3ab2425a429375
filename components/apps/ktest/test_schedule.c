/* SPDX-License-Identifier: BSD-2-Clause */
/* test_schedule.c - who runs: urgency at every wake, turns among equals, slices, yield. */
#include "ktest.h"

static cap_t wake_up;

static void job_wait_and_mark(struct worker *self)
{
	self->status = tss_event_wait(wake_up, SECOND, NULL);
	mark((char)self->a);
}

static void test_more_urgent_runs_at_once(void)
{
	wake_up = new_event();
	(void)work(HIGH, job_wait_and_mark, 'b', 0);
	mark('a');
	CHECK_OK(tss_event_signal(wake_up, 1));
	mark('c');
	CHECK_TRACE("abc");
}

static void test_less_urgent_waits(void)
{
	wake_up = new_event();
	(void)work(LOW, job_wait_and_mark, 'c', 0);
	rest();
	mark('a');
	CHECK_OK(tss_event_signal(wake_up, 1));
	mark('b');
	rest();
	CHECK_TRACE("abc");
}

static void job_mark(struct worker *self)
{
	mark((char)self->a);
}

static void test_most_urgent_first(void)
{
	static const unsigned priorities[] = {3, 64, 1, 63, 2, 65, 0, 80};
	for (unsigned i = 0; i < 8; i++)
		(void)work(priorities[i], job_mark, 'a' + i, 0);
	rest();
	CHECK_TRACE("hfbdaecg");
}

static void test_equals_in_order_of_arrival(void)
{
	for (const char *c = "abcd"; *c; c++)
		(void)work(LOW, job_mark, (uint64_t)*c, 0);
	rest();
	CHECK_TRACE("abcd");
}

static void job_yield(struct worker *self)
{
	for (unsigned i = 0; i < 4; i++) {
		mark((char)self->a);
		self->status |= tss_self_yield();
	}
}

static void test_yield_lets_equals_run(void)
{
	struct worker *a = work(LOW, job_yield, 'a', 0), *b = work(LOW, job_yield, 'b', 0);
	(void)work(LOW - 1, job_mark, 'c', 0);
	rest();
	CHECK_TRACE("ababababc");
	CHECK_OK(a->status | b->status);
}

static void test_yield_alone_goes_on(void)
{
	(void)work(LOW, job_mark, 'b', 0);
	CHECK_OK(tss_self_yield());
	mark('a');
	rest();
	CHECK_TRACE("ab");
}

static void test_equals_take_turns(void)
{
	struct worker *a = work(LOW, job_spin, SECOND, 0), *b = work(LOW, job_spin, SECOND, 0);
	struct worker *below = work(LOW - 1, job_spin, SECOND, 0);
	(void)tss_self_sleep(20 * SLICE);
	CHECK_TRUE(a->got[0] > 0);
	CHECK_TRUE(b->got[0] > 0);
	CHECK(below->got[0], 0);
	CHECK_TRUE(!a->done && !b->done);
}

/* A thread that slept longer than its slice gets its turn when the running equal's slice is over, not one later. */
static void job_sleep_and_measure(struct worker *self)
{
	self->got[0] = SECOND;
	for (unsigned i = 0; i < 20; i++) {
		uint64_t start = now();
		(void)tss_self_sleep(4 * SLICE + i * TICK);
		uint64_t late = now() - start - 4 * SLICE - i * TICK;
		if (late < self->got[0])
			self->got[0] = late;
	}
}

static void test_turn_after_a_sleep(void)
{
	(void)work(LOW, job_spin, SECOND, 0);
	struct worker *self = work(LOW, job_sleep_and_measure, 0, 0);
	for (unsigned i = 0; i < 400 && !self->done; i++)
		(void)tss_self_sleep(SLICE);
	CHECK_TRUE(self->done);
	CHECK_TRUE(self->got[0] < SLICE);
}

/* Preempted in the middle of its slice, it goes on before its equals. */
static void job_two_marks(struct worker *self)
{
	mark((char)self->a);
	for (uint64_t end = now() + SLICE / 4; now() < end;)
		;
	mark((char)(self->a - 'a' + 'A'));
}

static void test_preempted_goes_on_first(void)
{
	unsigned right = 0;
	for (unsigned i = 0; i < 10 && !right; i++) {
		workers_end();
		(void)work(LOW, job_two_marks, 'a', 0);
		(void)work(LOW, job_two_marks, 'b', 0);
		for (unsigned j = 0; j < 40; j++)
			(void)tss_self_sleep(TICK);
		right = strcmp(trace(), "aAbB") == 0;
	}
	CHECK_TRACE("aAbB");
}

static void test_time_is_charged(void)
{
	const struct tss_inspect_thread *record = (const struct tss_inspect_thread *)tss_ipc()->recv;
	struct worker *spinner = work(LOW, job_spin, 40000, 0), *sleeper = work(HIGH, job_sleep, 10 * SECOND, 0);
	uint64_t ids[2] = {thread_id(spinner->thread), thread_id(sleeper->thread)}, next = 0;
	(void)tss_self_sleep(8000);
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_THREAD, next, 0, &next));
		if (record->id == ids[0])
			CHECK_TRUE(record->time_us >= 4000 && record->time_us <= 40000);
		if (record->id == ids[1]) {
			CHECK_TRUE(record->time_us < 2000);
			CHECK(record->state, TSS_THREAD_SLEEPING);
			CHECK(record->priority, HIGH);
			CHECK(record->slice_us, SLICE);
		}
	} while (next);
	CHECK_TRUE(joined(spinner));
	CHECK_TRUE(ids[0] != ids[1] && ids[0] && ids[1]);
}

const struct test schedule_tests[] = {
	TEST(more_urgent_runs_at_once),
	TEST(less_urgent_waits),
	TEST(most_urgent_first),
	TEST(equals_in_order_of_arrival),
	TEST(yield_lets_equals_run),
	TEST(yield_alone_goes_on),
	TEST(equals_take_turns),
	TEST(turn_after_a_sleep),
	TEST(preempted_goes_on_first),
	TEST(time_is_charged),
	{0},
};
