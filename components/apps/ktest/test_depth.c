/* SPDX-License-Identifier: BSD-2-Clause */
/* test_depth.c - circles and long chains of calls. */
#include "ktest.h"

static const uint64_t none[4];
static cap_t ports[WORKERS], ways[WORKERS];

static void ports_new(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		ports[i] = new_port(1);
		(void)new_reply(ports[i]);
		ways[i] = new_connection(ports[i], 1);
	}
}

static tss_status_t call(cap_t connection, uint64_t timeout)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	return tss_connection_call(connection, &tag, words, timeout);
}

static void test_calling_oneself(void)
{
	struct tss_request request;
	ports_new(1);
	CHECK(receive(ports[0], &request, 0), E(TIMEOUT, 0));
	CHECK(call(ways[0], SECOND), E(DEPTH, 1));
	CHECK(call(ways[0], TSS_INFINITE), E(DEPTH, 1));
	CHECK(call(ways[0], 0), E(TIMEOUT, 0));
}

/* Receives on port a, then calls on way b, then answers. */
static void job_pass_on(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	(void)tss_port_receive(ports[self->a], &request, self->c ? self->c : TSS_INFINITE);
	self->status = call(ways[self->b], 20000);
	if (request.reply)
		(void)tss_reply_send(request.reply, TSS_TAG(2, 0, 0), none);
}

static void test_circle_of_two(void)
{
	ports_new(2);
	struct worker *first = work(HIGH, job_pass_on, 0, 1), *second = work(HIGH, job_pass_on, 1, 0);
	CHECK_OK(call(ways[0], SECOND));
	CHECK_OK(first->status);
	CHECK(second->status, E(DEPTH, 1));
}

static void test_circle_of_five(void)
{
	struct worker *workers[5];
	ports_new(5);
	for (unsigned i = 0; i < 5; i++)
		workers[i] = work(HIGH, job_pass_on, i, (i + 1) % 5);
	CHECK_OK(call(ways[0], SECOND));
	for (unsigned i = 0; i < 5; i++)
		CHECK(workers[i]->status, i == 4 ? E(DEPTH, 1) : TSS_OK);
}

/* Built from its end: each calls one who is already waiting in a call. 16 links are followed, the 17th is refused. */
static void job_wait_then_call(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive(ports[self->a], &request, 0);
	self->status = self->a == 0 ? tss_self_sleep(20000) : call(ways[self->a - 1], 15000);
}

static void test_seventeenth_link_is_refused(void)
{
	struct worker *workers[18];
	ports_new(18);
	for (unsigned i = 0; i < 18; i++)
		workers[i] = work(HIGH, job_wait_then_call, i, 0);
	for (unsigned i = 0; i < 18; i++)
		CHECK_TRUE(joined(workers[i]));
	for (unsigned i = 0; i < 17; i++)
		CHECK(workers[i]->status, E(TIMEOUT, 0));
	CHECK(workers[17]->status, E(DEPTH, 1));
}

/*
 * Built by direct calls; the last one works on and is preempted, so that the chain has to be followed again. One who was
 * refused answers, and can call then: nobody waits for it any more.
 */
static uint64_t pass_timeout, pass_late;
static tss_tag_t pass_tag;
static tss_status_t pass(cap_t connection)
{
	tss_tag_t tag = pass_tag;
	uint64_t words[4] = {0};
	tss_ipc()->send_caps[0] = SELF;
	return tss_connection_call(connection, &tag, words, pass_timeout);
}

static void job_pass_or_spin(struct worker *self)
{
	struct tss_request request;
	tss_ipc()->recv_slots[0] = 0;
	if (pass_late && self->a == pass_late)
		(void)tss_self_sleep(5000);
	(void)tss_port_receive(ports[self->a], &request, TSS_INFINITE);
	if (self->b)
		for (uint64_t end = now() + 2000; now() < end;)
			;
	else
		self->status = pass(ways[self->a + 1]);
	(void)tss_reply_send(request.reply, TSS_TAG(2, 0, 0), none);
	if (self->status != TSS_OK)
		self->got[0] = call(ways[self->a + 1], SECOND) + 1;
}

static void job_interrupt(struct worker *self)
{
	for (self->got[0] = 0; self->got[0] < 40; self->got[0]++)
		(void)tss_self_sleep(TICK);
}

/* The main thread's call is the first link; that of worker 15 would be the 17th. */
static void chain(unsigned length, unsigned priority, uint64_t timeout, tss_tag_t tag)
{
	struct worker *workers[WORKERS];
	ports_new(length);
	pass_timeout = timeout;
	pass_tag = tag;
	for (unsigned i = 0; i < length; i++)
		workers[i] = work(priority, job_pass_or_spin, i, i == length - 1);
	rest();
	struct worker *interrupter = work(HIGH + 50, job_interrupt, 0, 0);
	CHECK_OK(call(ways[0], SECOND / 4));
	for (unsigned i = 0; i < length; i++) {
		CHECK_TRUE(joined(workers[i]));
		CHECK(workers[i]->status, i == 15 && length > 16 ? E(DEPTH, 1) : TSS_OK);
	}
	if (length > 16)
		CHECK(workers[15]->got[0], TSS_OK + 1);
	CHECK_TRUE(joined(interrupter));
}

static void test_chain_of_sixteen(void)
{
	chain(16, HIGH, SECOND, TSS_TAG(1, 0, 0));
}

static void test_chain_of_seventeen(void)
{
	chain(17, HIGH, SECOND, TSS_TAG(1, 0, 0));
}

static void test_chain_of_twenty_two(void)
{
	chain(22, HIGH, TSS_INFINITE, TSS_TAG(1, 0, 0));
}

/* One in the middle comes late: its caller waits in the queue, and counts all the same. */
static void test_chain_with_a_queued_link(void)
{
	pass_late = 8;
	chain(17, HIGH, SECOND, TSS_TAG(1, 0, 0));
	pass_late = 0;
}

static void test_chain_of_long_messages(void)
{
	chain(17, HIGH, TSS_INFINITE, TSS_TAG(1, 100, 0));
}

static void test_chain_of_twenty_two_below(void)
{
	(void)work(LOW - 1, job_spin, SECOND, 0);
	chain(22, LOW, TSS_INFINITE, TSS_TAG(1, 0, 0));
}

/* Receives, and calls on when its caller has given up: there is one link less then. */
static void job_pass_late(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive(ports[self->a], &request, TSS_INFINITE);
	if (self->b)
		(void)tss_self_sleep(5000);
	self->status = call(ways[self->a + 1], SECOND);
	(void)tss_reply_send(request.reply, TSS_TAG(2, 0, 0), none);
}

static void test_room_when_a_caller_gives_up(void)
{
	struct worker *workers[17];
	ports_new(17);
	for (unsigned i = 0; i < 16; i++)
		workers[i] = work(HIGH, job_pass_late, i, i == 15);
	workers[16] = work(HIGH, job_server, ports[16], 1);
	CHECK(call(ways[0], 2000), E(TIMEOUT, 0));
	for (unsigned i = 0; i < 17; i++) {
		CHECK_TRUE(joined(workers[i]));
		CHECK_OK(workers[i]->status);
	}
}

/* What a thread was once deep in does not count when it waits for nobody and nobody for it. */
static void job_receive_twice(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	(void)tss_port_receive(ports[15], &request, TSS_INFINITE);
	request.tag = TSS_TAG(2, 0, 0);
	self->got[0] = tss_port_reply_receive(ports[15], &request, self->a ? TSS_INFINITE : 2000);
	self->status = call(ways[16], SECOND);
}

static void depth_forgotten(bool by_message)
{
	struct worker *deep;
	ports_new(17);
	for (unsigned i = 0; i < 15; i++)
		(void)work(HIGH, job_pass_late, i, 0);
	deep = work(HIGH, job_receive_twice, by_message, 0);
	(void)work(HIGH, job_server, ports[16], 1);
	CHECK_OK(call(ways[0], SECOND));
	if (by_message)
		CHECK_OK(tss_connection_send(ways[15], TSS_TAG(1, 0, 0), none));
	CHECK_TRUE(joined(deep));
	CHECK(deep->got[0], by_message ? TSS_OK : E(TIMEOUT, 0));
	CHECK_OK(deep->status);
}

static void test_depth_is_forgotten_after_a_timeout(void)
{
	depth_forgotten(false);
}

static void test_depth_is_forgotten_with_a_message(void)
{
	depth_forgotten(true);
}

const struct test depth_tests[] = {
	TEST(calling_oneself),
	TEST(circle_of_two),
	TEST(circle_of_five),
	TEST(seventeenth_link_is_refused),
	TEST(chain_of_sixteen),
	TEST(chain_of_seventeen),
	TEST(chain_of_long_messages),
	TEST(chain_with_a_queued_link),
	TEST(room_when_a_caller_gives_up),
	TEST(depth_is_forgotten_after_a_timeout),
	TEST(depth_is_forgotten_with_a_message),
	TEST(chain_of_twenty_two),
	TEST(chain_of_twenty_two_below),
	{0},
};
