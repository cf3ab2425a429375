/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_hand_on.c - the right to answer goes to another thread: by send or call, to this unit or another, once or twice;
 * the donation follows, the old handle is spent, and a caller whom nobody can answer any more hears so at once.
 */
#include "ktest.h"

#define SLOT 100
#define BOTTOM 50
#define ANSWER 77
static const uint64_t none[4];

/* A service that hands on, and a port of workers. */
struct service {
	cap_t port, connection, work_port, work_way;
	struct worker *caller;
	struct tss_request request;
};

/* With a caller at `priority` received. */
static struct service service_new(unsigned priority, uint64_t timeout)
{
	struct service s = {.port = new_port(2), .work_port = new_port(2)};
	(void)new_reply(s.port);
	(void)new_reply(s.work_port);
	s.connection = new_connection(s.port, 1);
	s.work_way = new_connection(s.work_port, 2);
	s.caller = work(priority, job_caller, s.connection, timeout);
	CHECK_OK(receive(s.port, &s.request, 0));
	return s;
}

static tss_status_t hand_on(cap_t reply, cap_t way)
{
	tss_ipc()->send_caps[0] = reply;
	return tss_connection_send(way, TSS_TAG(7, 0, 1), none);
}

/* Receives on a, takes b microseconds, answers with what came along. */
static void job_answer(struct worker *self)
{
	struct tss_request request;
	tss_ipc()->recv_slots[0] = (cap_t)(SLOT + self->index);
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->got[0] = tss_ipc()->recv_caps[0];
	self->got[1] = request.tag;
	for (uint64_t end = now() + self->b; now() < end;)
		;
	if (self->c)
		(void)tss_self_sleep(self->c);
	mark('w');
	self->status = tss_reply_send((cap_t)self->got[0], TSS_TAG(3, 8, 0), (uint64_t[4]){ANSWER});
	if (request.reply)
		(void)tss_reply_send(request.reply, TSS_TAG(4, 0, 0), none);
}

static void check_answered(const struct service *s)
{
	CHECK_TRUE(joined(s->caller));
	CHECK_OK(s->caller->status);
	CHECK(s->caller->got[0], TSS_TAG(3, 8, 0));
	CHECK(s->caller->got[1], ANSWER);
}

/* The port has one reply object, and its only one is in use: the next caller waits in the queue. */
static void one_at_a_time(const struct service *s)
{
	struct tss_request request;
	struct worker *queued = work(HIGH + 1, job_caller, s->connection, 500); /* above what main inherits */
	CHECK(receive(s->port, &request, 0), E(TIMEOUT, 0));
	CHECK_TRUE(joined(queued));
	CHECK(queued->status, E(TIMEOUT, 0));
}

static void test_worker_answers(void)
{
	struct service s = service_new(HIGH, SECOND);
	struct worker *worker = work(HIGH + 1, job_answer, s.work_port, 0);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	check_answered(&s);
	CHECK_OK(worker->status);
	CHECK(TSS_CAP_SLOT(worker->got[0]), SLOT + worker->index);
	CHECK(worker->got[1], TSS_TAG(7, 0, 1));
	CHECK(tss_reply_send(s.request.reply, TSS_TAG(0, 0, 0), none), E(CAPABILITY, 1));
	uint64_t value;
	CHECK(tss_capability_inspect((cap_t)worker->got[0], &value), E(CAPABILITY, 1));
	cap_t before = s.request.reply;
	workers_end();
	struct worker *again = work(HIGH, job_caller, s.connection, SECOND);
	CHECK_OK(receive(s.port, &s.request, 0));
	one_at_a_time(&s);
	CHECK(TSS_CAP_SLOT(s.request.reply), TSS_CAP_SLOT(before));
	CHECK_OK(tss_reply_send(s.request.reply, TSS_TAG(0, 0, 0), none));
	CHECK_TRUE(again->done);
}

/* While a worker has it, neither the old handle nor the next one of the same slot answers. */
static void test_old_holder_cannot_answer(void)
{
	struct service s = service_new(HIGH, SECOND);
	struct worker *worker = worker_new(HIGH + 1, job_answer, s.work_port, 0);
	worker->c = 2000;
	(void)worker_go(worker);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	CHECK(tss_reply_send(s.request.reply, TSS_TAG(0, 0, 0), none), E(CAPABILITY, 1));
	CHECK(tss_reply_send(s.request.reply + 0x10000, TSS_TAG(0, 0, 0), none), E(CAPABILITY, 1));
	struct tss_request request = {.reply = s.request.reply + 0x10000};
	CHECK(tss_port_reply_receive(s.port, &request, 0), E(CAPABILITY, 1));
	CHECK(hand_on(s.request.reply + 0x10000, s.work_way), E(CAPABILITY, 2));
	CHECK_TRUE(!s.caller->done);
	check_answered(&s);
}

/* The server calls its worker with the right to answer and waits; it goes on when the worker has answered both. */
static void job_hand_on_by_call(struct worker *self)
{
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 0, 1);
	uint64_t words[4] = {0};
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	tss_ipc()->send_caps[0] = request.reply;
	self->status = tss_connection_call((cap_t)self->b, &tag, words, self->c);
	mark('s');
	for (uint64_t end = now() + 1000; now() < end;)
		;
	mark('e');
}

static void handed_on_by_call(uint64_t timeout, bool queued)
{
	cap_t port = new_port(0), work_port = new_port(0);
	(void)new_reply(port);
	(void)new_reply(work_port);
	struct worker *server = worker_new(BOTTOM, job_hand_on_by_call, port, new_connection(work_port, 1));
	server->c = timeout;
	(void)worker_go(server);
	rest();
	struct worker *worker = worker_new(BOTTOM, job_answer, work_port, 500);
	if (!queued)
		(void)worker_go(worker);
	rest();
	struct worker *caller = work(LOW, job_caller, new_connection(port, 1), SECOND);
	rest();
	if (queued)
		(void)worker_go(worker);
	CHECK_TRUE(joined(caller));
	CHECK(caller->got[1], ANSWER);
	CHECK_TRUE(joined(server));
	CHECK_TRUE(joined(worker));
	CHECK_OK(server->status);
	CHECK_OK(worker->status);
	CHECK_TRACE("wse");
}

static void test_handed_on_by_call(void)
{
	handed_on_by_call(TSS_INFINITE, false);
}

static void test_handed_on_by_timed_call(void)
{
	handed_on_by_call(SECOND, false);
}

static void test_handed_on_by_queued_call(void)
{
	handed_on_by_call(SECOND, true);
}

/* A server below the hog hands on to a worker below the hog: the caller above lends to whoever has to answer. */
static void job_send_on(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->status = hand_on(request.reply, (cap_t)self->b);
	mark('s');
}

static void donation(bool worker_waits)
{
	cap_t port = new_port(0), work_port = new_port(1);
	(void)new_reply(port);
	struct worker *server = work(BOTTOM, job_send_on, port, new_connection(work_port, 1));
	struct worker *worker = worker_new(BOTTOM, job_answer, work_port, 1500);
	worker->c = 300;
	if (worker_waits)
		(void)worker_go(worker);
	rest();
	struct worker *hog = work(MEDIUM, job_spin, SECOND, 0);
	struct worker *caller = work(HIGH, job_caller, new_connection(port, 1), SECOND);
	if (!worker_waits)
		(void)worker_go(worker);
	(void)tss_self_sleep(10000);
	CHECK(caller->done, worker_waits);
	CHECK_TRACE(worker_waits ? "w" : "");
	CHECK_TRUE(hog->got[0] > 0 && !hog->done);
	stop_spinning = true;
	CHECK_TRUE(joined(server));
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
}

static void test_donation_follows_the_reply(void)
{
	donation(true);
}

/* On its way in a queue nobody works for the caller; the server it came from least of all. */
static void test_a_queued_reply_lends_to_nobody(void)
{
	donation(false);
}

/* Takes the right to answer, releases whoever brought it, and answers when the next message comes. */
static void job_release_then_answer(struct worker *self)
{
	struct tss_request request;
	tss_ipc()->recv_slots[0] = SLOT;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	cap_t reply = tss_ipc()->recv_caps[0];
	request.tag = TSS_TAG(4, 0, 0);
	(void)tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->status = tss_reply_send(reply, TSS_TAG(3, 8, 0), (uint64_t[4]){ANSWER});
}

static void job_hog(struct worker *self)
{
	job_spin(self);
	mark('h');
}

/* The server that handed on by a call goes on in its own time, not in the caller's. */
static void test_the_old_server_runs_in_its_own_time(void)
{
	cap_t port = new_port(0), work_port = new_port(1), way = new_connection(work_port, 1);
	(void)new_reply(port);
	(void)new_reply(work_port);
	struct worker *server = worker_new(BOTTOM, job_hand_on_by_call, port, way);
	server->c = TSS_INFINITE;
	(void)worker_go(server);
	struct worker *worker = work(BOTTOM, job_release_then_answer, work_port, 0);
	rest();
	(void)work(MEDIUM, job_hog, 5000, 0);
	struct worker *caller = work(HIGH, job_caller, new_connection(port, 1), SECOND);
	CHECK_TRUE(joined(server));
	CHECK_TRACE("hse");
	CHECK_TRUE(!caller->done);
	CHECK_OK(tss_connection_send(way, TSS_TAG(1, 0, 0), none));
	CHECK_TRUE(joined(caller));
	CHECK_OK(worker->status);
	CHECK(caller->got[1], ANSWER);
}

/* The server has put the caller off and receives again; then it hands on, and the caller's time is of use once more. */
static void job_defer_then_send_on(struct worker *self)
{
	struct tss_request request, next;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	(void)tss_port_receive((cap_t)self->a, &next, TSS_INFINITE);
	self->status = hand_on(request.reply, (cap_t)self->b);
}

static void test_a_deferred_caller_lends_to_the_worker(void)
{
	cap_t port = new_port(1), work_port = new_port(1), connection = new_connection(port, 1);
	(void)new_reply(port);
	(void)work(HIGH + 10, job_defer_then_send_on, port, new_connection(work_port, 1));
	(void)work(BOTTOM, job_answer, work_port, 500);
	rest();
	struct worker *caller = work(HIGH, job_caller, connection, SECOND);
	(void)work(MEDIUM, job_hog, 30000, 0);
	rest();
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 0, 0), none));
	CHECK_TRUE(joined(caller));
	CHECK_TRACE("w");
	CHECK(caller->got[1], ANSWER);
}

static void test_handed_on_twice(void)
{
	struct service s = service_new(HIGH, SECOND);
	cap_t last = new_port(1);
	struct worker *worker = work(HIGH + 1, job_answer, last, 0);
	tss_ipc()->recv_slots[0] = SLOT;
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	struct tss_request request;
	CHECK_OK(receive(s.work_port, &request, 0));
	cap_t mine = tss_ipc()->recv_caps[0];
	CHECK(TSS_CAP_SLOT(mine), SLOT);
	CHECK_OK(hand_on(mine, new_connection(last, 1)));
	check_answered(&s);
	CHECK_OK(worker->status);
	CHECK(tss_reply_send(mine, TSS_TAG(0, 0, 0), none), E(CAPABILITY, 1));
}

/* In the child: takes what comes and does nothing with it. */
static void job_keep(struct worker *self)
{
	struct tss_request request;
	tss_ipc()->recv_slots[0] = 40;
	(void)tss_port_receive(CHILD_FIRST, &request, TSS_INFINITE);
	if (self->a)
		(void)tss_reply_send(tss_ipc()->recv_caps[0], TSS_TAG(3, 8, 0), (uint64_t[4]){ANSWER});
	(void)tss_self_sleep(TSS_INFINITE);
}

static struct child keeper_new(const struct service *s, bool answers)
{
	struct child child = child_new(HIGH + 1, job_keep, answers, 0);
	child_give(&child, CHILD_FIRST, s->work_port, TSS_RIGHT_RECEIVE);
	child_go(&child);
	return child;
}

static void test_another_unit_answers(void)
{
	struct service s = service_new(HIGH, SECOND);
	(void)keeper_new(&s, true);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	check_answered(&s);
}

/* Nobody is left to answer: PEER_DEAD now, not TIMEOUT later; and the reply object serves the next. */
static void check_lost(struct service *s)
{
	CHECK_TRUE(s->caller->done);
	CHECK(s->caller->status, E(PEER_DEAD, 1));
	struct worker *next = work(HIGH, job_caller, s->connection, SECOND);
	CHECK_OK(receive(s->port, &s->request, 0));
	one_at_a_time(s);
	CHECK_OK(tss_reply_send(s->request.reply, TSS_TAG(0, 0, 0), none));
	CHECK_TRUE(next->done);
	CHECK_OK(next->status);
}

static void test_holder_unit_ends(void)
{
	struct service s = service_new(HIGH, SECOND);
	struct child child = keeper_new(&s, false);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	CHECK_TRUE(!s.caller->done);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	check_lost(&s);
}

static void test_reply_is_dropped(void)
{
	struct service s = service_new(HIGH, SECOND);
	tss_ipc()->recv_slots[0] = SLOT;
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	struct tss_request request;
	CHECK_OK(receive(s.work_port, &request, 0));
	CHECK_TRUE(!s.caller->done);
	CHECK_OK(tss_capability_delete(tss_ipc()->recv_caps[0]));
	check_lost(&s);
}

static void test_reply_finds_no_slot(void)
{
	struct service s = service_new(HIGH, SECOND);
	tss_ipc()->recv_slots[0] = 0;
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	struct tss_request request;
	CHECK_OK(receive(s.work_port, &request, 0));
	CHECK(tss_ipc()->recv_caps[0], TSS_CAP_NULL);
	CHECK(TSS_TAG_CAPS(request.tag), 1);
	check_lost(&s);
}

static void test_port_ends_with_a_reply_in_its_queue(void)
{
	struct service s = service_new(HIGH, SECOND);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	CHECK_TRUE(!s.caller->done);
	CHECK_OK(destroy(s.work_port));
	check_lost(&s);
}

static void test_reply_object_ends_while_handed_on(void)
{
	struct service s = service_new(HIGH, SECOND);
	struct worker *worker = worker_new(HIGH + 1, job_answer, s.work_port, 0);
	worker->c = 2000;
	(void)worker_go(worker);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	CHECK_OK(destroy(s.request.reply + 0x10000));
	CHECK_TRUE(s.caller->done);
	CHECK(s.caller->status, E(PEER_DEAD, 1));
	CHECK_TRUE(joined(worker));
	CHECK(worker->status, E(CAPABILITY, 1));
}

/* The caller gives up while another holds the right: the server's event says so, the answer is GONE. */
static void test_caller_gives_up_on_a_worker(void)
{
	struct service s = service_new(HIGH, 1500);
	cap_t event = new_event();
	CHECK_OK(tss_event_bind(event, s.port));
	struct worker *worker = worker_new(HIGH + 1, job_answer, s.work_port, 0);
	worker->c = 4000;
	(void)worker_go(worker);
	CHECK_OK(hand_on(s.request.reply, s.work_way));
	CHECK_OK(receive(s.port, &s.request, SECOND));
	CHECK(s.request.words[0], TSS_EVENT_CANCEL);
	CHECK(s.caller->status, E(TIMEOUT, 0));
	CHECK_TRUE(joined(worker));
	CHECK(worker->status, E(GONE, 1));
}

static void test_hand_on_refusals(void)
{
	struct service s = service_new(HIGH, SECOND);
	cap_t idle = new_reply(s.port);
	CHECK(hand_on(idle, s.work_way), E(CAPABILITY, 2));
	CHECK(hand_on(s.request.reply + 0x10000, s.work_way), E(CAPABILITY, 2));
	tss_ipc()->send_caps[0] = tss_ipc()->send_caps[1] = s.request.reply;
	CHECK(tss_connection_send(s.work_way, TSS_TAG(7, 0, 2), none), E(CAPABILITY, 2));
	struct worker *worker = work(HIGH + 1, job_answer, s.work_port, 0);
	tss_tag_t tag = TSS_TAG(7, 0, 2);
	uint64_t words[4] = {0};
	tss_ipc()->send_caps[1] = new_event();
	CHECK(tss_connection_call(s.work_way, &tag, words, SECOND), E(NO_SLOT, 2));
	CHECK_TRUE(!worker->done && !s.caller->done);
	CHECK_OK(tss_reply_send(s.request.reply, TSS_TAG(3, 8, 0), (uint64_t[4]){ANSWER}));
	check_answered(&s);
}

const struct test hand_on_tests[] = {
	TEST(worker_answers),
	TEST(old_holder_cannot_answer),
	TEST(handed_on_by_call),
	TEST(handed_on_by_timed_call),
	TEST(handed_on_by_queued_call),
	TEST(donation_follows_the_reply),
	TEST(a_queued_reply_lends_to_nobody),
	TEST(the_old_server_runs_in_its_own_time),
	TEST(a_deferred_caller_lends_to_the_worker),
	TEST(handed_on_twice),
	TEST(another_unit_answers),
	TEST(holder_unit_ends),
	TEST(reply_is_dropped),
	TEST(reply_finds_no_slot),
	TEST(port_ends_with_a_reply_in_its_queue),
	TEST(reply_object_ends_while_handed_on),
	TEST(caller_gives_up_on_a_worker),
	TEST(hand_on_refusals),
	{0},
};
