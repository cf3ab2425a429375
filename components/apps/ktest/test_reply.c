/* SPDX-License-Identifier: BSD-2-Clause */
/* test_reply.c - replies: late, stale, deferred, in any order, from another thread; and who is served when one is free. */
#include "ktest.h"

static const uint64_t none[4];

static tss_tag_t word(char c)
{
	return TSS_TAG(1, 8, 0) | (tss_tag_t)(uint8_t)c;
}

static struct worker *call_with_word(unsigned priority, cap_t connection, uint64_t timeout, char c)
{
	struct worker *caller = worker_new(priority, job_caller, connection, timeout);
	caller->c = (uint64_t)c;
	return worker_go(caller);
}

static void test_reply_too_late(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 5);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = call_with_word(HIGH, connection, 3000, 'x');
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.badge, 5);
	CHECK_TRUE(joined(caller));
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK(caller->got[0] | caller->got[1], 0);
	CHECK(tss_reply_send(request.reply, word('y'), none), E(GONE, 1));
	CHECK(tss_reply_send(request.reply, word('y'), none), E(CAPABILITY, 1));
	caller = call_with_word(HIGH, connection, SECOND, 'z');
	CHECK_OK(receive(port, &request, 0));
	CHECK_OK(tss_reply_send(request.reply, word('y'), none));
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
}

static void test_reply_handle_never_bound(void)
{
	cap_t port = new_port(1), reply = new_reply(port);
	CHECK(tss_reply_send(reply, word('a'), none), E(CAPABILITY, 1));
	CHECK(tss_reply_send(reply, TSS_TAG(1, 300, 0), none), E(ARGUMENT, 2));
	struct tss_request request = {.reply = reply};
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(CAPABILITY, 1));
	request.reply = (cap_t)0xfffe0001;
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(CAPABILITY, 1));
	request.reply = SELF;
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(TYPE, 1));
}

static void test_used_reply_handle_is_stale(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 5), first = new_reply(port);
	struct tss_request request;
	disown(first);
	for (unsigned i = 0; i < 3; i++) {
		struct worker *caller = call_with_word(HIGH, connection, SECOND, 'x');
		CHECK_OK(receive(port, &request, 0));
		CHECK(request.reply, first + (i << 16));
		CHECK_OK(tss_reply_send(request.reply, word('y'), none));
		CHECK(tss_reply_send(request.reply, word('y'), none), E(CAPABILITY, 1));
		CHECK_TRUE(joined(caller));
		workers_end();
	}
	CHECK_OK(destroy(first + (3 << 16)));
}

static void test_replies_in_any_order(void)
{
	cap_t port = new_port(0), connection = new_connection(port, 1);
	struct tss_request request[4];
	struct worker *callers[4];
	for (unsigned i = 0; i < 4; i++) {
		(void)new_reply(port);
		callers[i] = call_with_word(HIGH + i, connection, SECOND,
					    (char)('a' + i)); /* main inherits the last one's */
		CHECK_OK(receive(port, &request[i], 0));
		CHECK(request[i].words[0], 'a' + i);
	}
	static const unsigned order[] = {2, 0, 3, 1};
	for (unsigned i = 0; i < 4; i++) {
		unsigned which = order[i];
		CHECK_OK(tss_reply_send(request[which].reply, word((char)('A' + which)), none));
		CHECK_TRUE(joined(callers[which]));
		CHECK_OK(callers[which]->status);
		CHECK(callers[which]->got[0], word((char)('A' + which)));
	}
}

static void test_no_free_reply_queues_callers_only(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1), event = new_event();
	struct tss_request request;
	(void)new_reply(port);
	CHECK_OK(tss_event_bind(event, port));
	struct worker *first = call_with_word(HIGH, connection, SECOND, '1'), *second;
	CHECK_OK(receive(port, &request, 0));
	cap_t reply = request.reply;
	second = call_with_word(HIGH + 1, connection, SECOND, '2');
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
	CHECK_OK(tss_connection_send(connection, word('m'), none));
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, word('m'));
	CHECK(request.reply, 0);
	CHECK_OK(tss_event_signal(event, 6));
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, TSS_TAG(TSS_MSG_EVENT, 8, 0));
	CHECK(request.words[0], 6);
	CHECK(receive(port, &request, 1000), E(TIMEOUT, 0));
	CHECK_OK(tss_reply_send(reply, word('r'), none));
	CHECK_TRUE(first->done);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.words[0], '2');
	CHECK_OK(tss_reply_send(request.reply, word('r'), none));
	CHECK_TRUE(second->done);
}

static void job_receive_one(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, self->b);
	self->got[0] = request.words[0];
	self->got[1] = request.reply;
}

/* A queued caller, a waiting receiver, no free reply object; then `release` makes one free. */
static void queued_until(void (*release)(cap_t port, cap_t reply))
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *gone = call_with_word(HIGH, connection, 500, '1');
	CHECK_OK(receive(port, &request, 0));
	struct worker *waits = call_with_word(HIGH + 1, connection, SECOND, '2');
	struct worker *receiver = work(HIGH + 2, job_receive_one, port, SECOND / 2);
	CHECK_TRUE(joined(gone));
	CHECK_TRUE(!receiver->done);
	release(port, request.reply);
	CHECK_TRUE(receiver->done);
	CHECK_OK(receiver->status);
	CHECK(receiver->got[0], '2');
	CHECK_OK(tss_reply_send((cap_t)receiver->got[1], word('r'), none));
	CHECK_TRUE(waits->done);
}

static void release_by_late_reply(cap_t port, cap_t reply)
{
	(void)port;
	CHECK(tss_reply_send(reply, word('r'), none), E(GONE, 1));
}

static void release_by_late_reply_elsewhere(cap_t port, cap_t reply)
{
	(void)port;
	struct tss_request request = {.reply = reply};
	CHECK(tss_port_reply_receive(new_port(0), &request, 0), E(GONE, 1));
}

static void release_by_one_more(cap_t port, cap_t reply)
{
	(void)reply;
	(void)new_reply(port);
}

static void test_late_reply_lets_the_next_in(void)
{
	queued_until(release_by_late_reply);
}

static void test_late_reply_from_another_port_lets_the_next_in(void)
{
	queued_until(release_by_late_reply_elsewhere);
}

static void test_new_reply_object_lets_the_next_in(void)
{
	queued_until(release_by_one_more);
}

/* The answer goes through reply_receive on another port than the caller came by. */
static void test_reply_through_another_port(void)
{
	cap_t port = new_port(2), other = new_port(0), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *first = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_OK(receive(port, &request, 0));
	struct worker *second = call_with_word(HIGH + 1, connection, SECOND, '2');
	struct worker *receiver = work(HIGH + 2, job_receive_one, port, SECOND / 2);
	request.tag = word('r');
	CHECK(tss_port_reply_receive(other, &request, 0), E(TIMEOUT, 0));
	CHECK_TRUE(first->done);
	CHECK_OK(first->status);
	CHECK_TRUE(receiver->done);
	CHECK(receiver->got[0], '2');
	CHECK_OK(tss_reply_send((cap_t)receiver->got[1], word('r'), none));
	CHECK_TRUE(second->done);
}

static void job_receive_and_end(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->got[1] = request.reply;
	(void)tss_self_sleep(self->b);
}

/* The server's thread ends while it owes an answer to one who has given up: the reply object is free again. */
static void test_server_thread_ends_owing_nobody(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_receive_and_end, port, 3000);
	struct worker *gone = call_with_word(HIGH, connection, 500, '1');
	struct worker *waits = call_with_word(HIGH + 1, connection, SECOND, '2');
	struct worker *receiver = work(HIGH + 2, job_receive_one, port, SECOND / 2);
	CHECK_TRUE(joined(gone));
	CHECK_TRUE(joined(server));
	CHECK_TRUE(joined(receiver));
	CHECK_OK(receiver->status);
	CHECK(receiver->got[0], '2');
	CHECK_OK(tss_reply_send((cap_t)receiver->got[1], word('r'), none));
	CHECK_TRUE(joined(waits));
	CHECK_OK(waits->status);
}

/* It ends while the caller waits: another thread of the unit answers with the same handle. */
static void test_another_thread_answers_after_the_server_ended(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_receive_and_end, port, 500);
	struct worker *caller = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_TRUE(joined(server));
	CHECK_TRUE(!caller->done);
	CHECK_OK(tss_reply_send((cap_t)server->got[1], word('r'), none));
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
}

static void test_reply_object_deleted_while_in_use(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1), reply = new_reply(port);
	struct tss_request request;
	struct worker *first = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_OK(receive(port, &request, 0));
	struct worker *second = call_with_word(HIGH + 1, connection, SECOND, '2');
	CHECK(request.reply, reply);
	CHECK_OK(destroy(request.reply));
	CHECK_TRUE(joined(first));
	CHECK(first->status, E(PEER_DEAD, 1));
	CHECK_TRUE(!second->done);
	(void)new_reply(port);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.words[0], '2');
	CHECK_OK(tss_reply_send(request.reply, word('r'), none));
	CHECK_TRUE(second->done);
}

/* The receiver that owes the answer has ended; with a caller queued, the dying reply object must not be given out. */
static void test_orphaned_reply_object_deleted(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1), reply = new_reply(port);
	struct worker *server = work(HIGH, job_receive_and_end, port, 500);
	struct worker *first = call_with_word(HIGH, connection, SECOND, '1');
	CHECK_TRUE(joined(server));
	struct worker *second = call_with_word(HIGH + 1, connection, 20000, '2');
	struct worker *receiver = work(HIGH + 2, job_receive_one, port, 10000);
	CHECK_OK(destroy(reply));
	CHECK(first->status, E(PEER_DEAD, 1));
	CHECK_TRUE(joined(receiver));
	CHECK(receiver->status, E(TIMEOUT, 0));
	CHECK_TRUE(joined(second));
	CHECK(second->status, E(TIMEOUT, 0));
}

static void test_reply_receive_with_failing_reply_receives_nothing(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = call_with_word(HIGH, connection, 500, '1');
	CHECK_OK(receive(port, &request, 0));
	CHECK_TRUE(joined(caller));
	CHECK_OK(tss_connection_send(connection, word('m'), none));
	request.tag = word('r');
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(GONE, 1));
	CHECK(request.tag | request.reply | request.badge, 0);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, word('m'));
}

/* A caller that was received gives up, by time-out or death: the server hears so before it answers. */
static void cancelled(bool by_death)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), event = new_event();
	struct tss_request request, next;
	(void)new_reply(port);
	CHECK_OK(tss_event_bind(event, port));
	struct worker *caller = call_with_word(HIGH, connection, by_death ? SECOND : 1000, '1');
	CHECK_OK(receive(port, &request, 0));
	CHECK_OK(tss_event_signal(event, 4));
	if (by_death) {
		CHECK_OK(destroy(caller->thread));
		caller->thread = TSS_CAP_NULL;
	} else {
		CHECK_TRUE(joined(caller));
	}
	CHECK_OK(receive(port, &next, 0));
	CHECK(next.tag, TSS_TAG(TSS_MSG_EVENT, 8, 0));
	CHECK(next.words[0], TSS_EVENT_CANCEL | 4);
	CHECK(tss_reply_send(request.reply, word('r'), none), E(GONE, 1));
}

static void test_cancel_bit_after_a_timeout(void)
{
	cancelled(false);
}

static void test_cancel_bit_after_death(void)
{
	cancelled(true);
}

/* Who was never received, and who was answered, leaves no bit. */
static void test_no_cancel_bit_without_a_reason(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), event = new_event();
	struct tss_request request;
	(void)new_reply(port);
	CHECK_OK(tss_event_bind(event, port));
	struct worker *queued = call_with_word(HIGH, connection, 500, '1');
	CHECK_TRUE(joined(queued));
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
	struct worker *served = call_with_word(HIGH, connection, SECOND, '2');
	CHECK_OK(receive(port, &request, 0));
	CHECK_OK(tss_reply_send(request.reply, word('r'), none));
	CHECK_TRUE(served->done);
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
}

const struct test reply_tests[] = {
	TEST(reply_too_late),
	TEST(reply_handle_never_bound),
	TEST(used_reply_handle_is_stale),
	TEST(replies_in_any_order),
	TEST(no_free_reply_queues_callers_only),
	TEST(late_reply_lets_the_next_in),
	TEST(late_reply_from_another_port_lets_the_next_in),
	TEST(new_reply_object_lets_the_next_in),
	TEST(reply_through_another_port),
	TEST(server_thread_ends_owing_nobody),
	TEST(another_thread_answers_after_the_server_ended),
	TEST(reply_object_deleted_while_in_use),
	TEST(orphaned_reply_object_deleted),
	TEST(reply_receive_with_failing_reply_receives_nothing),
	TEST(cancel_bit_after_a_timeout),
	TEST(cancel_bit_after_death),
	TEST(no_cancel_bit_without_a_reason),
	{0},
};
