/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_share.c - how long contexts may run in each period, by when, and what changes it while they run. Times are what the
 * kernel has charged, held to 1 % where the clock is counted. A host that stops the machine takes time from whoever runs.
 */
#include "ktest.h"

#define PERIOD 10000u
#define SHARE 3000u
#define MARGIN 100 /* one part in so many is let pass */

static const struct tss_inspect_thread *record_of(const struct worker *worker)
{
	(void)thread_state(worker->thread); /* leaves the record */
	return (const struct tss_inspect_thread *)tss_ipc()->recv;
}

static uint64_t charged(const struct worker *worker)
{
	return record_of(worker)->time_us;
}

static tss_status_t configure(cap_t sched, uint64_t priority, uint64_t time, uint64_t period, uint64_t deadline)
{
	return tss_sched_configure(SYSTEM, sched, priority | (uint64_t)SLICE << 32, time | period << 32, deadline);
}

/* A worker with a budget; it does not run yet. */
static struct worker *limited(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t time,
			      uint64_t period)
{
	struct worker *worker = worker_new(priority, run, a, 0);
	CHECK_OK(configure(worker->sched, priority, time, period, 0));
	return worker;
}

static void check_about(uint64_t got, uint64_t want)
{
	uint64_t off = got > want ? got - want : want - got;
	CHECK(clock_is_counted() ? off > want / MARGIN : got == 0, false);
}

/* Begins with a new period of the worker's, so that `periods` of them are whole. */
static void check_share(const struct worker *hog, uint64_t periods, uint64_t time, uint64_t period)
{
	CHECK_OK(configure(hog->sched, HIGH, time, period, 0));
	uint64_t before = charged(hog), overruns = record_of(hog)->budget.overruns;
	(void)tss_self_sleep(periods * period - period / 10);
	check_about(charged(hog) - before, periods * time);
	CHECK_TRUE(record_of(hog)->budget.overruns - overruns >= (clock_is_counted() ? periods - 1 : 1));
}

static void test_budget_limits_a_hog(void)
{
	struct worker *hog = limited(HIGH, job_spin, 10 * SECOND, SHARE, PERIOD);
	struct worker *other = work(LOW, job_spin, 10 * SECOND, 0);
	(void)worker_go(hog);
	check_share(hog, 10, SHARE, PERIOD);
	CHECK(record_of(hog)->budget.time_us, SHARE);
	CHECK(record_of(hog)->budget.period_us, PERIOD);
	uint64_t start = now(), before = charged(other), hogs = charged(hog);
	(void)tss_self_sleep(10 * PERIOD);
	CHECK_TRUE(charged(other) - before >= (now() - start - (charged(hog) - hogs)) * 8 / 10);
}

static void test_budgets_do_not_drift(void)
{
	struct worker *hog = worker_go(limited(HIGH, job_spin, 10 * SECOND, 500, 2000));
	check_share(hog, 100, 500, 2000);
}

/* It sleeps whenever it has used most of it, so as to begin a new period before the old one is over. */
static void job_nibble(struct worker *self)
{
	for (uint64_t end = now() + 20 * PERIOD; now() < end;) {
		for (uint64_t stop = now() + self->a; now() < stop;)
			;
		(void)tss_self_sleep(self->b);
	}
}

static void test_who_sleeps_gets_no_more(void)
{
	for (unsigned i = 0; i < 3; i++) {
		static const uint64_t bites[] = {SHARE * 9 / 10, SHARE / 3, 100};
		struct worker *worker = limited(HIGH, job_nibble, bites[i], SHARE, PERIOD);
		worker->b = 1;
		(void)worker_go(worker);
		uint64_t start = now(), before = charged(worker);
		(void)tss_self_sleep(18 * PERIOD);
		uint64_t whole = now() - start, got = charged(worker) - before;
		CHECK_TRUE(got <= whole * SHARE / PERIOD + SHARE + SHARE / MARGIN);
		CHECK_TRUE(got >= whole / 20);
		workers_end();
	}
}

static void test_overrun_is_heard(void)
{
	cap_t event = new_event(), second = new_event();
	uint64_t bits = 0;
	struct worker *hog = limited(HIGH, job_spin, 10 * SECOND, SHARE, PERIOD);
	CHECK_OK(tss_sched_watch(hog->sched, event, 4));
	uint64_t start = now();
	(void)worker_go(hog);
	CHECK_OK(tss_event_wait(event, SECOND, &bits));
	CHECK(bits, 4);
	CHECK_TRUE(now() - start >= SHARE && now() - start < PERIOD);
	CHECK(record_of(hog)->budget.overruns, 1);
	CHECK_OK(tss_sched_watch(hog->sched, second, 1));
	CHECK_OK(destroy(event));
	CHECK_OK(tss_event_wait(second, SECOND, &bits));
	CHECK(bits, 1);
	CHECK_OK(destroy(second));
	(void)tss_self_sleep(2 * PERIOD);
	CHECK_TRUE(record_of(hog)->budget.overruns >= 3);
}

/* Who uses less than it has is never heard of. */
static void test_no_overrun_without_need(void)
{
	struct worker *worker = limited(HIGH, job_nibble, SHARE / 10, PERIOD / 2, PERIOD);
	worker->b = SHARE / 5;
	(void)worker_go(worker);
	(void)tss_self_sleep(10 * PERIOD);
	CHECK(record_of(worker)->budget.overruns, 0);
	CHECK_TRUE(charged(worker) > PERIOD);
}

/* Answers self->b requests, each after self->c microseconds of work. */
static void job_work_for_others(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (; self->got[0] <= self->b; self->got[0]++) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
		if (self->status != TSS_OK)
			return;
		for (uint64_t n = 0; n < self->c; n++)
			self->got[1] += now() & 1;
		mark((char)request.words[0]);
	}
}

static struct worker *server_of(cap_t port)
{
	struct worker *server = worker_new(HIGH, job_work_for_others, port, 100);
	(void)new_reply(port);
	(void)new_reply(port);
	server->c = clock_is_counted() ? 400000 / 22 / 2 : 20000; /* some milliseconds */
	return worker_go(server);
}

static void job_call_and_mark(struct worker *self)
{
	self->c = self->d;
	job_caller(self);
	mark((char)(self->d - 'a' + 'A'));
}

/* The server's time is its client's: it waits for the client's next period, and runs on nobody else's account. */
static void test_budget_pays_for_the_server(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	struct worker *server = server_of(port), *client = limited(LOW, job_call_and_mark, connection, 200, PERIOD);
	client->b = TSS_INFINITE;
	client->d = 'a';
	uint64_t own = charged(server), start = now();
	(void)worker_go(client);
	for (unsigned i = 0; i < 200 && !client->done; i++)
		(void)tss_self_sleep(PERIOD);
	CHECK_TRUE(client->done);
	CHECK_TRUE(now() - start > 2 * PERIOD);
	CHECK_TRUE(charged(server) - own < 100);
	CHECK_TRACE("aA");
}

/* Whoever else calls the server helps it: he does not wait for the other's next period. */
static void test_server_of_a_spent_client_is_helped(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)server_of(port);
	struct worker *poor = limited(LOW, job_call_and_mark, connection, 200, 10 * SECOND);
	struct worker *rich = worker_new(LOW, job_call_and_mark, connection, TSS_INFINITE);
	poor->b = TSS_INFINITE;
	poor->d = 'a';
	rich->d = 'b';
	(void)worker_go(poor);
	(void)tss_self_sleep(4 * SLICE);
	CHECK(record_of(poor)->budget.overruns, 1);
	CHECK_TRACE("");
	CHECK_TRUE(joined(worker_go(rich)));
	CHECK_TRACE("abB");
	CHECK_TRUE(!poor->done);
	CHECK_OK(configure(poor->sched, LOW, 0, 0, 0));
	CHECK_TRUE(joined(poor));
	CHECK_TRACE("abBA");
}

static void job_mark_letter(struct worker *self)
{
	mark((char)self->a);
}

static struct worker *due(char letter, unsigned priority, uint64_t deadline)
{
	struct worker *worker = limited(priority, job_mark_letter, (uint64_t)letter, PERIOD, SECOND);
	CHECK_OK(configure(worker->sched, priority, PERIOD, SECOND, deadline));
	return worker_go(worker);
}

static void test_earliest_deadline_first(void)
{
	(void)due('d', LOW, 800000);
	(void)work(LOW, job_mark_letter, 'f', 0);
	(void)due('b', LOW, 400000);
	(void)due('e', LOW, 900000);
	(void)due('a', LOW, 200000);
	(void)due('c', LOW, 600000);
	(void)due('g', LOW - 1, 100000);
	(void)due('h', LOW - 1, 0);
	(void)tss_self_sleep(10 * TICK);
	CHECK_TRACE("abcdefgh");
}

/* Marks its letter when it has slept and, in capitals, when it has worked for as long as it is let. */
static void job_wake_and_work(struct worker *self)
{
	self->status = tss_self_sleep(self->b);
	mark((char)self->a);
	while (!self->got[0])
		self->got[1]++;
	mark((char)(self->a - 'a' + 'A'));
}

static void test_earlier_deadline_preempts(void)
{
	static const uint64_t deadlines[] = {0, 900000, 300000};
	struct worker *workers[3];
	for (unsigned i = 0; i < 3; i++) {
		workers[i] = worker_new(LOW, job_wake_and_work, 'a' + i, 0);
		CHECK_OK(tss_sched_configure(SYSTEM, workers[i]->sched, LOW | (uint64_t)TSS_SLICE_MAX_US << 32,
					     SECOND | SECOND << 32, deadlines[i])); /* no end of a slice helps */
		workers[i]->b = (i + 1) * PERIOD; /* each comes while the one before it works */
		(void)worker_go(workers[i]);
	}
	(void)tss_self_sleep(5 * PERIOD);
	CHECK_TRACE("abc");
	for (unsigned i = 0; i < 3; i++)
		workers[i]->got[0] = 1;
	CHECK_TRUE(joined(workers[0]));
	CHECK_TRACE("abcCBA");
}

static void job_lower_itself(struct worker *self)
{
	mark('a');
	self->status = configure(self->sched, LOW, 0, 0, 0);
	mark('c');
}

static void test_configure_the_current(void)
{
	struct worker *self = worker_new(MEDIUM, job_lower_itself, 0, 0);
	(void)worker_go(self);
	(void)work(MEDIUM - 1, job_mark_letter, 'b', 0);
	rest();
	CHECK_TRACE("abc");
	CHECK_OK(self->status);
}

static void test_configure_the_queued(void)
{
	struct worker *a = worker_go(worker_new(LOW, job_mark_letter, 'a', 0));
	(void)worker_go(worker_new(LOW, job_mark_letter, 'b', 0));
	struct worker *c = worker_go(worker_new(LOW, job_mark_letter, 'c', 0));
	CHECK_OK(configure(a->sched, LOW - 1, 0, 0, 0));
	CHECK_OK(configure(c->sched, LOW + 1, 0, 0, 0));
	rest();
	CHECK_TRACE("cba");
	struct worker *now_urgent = worker_go(worker_new(LOW, job_mark_letter, 'd', 0));
	CHECK_OK(configure(now_urgent->sched, HIGH, SHARE, PERIOD, 0));
	mark('e');
	CHECK_TRACE("cbade");
}

static void job_hear_and_mark(struct worker *self)
{
	self->status = tss_event_wait((cap_t)self->b, TSS_INFINITE, NULL);
	mark((char)self->a);
}

static void test_configure_the_parked(void)
{
	struct worker *workers[2];
	for (unsigned i = 0; i < 2; i++) {
		workers[i] = worker_new(LOW + i, job_hear_and_mark, 'a' + i, 0);
		workers[i]->b = new_event();
		(void)worker_go(workers[i]);
		while (thread_state(workers[i]->thread) != TSS_THREAD_WAITING)
			(void)tss_self_sleep(TICK);
		CHECK_OK(configure(workers[i]->sched, LOW + 2 - 2 * i, SHARE, PERIOD, 0));
	}
	CHECK_OK(tss_event_signal((cap_t)workers[1]->b, 1));
	CHECK_OK(tss_event_signal((cap_t)workers[0]->b, 1));
	CHECK_TRUE(joined(workers[0]) && joined(workers[1]));
	CHECK_TRACE("ab");
}

/* A new budget ends the wait for the next period at once. */
static void test_configure_the_spent(void)
{
	struct worker *hog = worker_go(limited(HIGH, job_spin, 10 * SECOND, SHARE, 10 * SECOND));
	(void)tss_self_sleep(SLICE);
	uint64_t before = charged(hog);
	(void)tss_self_sleep(PERIOD);
	CHECK(charged(hog), before);
	check_about(before, SHARE);
	CHECK_OK(configure(hog->sched, HIGH, SHARE, 10 * SECOND, 0));
	(void)tss_self_sleep(SLICE);
	check_about(charged(hog), 2 * SHARE);
	CHECK_OK(configure(hog->sched, LOW, 0, 0, 0));
	(void)tss_self_sleep(PERIOD);
	check_about(charged(hog), 2 * SHARE + PERIOD);
}

static struct worker *spend(void)
{
	struct worker *hog = worker_go(limited(HIGH, job_spin, 10 * SECOND, 200, 10 * SECOND));
	(void)tss_self_sleep(SLICE);
	CHECK(record_of(hog)->budget.overruns, 1);
	return hog;
}

static void test_end_of_the_spent(void)
{
	struct worker *first = spend();
	CHECK_OK(destroy(first->sched));
	first->sched = TSS_CAP_NULL;
	struct worker *second = spend();
	CHECK_OK(destroy(second->thread));
	second->thread = TSS_CAP_NULL;
	struct worker *third = worker_new(LOW, job_mark_letter, 'a', 0);
	CHECK_OK(tss_thread_start(third->thread, second->sched)); /* what is spent stays so */
	(void)tss_self_sleep(PERIOD);
	CHECK_TRACE("");
	CHECK_OK(configure(second->sched, LOW, SHARE, PERIOD, 0));
	CHECK_TRUE(joined(third));
	(void)spend();
}

static void test_place_the_spent(void)
{
	const struct tss_inspect_counters *counters = (const struct tss_inspect_counters *)tss_ipc()->recv;
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL));
	uint64_t cpus = counters->cpus;
	struct worker *hog = worker_go(limited(HIGH, job_spin, 10 * SECOND, SHARE, PERIOD));
	cap_t event = new_event();
	CHECK_OK(tss_sched_watch(hog->sched, event, 1));
	for (unsigned i = 0; i < 8; i++) {
		uint64_t bits = 0;
		CHECK_OK(tss_event_wait(event, SECOND, &bits)); /* from whichever CPU it is on */
		CHECK_OK(tss_sched_place(SYSTEM, hog->sched, i % cpus));
	}
	check_share(hog, 10, SHARE, PERIOD);
}

static void test_configure_refusals(void)
{
	cap_t sched = new_sched(LOW), event = new_event();
	const uint64_t slice = (uint64_t)SLICE << 32, ten = (uint64_t)PERIOD << 32;
	CHECK(tss_sched_configure(SYSTEM, sched, 256 | slice, 0, 0), E(ARGUMENT, 3));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW, 0, 0), E(ARGUMENT, 3));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | (TSS_SLICE_MAX_US + 1ull) << 32, 0, 0), E(ARGUMENT, 3));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, 1, 0), E(ARGUMENT, 4));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, (PERIOD + 1) | ten, 0), E(ARGUMENT, 4));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, (TSS_SLICE_MIN_US - 1) | ten, 0), E(ARGUMENT, 4));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, SHARE | (TSS_PERIOD_MAX_US + 1ull) << 32, 0),
	      E(ARGUMENT, 4));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, SHARE | ten, PERIOD + 1), E(ARGUMENT, 5));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, 0, 1), E(ARGUMENT, 5));
	CHECK(tss_sched_configure(SYSTEM, sched, LOW | slice, SHARE | ten, ~0ull), E(ARGUMENT, 5));
	CHECK(tss_sched_configure(SYSTEM, derive(sched, TSS_RIGHT_GRANT), LOW | slice, 0, 0), E(RIGHTS, 2));
	CHECK(tss_sched_watch(derive(sched, TSS_RIGHT_GRANT), event, 1), E(RIGHTS, 1));
	CHECK(tss_sched_watch(sched, derive(event, TSS_RIGHT_WAIT), 1), E(RIGHTS, 2));
	CHECK_OK(tss_sched_configure(SYSTEM, sched, 255 | slice, PERIOD | ten, PERIOD));
	CHECK_OK(tss_sched_configure(SYSTEM, sched, slice, 0, 0));
}

const struct test share_tests[] = {
	TEST(budget_limits_a_hog),
	TEST(budgets_do_not_drift),
	TEST(who_sleeps_gets_no_more),
	TEST(overrun_is_heard),
	TEST(no_overrun_without_need),
	TEST(budget_pays_for_the_server),
	TEST(server_of_a_spent_client_is_helped),
	TEST(earliest_deadline_first),
	TEST(earlier_deadline_preempts),
	TEST(configure_the_current),
	TEST(configure_the_queued),
	TEST(configure_the_parked),
	TEST(configure_the_spent),
	TEST(end_of_the_spent),
	TEST(place_the_spent),
	TEST(configure_refusals),
	{0},
};
