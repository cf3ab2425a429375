/* SPDX-License-Identifier: BSD-2-Clause */
/* test_unit.c - units: death, supervision, restriction, budgets. */
#include "ktest.h"

static const uint64_t none[4];

static tss_status_t call(cap_t connection, uint64_t timeout)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	return tss_connection_call(connection, &tag, words, timeout);
}

/* The end of a unit as its supervisor hears it: the code, the name, nothing else. */
static void ended(cap_t watch, uint64_t badge, uint64_t code)
{
	struct tss_request request;
	uint64_t name[2] = {0};
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_ENDED, 24, 0));
	CHECK(request.badge, badge);
	CHECK(request.reply, 0);
	CHECK(request.words[0], code);
	name[0] = request.words[1];
	CHECK(strncmp((const char *)name, "child", 5), 0);
	CHECK(request.words[3], 0);
}

static void test_exit_of_the_last_thread_ends_the_unit(void)
{
	struct child child = child_new(LOW, job_exit, 0x1234, 0);
	cap_t watch = child_watch(&child, 7);
	child_go(&child);
	ended(watch, 7, 0x34);
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
	CHECK(tss_thread_start(child.thread, child.sched), E(BUSY, 1));
	uint64_t value;
	CHECK(tss_thread_create(child.unit, 0x400000, 0x500000, 0x600000, 0, &value), E(BUSY, 1));
}

static void test_kill(void)
{
	struct child child = child_new(LOW, job_spin, SECOND, 0);
	cap_t watch = child_watch(&child, 8);
	struct tss_request request;
	child_go(&child);
	rest();
	CHECK_OK(tss_unit_kill(child.unit, 0));
	ended(watch, 8, 0x200);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK(receive(watch, &request, 2000), E(TIMEOUT, 0));
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

static void job_kill_itself(struct worker *self)
{
	(void)tss_unit_kill(CHILD_FIRST, 0);
	(void)tss_self_exit(self->a);
}

static void test_unit_kills_itself(void)
{
	struct child child = child_new(LOW, job_kill_itself, 1, 0);
	cap_t watch = child_watch(&child, 1);
	child_give(&child, CHILD_FIRST, child.unit, TSS_RIGHT_INSTALL);
	child_go(&child);
	ended(watch, 1, 0x200);
}

static void test_words_of_others_do_not_ride_along(void)
{
	struct child child = child_new(LOW, job_exit, 5, 0);
	struct tss_request request;
	cap_t port = new_port(1), connection = new_connection(port, 3);
	CHECK_OK(tss_unit_supervise(child.unit, connection));
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 32, 0), (uint64_t[4]){~0ull, ~0ull, ~0ull, ~0ull}));
	CHECK_OK(receive(port, &request, 0));
	child_go(&child);
	ended(port, 3, 5);
}

/* The child pays for the port; its thread serves it, or this unit does. */
static cap_t childs_port(const struct child *child, cap_t *connection)
{
	uint64_t port = 0;
	CHECK_OK(tss_port_create(child->unit, 2, &port));
	own((cap_t)port);
	(void)new_reply((cap_t)port);
	*connection = new_connection((cap_t)port, 1);
	return (cap_t)port;
}

static void job_serve_never(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive(CHILD_FIRST, &request, TSS_INFINITE);
	(void)tss_self_sleep(self->a);
}

static void test_received_and_queued_callers_hear_of_death(void)
{
	struct child child = child_new(LOW, job_serve_never, TSS_INFINITE, 0);
	cap_t connection, port = childs_port(&child, &connection);
	child_give(&child, CHILD_FIRST, port, TSS_RIGHT_RECEIVE);
	child_go(&child);
	rest();
	struct worker *received = work(HIGH, job_caller, connection, TSS_INFINITE);
	struct worker *queued = work(HIGH, job_caller, connection, SECOND);
	CHECK(thread_state(received->thread), TSS_THREAD_CALLING);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK_TRUE(received->done && queued->done);
	CHECK(received->status, E(PEER_DEAD, 1));
	CHECK(queued->status, E(PEER_DEAD, 1));
	CHECK(call(connection, SECOND), E(PEER_DEAD, 1));
	CHECK(call(connection, 0), E(PEER_DEAD, 1));
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 0), none), E(PEER_DEAD, 1));
}

/* Another unit's thread waits at the dead unit's port: it is woken, and its callers hear PEER_DEAD all the same. */
static void test_dead_port_with_a_foreign_receiver(void)
{
	struct child child = child_new(LOW, job_exit, 0, 0);
	cap_t connection, port = childs_port(&child, &connection);
	struct worker *server = work(HIGH, job_server, port, 2);
	CHECK_OK(call(connection, TSS_INFINITE));
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK_TRUE(server->done);
	CHECK(server->status, E(CANCELLED, 1));
	CHECK(call(connection, TSS_INFINITE), E(PEER_DEAD, 1));
	CHECK(server->got[0], 1);
	struct tss_request request;
	CHECK(receive(port, &request, TSS_INFINITE), E(PEER_DEAD, 1));
}

static void job_call_out(struct worker *self)
{
	self->status = call(CHILD_FIRST, TSS_INFINITE);
	(void)tss_self_exit(1);
}

/* The caller's unit dies while its call is being served, on its own context. */
static void test_caller_unit_killed_while_served(void)
{
	struct child child = child_new(MEDIUM, job_call_out, 0, 0);
	cap_t port = new_port(1), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	child_give(&child, CHILD_FIRST, connection, TSS_RIGHT_CALL);
	child_go(&child);
	CHECK_OK(receive(port, &request, SECOND));
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK(tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none), E(GONE, 1));
}

static void test_caller_unit_killed_while_queued(void)
{
	struct child child = child_new(MEDIUM, job_call_out, 0, 0);
	cap_t port = new_port(1), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	child_give(&child, CHILD_FIRST, connection, TSS_RIGHT_CALL);
	child_go(&child);
	rest();
	CHECK(thread_state(child.thread), TSS_THREAD_CALLING);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK(receive(port, &request, 1000), E(TIMEOUT, 0));
}

static void test_supervising_connection_deleted(void)
{
	struct child child = child_new(LOW, job_exit, 1, 0);
	cap_t port = new_port(2), connection = new_connection(port, 1);
	struct tss_request request;
	CHECK_OK(tss_unit_supervise(child.unit, connection));
	CHECK_OK(destroy(connection));
	child_go(&child);
	CHECK(receive(port, &request, 3000), E(TIMEOUT, 0));
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
	CHECK(tss_unit_supervise(child.unit, port), E(TYPE, 2));
	CHECK(tss_unit_supervise(child.unit, TSS_CAP_NULL), E(CAPABILITY, 2));
	CHECK(tss_unit_supervise(child.unit, derive(new_connection(port, 2), TSS_RIGHT_CALL)), E(RIGHTS, 2));
}

/* No place in the supervisor's queue: the unit ends all the same. */
static void test_supervisors_queue_full(void)
{
	struct child child = child_new(LOW, job_exit, 1, 0);
	CHECK_OK(tss_unit_supervise(child.unit, new_connection(new_port(0), 1)));
	child_go(&child);
	rest();
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

static void job_calls(struct worker *self)
{
	uint64_t value;
	self->status = tss_self_version(&value);
	self->status |= tss_self_yield();
	(void)tss_self_clock(&value); /* denied */
	(void)tss_self_exit(0);
}

static void test_restrict(void)
{
	struct child child = child_new(LOW, job_calls, 0, 0);
	cap_t watch = child_watch(&child, 2);
	struct tss_request request;
	CHECK_OK(tss_unit_restrict(child.unit, ~(1ull << (TSS_SYS_self_clock - TSS_SYSCALL_FIRST)), ~0ull));
	CHECK_OK(tss_unit_restrict(child.unit, ~0ull, ~0ull));
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.tag, TSS_TAG(TSS_MSG_FAULT, sizeof(struct tss_fault_record), 0));
	CHECK(request.words[0], TSS_FAULT_SYSCALL);
	CHECK(request.words[1], TSS_SYS_self_clock);
	ended(watch, 2, 0x100 | TSS_FAULT_SYSCALL);
	CHECK_TRUE(now() > 0);
}

/* A unit that may not make a call makes no unit that may. */
static void test_children_may_no_more_than_parents(void)
{
	uint64_t parent = 0;
	struct tss_request request;
	CHECK_OK(tss_unit_create(SELF, 120, 64, 0, 0, &parent));
	CHECK_OK(tss_unit_restrict(own((cap_t)parent), ~(1ull << (TSS_SYS_self_clock - TSS_SYSCALL_FIRST)), ~0ull));
	struct child child = child_below((cap_t)parent, LOW, job_calls, 0, 0);
	cap_t watch = child_watch(&child, 2);
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_SYSCALL);
	CHECK(request.words[1], TSS_SYS_self_clock);
}

static void test_unit_create_refusals(void)
{
	static const uint64_t bad_slots[] = {0, 4097, 1ull << 32, 1ull << 63, ~0ull};
	static const uint64_t bad_pages[] = {0, 6, ~0ull >> 12};
	uint64_t value = 0;
	for (unsigned i = 0; i < 5; i++)
		CHECK(tss_unit_create(SELF, 100, bad_slots[i], 0, 0, &value), E(ARGUMENT, 3));
	CHECK(tss_unit_create(SELF, bad_pages[0], 64, 0, 0, &value), E(ARGUMENT, 2));
	CHECK(tss_unit_create(SELF, bad_pages[1], 64, 0, 0, &value), E(ARGUMENT, 2));
	CHECK(tss_unit_create(SELF, bad_pages[2], 64, 0, 0, &value), E(MEMORY, 2));
	CHECK(tss_unit_create(SELF, 1ull << 63, 64, 0, 0, &value), E(MEMORY, 2));
	CHECK(tss_unit_create(SELF, ~0ull, 64, 0, 0, &value), E(MEMORY, 2));
	CHECK_OK(tss_unit_create(SELF, 7, 64, 0, 0, &value));
	spent(7, 1);
	CHECK(tss_unit_create((cap_t)value, 7, 64, 0, 0, &value), E(MEMORY, 2));
}

/* A child's budget runs dry: it hears MEMORY, others go on, and what failed has left nothing behind. */
static void test_only_the_payer_runs_dry(void)
{
	uint64_t unit = 0, value = 0, made = 0;
	cap_t objects[64];
	struct usage before;
	CHECK_OK(tss_unit_create(SELF, 20, 64, 0, 0, &unit));
	spent(20, 1);
	before = usage_now();
	while (made < 60 && tss_port_create((cap_t)unit, 8, &value) == TSS_OK)
		objects[made++] = own((cap_t)value);
	CHECK_TRUE(made > 2 && made < 60);
	CHECK(TSS_CODE(tss_port_create((cap_t)unit, 255, &value)), TSS_E_MEMORY);
	CHECK(TSS_CODE(tss_memory_create((cap_t)unit, 20, &value)), TSS_E_MEMORY);
	CHECK(usage_now().pages, before.pages);
	(void)new_port(8);
	uint64_t again = 0;
	for (unsigned i = 0; i < made; i++)
		CHECK_OK(destroy(objects[i]));
	while (again < 60 && tss_port_create((cap_t)unit, 8, &value) == TSS_OK)
		again += own((cap_t)value) != 0;
	CHECK(again, made);
}

static void account(cap_t made)
{
	CHECK_OK(destroy(made));
}

/* Each type of object: what it cost comes back when it is deleted. run_all() checks the same after each test. */
static void test_everything_comes_back(void)
{
	struct usage before = usage_now();
	for (unsigned round = 0; round < 3; round++) {
		cap_t port = new_port(100);
		account(new_reply(port));
		account(new_connection(port, 1));
		account(port);
		account(new_event());
		account(new_memory(600));
		account(new_sched(5));
		cap_t memory = new_memory(9);
		uint64_t slice = 0;
		CHECK_OK(tss_memory_slice(memory, 1, 8, &slice));
		account((cap_t)slice);
		account(memory);
		struct worker *worker = worker_new(LOW, job_exit, 0, 0);
		account(worker->thread);
		account(worker->sched);
		worker->thread = worker->sched = TSS_CAP_NULL;
		CHECK(usage_now().pages, before.pages);
		CHECK(usage_now().slots, before.slots);
	}
}

const struct test unit_tests[] = {
	TEST(exit_of_the_last_thread_ends_the_unit),
	TEST(kill),
	TEST(unit_kills_itself),
	TEST(words_of_others_do_not_ride_along),
	TEST(received_and_queued_callers_hear_of_death),
	TEST(dead_port_with_a_foreign_receiver),
	TEST(caller_unit_killed_while_served),
	TEST(caller_unit_killed_while_queued),
	TEST(supervising_connection_deleted),
	TEST(supervisors_queue_full),
	TEST(restrict),
	TEST(children_may_no_more_than_parents),
	TEST(unit_create_refusals),
	TEST(only_the_payer_runs_dry),
	TEST(everything_comes_back),
	{0},
};
