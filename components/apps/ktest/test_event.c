/* SPDX-License-Identifier: BSD-2-Clause */
/* test_event.c - events: bits gather, are taken once, wake one waiter, or arrive at the bound port. */
#include "ktest.h"

static void job_wait(struct worker *self)
{
	uint64_t bits = 0;
	self->status = tss_event_wait((cap_t)self->a, self->b, &bits);
	self->got[0] = bits;
}

static void test_bits_gather_and_are_taken_once(void)
{
	cap_t event = new_event();
	uint64_t bits = 77;
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	CHECK_OK(tss_event_signal(event, 0));
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	CHECK(bits, 77);
	CHECK_OK(tss_event_signal(event, 5));
	CHECK_OK(tss_event_signal(event, 1ull << 63));
	CHECK_OK(tss_event_wait(event, TSS_INFINITE, &bits));
	CHECK(bits, 5 | 1ull << 63);
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	CHECK(tss_event_wait(event, TSS_TIMEOUT_MAX + 1, &bits), E(ARGUMENT, 2));
	CHECK(tss_event_wait(event, TSS_INFINITE - 1, &bits), E(ARGUMENT, 2));
	CHECK(tss_event_wait(event, 1ull << 63, &bits), E(ARGUMENT, 2));
}

static void test_waiter_is_woken(void)
{
	cap_t event = new_event();
	uint64_t bits;
	struct worker *waiter = work(HIGH, job_wait, event, SECOND);
	CHECK(tss_event_wait(event, 0, &bits), E(BUSY, 1));
	CHECK(tss_event_wait(event, SECOND, &bits), E(BUSY, 1));
	CHECK_OK(tss_event_signal(event, 0));
	CHECK_TRUE(!waiter->done);
	CHECK_OK(tss_event_signal(event, 9));
	CHECK_TRUE(waiter->done);
	CHECK_OK(waiter->status);
	CHECK(waiter->got[0], 9);
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
}

static void test_wait_times_out(void)
{
	cap_t event = new_event();
	struct worker *waiter = work(HIGH, job_wait, event, 1500);
	uint64_t bits = 0;
	CHECK_TRUE(joined(waiter));
	CHECK(waiter->status, E(TIMEOUT, 0));
	CHECK_OK(tss_event_signal(event, 3));
	CHECK_OK(tss_event_wait(event, 0, &bits));
	CHECK(bits, 3);
}

static void test_event_deleted_under_the_waiter(void)
{
	cap_t event = new_event();
	struct worker *waiter = work(HIGH, job_wait, event, TSS_INFINITE);
	CHECK_OK(destroy(event));
	CHECK_TRUE(waiter->done);
	CHECK(waiter->status, E(CANCELLED, 1));
	CHECK(waiter->got[0], 0);
}

static void job_receive(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, self->b);
	self->got[0] = request.tag;
	self->got[1] = request.words[0];
	self->got[2] = request.badge | request.reply | request.words[1] | request.words[2] | request.words[3];
}

static void test_bound_event_arrives_at_the_port(void)
{
	cap_t port = new_port(1), event = new_event();
	CHECK_OK(tss_event_signal(event, 0x10));
	struct worker *receiver = work(HIGH, job_receive, port, SECOND);
	CHECK_OK(tss_event_bind(event, port));
	CHECK_TRUE(receiver->done);
	CHECK_OK(receiver->status);
	CHECK(receiver->got[0], TSS_TAG(TSS_MSG_EVENT, 8, 0));
	CHECK(receiver->got[1], 0x10);
	CHECK(receiver->got[2], 0);
	struct tss_request request;
	CHECK_OK(tss_event_signal(event, 1));
	CHECK_OK(tss_event_signal(event, 2));
	CHECK_OK(receive(port, &request, TSS_INFINITE));
	CHECK(request.words[0], 3);
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
}

static void test_bind_refusals(void)
{
	cap_t port = new_port(1), other = new_port(1), event = new_event(), second = new_event();
	CHECK(tss_event_bind(event, event), E(TYPE, 2));
	CHECK(tss_event_bind(event, TSS_CAP_NULL), E(CAPABILITY, 2));
	CHECK(tss_event_bind(event, derive(port, TSS_RIGHT_CONTROL)), E(RIGHTS, 2));
	CHECK(tss_event_bind(derive(event, TSS_RIGHT_SIGNAL | TSS_RIGHT_WAIT), port), E(RIGHTS, 1));
	CHECK_OK(tss_event_bind(event, port));
	CHECK(tss_event_bind(event, other), E(BUSY, 1));
	CHECK(tss_event_bind(event, port), E(BUSY, 1));
	CHECK(tss_event_bind(second, port), E(BUSY, 2));
	CHECK_OK(destroy(event));
	CHECK_OK(tss_event_bind(second, port));
	CHECK_OK(destroy(port));
	CHECK_OK(tss_event_bind(second, other));
}

/* A reply that could go straight back must not pass over bits that came meanwhile. */
static void job_event_server(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned i = 0; i < 4 && self->status == TSS_OK; i++) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
		mark(TSS_TAG_TYPE(request.tag) == TSS_MSG_EVENT ? 'e' : (char)request.words[0]);
		if (TSS_TAG_TYPE(request.tag) == TSS_MSG_EVENT)
			request.reply = TSS_CAP_NULL, request.tag = 0;
		else if (request.words[0] == 'a')
			(void)tss_event_signal((cap_t)self->b, 1);
	}
	if (request.reply)
		(void)tss_reply_send(request.reply, TSS_TAG(0, 0, 0), request.words);
}

static void test_bits_during_service_come_next(void)
{
	cap_t port = new_port(1), event = new_event(), connection = new_connection(port, 1);
	(void)new_reply(port);
	CHECK_OK(tss_event_bind(event, port));
	struct worker *server = work(HIGH, job_event_server, port, event);
	for (const char *c = "abc"; *c; c++) {
		tss_tag_t tag = TSS_TAG(1, 8, 0);
		uint64_t words[4] = {(uint64_t)*c};
		CHECK_OK(tss_connection_call(connection, &tag, words, TSS_INFINITE));
	}
	CHECK_TRUE(joined(server));
	CHECK_TRACE("aebc");
}

const struct test event_tests[] = {
	TEST(bits_gather_and_are_taken_once),
	TEST(waiter_is_woken),
	TEST(wait_times_out),
	TEST(event_deleted_under_the_waiter),
	TEST(bound_event_arrives_at_the_port),
	TEST(bind_refusals),
	TEST(bits_during_service_come_next),
	{0},
};
