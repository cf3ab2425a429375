/* SPDX-License-Identifier: BSD-2-Clause */
/* test_queue.c - the port's queue: places, order of arrival, one receiver, timeouts of those who wait, the port's end. */
#include "ktest.h"

static const uint64_t none[4];

static struct worker *call_with_word(unsigned priority, cap_t connection, uint64_t timeout, char c)
{
	struct worker *caller = worker_new(priority, job_caller, connection, timeout);
	caller->c = (uint64_t)c;
	return worker_go(caller);
}

static void test_queue_full(void)
{
	cap_t port = new_port(3), connection = new_connection(port, 9);
	struct tss_request request;
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(tss_connection_send(connection, TSS_TAG(i, 8, 0), (uint64_t[4]){i, 1, 2, 3}));
	CHECK(tss_connection_send(connection, TSS_TAG(9, 0, 0), none), E(FULL, 1));
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, TSS_TAG(0, 8, 0));
	CHECK(request.badge, 9);
	CHECK(request.reply, 0);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(3, 0, 0), none));
	CHECK(tss_connection_send(connection, TSS_TAG(9, 0, 0), none), E(FULL, 1));
	for (unsigned i = 1; i < 4; i++) {
		CHECK_OK(receive(port, &request, 0));
		CHECK(TSS_TAG_TYPE(request.tag), i);
	}
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
}

static void test_queue_without_places(void)
{
	cap_t port = new_port(0);
	CHECK(tss_connection_send(new_connection(port, 9), TSS_TAG(1, 0, 0), none), E(FULL, 1));
}

static void test_long_messages_wait_unchanged(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 9);
	struct tss_request request;
	memset(tss_ipc()->send, 0x11, TSS_MESSAGE_MAX);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 256, 0), none));
	memset(tss_ipc()->send, 0x22, TSS_MESSAGE_MAX);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 33, 0), none));
	memset(tss_ipc()->send, 0x33, TSS_MESSAGE_MAX);
	memset(tss_ipc()->recv, 0xee, TSS_MESSAGE_MAX);
	CHECK_OK(receive(port, &request, 0));
	CHECK(tss_ipc()->recv[4], 0x1111111111111111ull);
	CHECK(tss_ipc()->recv[31], 0x1111111111111111ull);
	memset(tss_ipc()->recv, 0xee, TSS_MESSAGE_MAX);
	CHECK_OK(receive(port, &request, 0));
	CHECK(tss_ipc()->recv[3], 0xeeeeeeeeeeeeeeeeull);
	CHECK(tss_ipc()->recv[4], 0xeeeeeeeeeeeeee22ull);
	CHECK(tss_ipc()->recv[5], 0xeeeeeeeeeeeeeeeeull);
}

static void test_order_of_arrival(void)
{
	static const char want[] = "1m2n3";
	cap_t port = new_port(4), connection = new_connection(port, 1);
	struct tss_request request;
	for (unsigned i = 0; i < 3; i++)
		(void)new_reply(port);
	(void)call_with_word(HIGH, connection, SECOND, '1');
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 8, 0), (uint64_t[4]){'m'}));
	(void)call_with_word(HIGH + 1, connection, SECOND, '2');
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 8, 0), (uint64_t[4]){'n'}));
	(void)call_with_word(HIGH + 2, connection, SECOND, '3');
	for (unsigned i = 0; i < 5; i++) {
		CHECK_OK(receive(port, &request, 0));
		CHECK(request.words[0], want[i]);
		CHECK(request.reply != 0, want[i] < 'a');
		if (request.reply)
			CHECK_OK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none));
	}
}

static void job_receive(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, self->b);
	self->got[0] = request.tag;
	self->got[1] = request.badge | request.reply | request.words[0];
}

static void test_one_receiver_at_a_time(void)
{
	cap_t port = new_port(1);
	struct tss_request request = {.reply = TSS_CAP_NULL};
	/* Long enough that a busy host does not let it pass before the refusals, which would then wait for ever. */
	struct worker *receiver = work(HIGH, job_receive, port, 200000);
	CHECK(receive(port, &request, 0), E(BUSY, 1));
	CHECK(receive(port, &request, SECOND), E(BUSY, 1));
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(BUSY, 1));
	CHECK_TRUE(joined(receiver));
	CHECK(receiver->status, E(TIMEOUT, 0));
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
}

static void test_queued_caller_times_out(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *first = call_with_word(HIGH, connection, 1000, '1');
	struct worker *second = call_with_word(HIGH, connection, SECOND, '2');
	CHECK_TRUE(joined(first));
	CHECK(first->status, E(TIMEOUT, 0));
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.words[0], '2');
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none));
	CHECK_TRUE(second->done);
}

/* 4 ms in the queue and 4 ms in service are 8 ms of the one timeout. */
static void test_one_expiry_for_queue_and_service(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	uint64_t start = now();
	struct worker *caller = call_with_word(HIGH, connection, 6000, '1');
	(void)tss_self_sleep(4000);
	CHECK_OK(receive(port, &request, 0));
	CHECK_TRUE(!caller->done);
	while (!caller->done && now() < start + SECOND)
		(void)tss_self_sleep(TICK);
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK_TRUE(now() - start >= 6000);
	CHECK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none), E(GONE, 1));
}

static void test_port_deleted_while_in_use(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1), event = new_event();
	struct tss_request request;
	(void)new_reply(port);
	CHECK_OK(tss_event_bind(event, port));
	struct worker *served = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_OK(receive(port, &request, 0));
	struct worker *queued = call_with_word(HIGH + 1, connection, SECOND, '2');
	struct worker *receiver = work(HIGH + 2, job_receive, port, SECOND);
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 8, 0), none));
	CHECK_TRUE(receiver->done);
	receiver = work(HIGH + 2, job_receive, port, SECOND);
	CHECK_OK(destroy(port));
	CHECK(served->status, E(PEER_DEAD, 1));
	CHECK(queued->status, E(PEER_DEAD, 1));
	CHECK(receiver->status, E(CANCELLED, 1));
	CHECK(receiver->got[0] | receiver->got[1], 0);
	CHECK_TRUE(served->done && queued->done && receiver->done);
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 0), none), E(CAPABILITY, 1));
	CHECK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none), E(CAPABILITY, 1));
	CHECK_OK(tss_event_signal(event, 4));
	uint64_t bits = 0;
	CHECK_OK(tss_event_wait(event, 0, &bits));
	CHECK(bits, 4);
	CHECK_OK(tss_event_bind(event, new_port(0)));
}

static void test_connection_deleted_while_queued(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 3);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_OK(destroy(connection));
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.badge, 3);
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none));
	CHECK_TRUE(caller->done);
	CHECK_OK(caller->status);
}

const struct test queue_tests[] = {
	TEST(queue_full),
	TEST(queue_without_places),
	TEST(long_messages_wait_unchanged),
	TEST(order_of_arrival),
	TEST(one_receiver_at_a_time),
	TEST(queued_caller_times_out),
	TEST(one_expiry_for_queue_and_service),
	TEST(port_deleted_while_in_use),
	TEST(connection_deleted_while_queued),
	{0},
};
