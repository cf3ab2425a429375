/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_inherit.c - a server works as urgently as the most urgent of those who wait for it, however they wait and however
 * deep, and no longer than they wait; and whatever happens to them, it goes on.
 */
#include "ktest.h"

#define BOTTOM 50
static const uint64_t none[4];
static volatile bool release;
static volatile cap_t held;

static cap_t port_with_reply(void)
{
	cap_t port = new_port(2);
	(void)new_reply(port);
	(void)new_reply(port);
	return port;
}

/* Serves b requests; each takes c microseconds of work, or of sleep if d. */
static void job_slow_server(struct worker *self)
{
	struct tss_request request;
	for (; self->got[0] < self->b; self->got[0]++) {
		self->status = tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
		held = request.reply;
		if (self->d)
			(void)tss_self_sleep(self->c);
		for (uint64_t end = now() + self->c; !self->d && now() < end && !release;)
			;
		mark('s');
		self->status = tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none);
	}
	mark('e');
}

static struct worker *slow_server(unsigned priority, cap_t port, unsigned requests, uint64_t us, bool sleeps)
{
	struct worker *server = worker_new(priority, job_slow_server, port, requests);
	release = false;
	held = TSS_CAP_NULL;
	server->c = us;
	server->d = sleeps;
	return worker_go(server);
}

/* Receives on a, calls b, answers. */
static void job_middle(struct worker *self)
{
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->status = tss_connection_call((cap_t)self->b, &tag, words, SECOND);
	(void)tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none);
}

static void test_inversion_three_deep(void)
{
	cap_t low = port_with_reply(), middle = port_with_reply();
	struct worker *server = slow_server(BOTTOM, low, 1, 1500, true);
	struct worker *between = work(BOTTOM + 1, job_middle, middle, new_connection(low, 1));
	rest();
	struct worker *caller = work(HIGH, job_caller, new_connection(middle, 1), SECOND);
	struct worker *spinner = work(MEDIUM, job_spin, SECOND, 0);
	CHECK_TRUE(!caller->done);
	(void)tss_self_sleep(20000);
	CHECK_TRUE(spinner->got[0] > 0 && !spinner->done);
	CHECK_TRUE(caller->done);
	CHECK_OK(caller->status);
	CHECK_OK(between->status);
	CHECK(server->got[0], 0);
}

static void test_queued_caller_helps(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 2, 50000, false);
	struct worker *first = work(BOTTOM - 10, job_caller, connection, SECOND);
	for (unsigned i = 0; i < 100 && !held; i++)
		(void)tss_self_sleep(TICK);
	struct worker *spinner = work(MEDIUM, job_spin, SECOND, 0);
	CHECK(server->got[0], 0);
	struct worker *second = work(HIGH, job_caller, connection, SECOND);
	CHECK_TRUE(second->done);
	CHECK_OK(second->status);
	CHECK(spinner->got[0], 0);
	CHECK_TRUE(!first->done);
}

static void test_donation_ends_with_the_reply(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 1, 200, false);
	rest();
	struct worker *spinner = work(MEDIUM, job_spin, SECOND, 0);
	struct worker *caller = work(HIGH, job_caller, connection, SECOND);
	CHECK_TRUE(caller->done);
	CHECK_TRACE("s");
	(void)tss_self_sleep(1000);
	CHECK_TRACE("s");
	stop_spinning = true;
	CHECK_TRUE(joined(spinner));
	CHECK_TRUE(joined(server));
	CHECK_TRACE("se");
}

static void test_helper_times_out(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 1, SECOND, false);
	rest();
	uint64_t start = now();
	struct worker *caller = work(HIGH, job_caller, connection, 2000);
	uint64_t took = now() - start;
	CHECK_TRUE(caller->done);
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK_TRUE(took >= 2000);
	CHECK(server->got[0], 0);
	release = true;
	CHECK_TRUE(joined(server));
	CHECK(server->status, E(GONE, 1));
}

/* The caller ends, by its thread or by its scheduling context, while the server runs on its time. */
static void caller_ends(bool by_sched)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 1, SECOND, false);
	rest();
	struct worker *caller = work(MEDIUM, job_caller, connection, SECOND);
	for (unsigned i = 0; i < 100 && !held; i++)
		(void)tss_self_sleep(TICK);
	CHECK(server->got[0], 0);
	CHECK(thread_state(caller->thread), TSS_THREAD_CALLING);
	cap_t *doomed = by_sched ? &caller->sched : &caller->thread;
	CHECK_OK(destroy(*doomed));
	*doomed = TSS_CAP_NULL;
	release = true;
	CHECK_TRUE(joined(server));
	CHECK(server->status, E(GONE, 1));
	CHECK_TRUE(!caller->done);
}

static void test_caller_deleted_while_served(void)
{
	caller_ends(false);
}

static void test_callers_context_deleted_while_served(void)
{
	caller_ends(true);
}

/* The server works on its caller's time when another thread answers the caller: it must go on with its own. */
static void answered_by_another(bool reply_receive)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 1, SECOND, false);
	rest();
	struct worker *caller = work(MEDIUM, job_caller, connection, SECOND);
	for (unsigned i = 0; i < 100 && !held; i++)
		(void)tss_self_sleep(TICK);
	struct tss_request request = {.reply = held, .tag = TSS_TAG(0, 0, 0)};
	if (reply_receive)
		CHECK(tss_port_reply_receive(new_port(0), &request, 0), E(TIMEOUT, 0));
	else
		CHECK_OK(tss_reply_send(held, TSS_TAG(0, 0, 0), none));
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
	release = true;
	CHECK_TRUE(joined(server));
	CHECK(server->status, E(CAPABILITY, 1));
}

static void test_answered_by_another_thread(void)
{
	answered_by_another(false);
}

static void test_answered_by_another_thread_and_receive(void)
{
	answered_by_another(true);
}

/* Receives, gives the request up to the main thread, and goes on receiving. */
static void job_defer(struct worker *self)
{
	struct tss_request request;
	for (; self->got[0] < 2; self->got[0]++) {
		self->status = tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
		held = request.reply;
	}
	mark('d');
}

/* A server that went back to receiving works for nobody: who waits for its answer lends it nothing. */
static void test_deferred_reply_lends_nothing(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = work(BOTTOM, job_defer, port, 0);
	rest();
	struct worker *caller = work(HIGH, job_caller, connection, SECOND);
	cap_t reply = held;
	struct worker *spinner = work(MEDIUM, job_spin, SECOND, 0);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 0, 0), none));
	(void)tss_self_sleep(1000);
	CHECK_TRACE("");
	stop_spinning = true;
	CHECK_TRUE(joined(spinner));
	CHECK_TRUE(joined(server));
	CHECK_TRACE("d");
	CHECK_OK(tss_reply_send(reply, TSS_TAG(0, 0, 0), none));
	CHECK_TRUE(caller->done);
}

/* The server's own context goes away: it ends, its caller's time-out still runs. */
static void test_servers_context_deleted(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	struct worker *server = slow_server(BOTTOM, port, 1, SECOND, false);
	rest();
	struct worker *caller = work(MEDIUM, job_caller, connection, 8000);
	for (unsigned i = 0; i < 100 && !held; i++)
		(void)tss_self_sleep(TICK);
	CHECK_OK(destroy(server->sched));
	server->sched = TSS_CAP_NULL;
	CHECK(thread_state(server->thread), TSS_THREAD_ENDED);
	CHECK_TRUE(joined(caller));
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK_TRUE(!server->done);
}

/*
 * H calls C, C calls S, S sleeps; H gives up and calls W, which answers C in S's place. C goes on, though H waits for W
 * still, and S, whom C's own context waited with, does not wake.
 */
static cap_t to_middle, to_low;
static void job_gives_up_and_calls_again(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	self->status = tss_connection_call(to_middle, &tag, words, 1000);
	(void)tss_self_sleep(5000);
	tag = TSS_TAG(1, 0, 0);
	self->got[0] = tss_connection_call(to_low, &tag, words, TSS_INFINITE);
}

static void job_call_then_spin(struct worker *self)
{
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->status = tss_connection_call(to_low, &tag, words, TSS_INFINITE);
	for (uint64_t end = now() + 2000; now() < end;)
		;
}

static void job_hold(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	held = request.reply;
	(void)tss_self_sleep(TSS_INFINITE);
}

static void job_answer_held(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	request.reply = held;
	(void)tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
}

static void test_answered_on_borrowed_time(void)
{
	cap_t middle = port_with_reply(), low = port_with_reply();
	to_middle = new_connection(middle, 1);
	to_low = new_connection(low, 1);
	(void)work(BOTTOM, job_hold, low, 0);
	struct worker *between = work(BOTTOM, job_call_then_spin, middle, 0);
	rest();
	struct worker *top = work(BOTTOM + 10, job_gives_up_and_calls_again, 0, 0);
	rest();
	(void)work(BOTTOM, job_answer_held, low, 0);
	for (unsigned i = 0; i < 60; i++)
		(void)tss_self_sleep(2 * TICK);
	CHECK(top->status, E(TIMEOUT, 0));
	CHECK_TRUE(joined(between));
	CHECK_OK(between->status);
	CHECK_TRUE(!top->done);
}

/*
 * Two threads receive from one port in turn. The last to receive sleeps, so the caller in the queue lends its time in
 * vain; when the other comes back for the next request it has the caller's priority, hog or no hog.
 */
static void job_alternate(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	mark('1');
	(void)tss_self_sleep(4000);
	request.tag = TSS_TAG(0, 0, 0);
	(void)tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
	for (uint64_t end = now() + 1000; now() < end;)
		;
	mark('3');
	(void)tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none);
}

static void job_second_receiver(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	mark('2');
	(void)tss_self_sleep(SECOND);
}

static void job_hog(struct worker *self)
{
	job_spin(self);
	mark('h');
}

static void test_receivers_alternate(void)
{
	cap_t port = port_with_reply(), connection = new_connection(port, 1);
	(void)new_reply(port);
	(void)work(HIGH + 10, job_alternate, port, 0);
	struct worker *first = work(HIGH + 20, job_caller, connection, SECOND);
	(void)work(BOTTOM, job_second_receiver, port, 0);
	(void)work(BOTTOM, job_caller, connection, SECOND);
	rest();
	CHECK_TRACE("12");
	struct worker *urgent = work(HIGH + 20, job_caller, connection, SECOND);
	(void)work(HIGH + 15, job_hog, 30000, 0);
	CHECK_TRUE(joined(urgent));
	CHECK_OK(urgent->status);
	CHECK_OK(first->status);
	CHECK_TRACE("123h");
}

const struct test inherit_tests[] = {
	TEST(inversion_three_deep),
	TEST(queued_caller_helps),
	TEST(donation_ends_with_the_reply),
	TEST(helper_times_out),
	TEST(caller_deleted_while_served),
	TEST(callers_context_deleted_while_served),
	TEST(answered_by_another_thread),
	TEST(answered_by_another_thread_and_receive),
	TEST(deferred_reply_lends_nothing),
	TEST(servers_context_deleted),
	TEST(answered_on_borrowed_time),
	TEST(receivers_alternate),
	{0},
};
