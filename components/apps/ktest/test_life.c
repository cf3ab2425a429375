/* SPDX-License-Identifier: BSD-2-Clause */
/* test_life.c - threads and contexts: started once, ended in whatever they are doing, used again. */
#include "ktest.h"

static void job_forever_waiting(struct worker *self)
{
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	switch (self->a) {
	case TSS_THREAD_RECEIVING:
		self->status = tss_port_receive((cap_t)self->b, &request, self->c ? self->c : TSS_INFINITE);
		break;
	case TSS_THREAD_CALLING:
		self->status = tss_connection_call((cap_t)self->b, &tag, words, self->c ? self->c : TSS_INFINITE);
		break;
	case TSS_THREAD_WAITING:
		self->status = tss_event_wait((cap_t)self->b, self->c ? self->c : TSS_INFINITE, NULL);
		break;
	default:
		self->status = tss_self_sleep(self->c ? self->c : TSS_INFINITE);
	}
}

static struct worker *waiting_in(unsigned state, cap_t cap, uint64_t timeout)
{
	struct worker *worker = worker_new(HIGH, job_forever_waiting, state, cap);
	worker->c = timeout;
	(void)worker_go(worker);
	CHECK(thread_state(worker->thread), state);
	return worker;
}

static void end_thread(struct worker *worker)
{
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	CHECK_TRUE(!worker->done);
}

static void end_by_context(struct worker *worker)
{
	CHECK_OK(destroy(worker->sched));
	worker->sched = TSS_CAP_NULL;
	CHECK(thread_state(worker->thread), TSS_THREAD_ENDED);
}

/* Deleted in each kind of wait, with and without a time-out; what it waited for works for the next one. */
static void deleted_in(unsigned state, cap_t cap)
{
	end_thread(waiting_in(state, cap, 0));
	end_thread(waiting_in(state, cap, SECOND));
	end_by_context(waiting_in(state, cap, 0));
	end_by_context(waiting_in(state, cap, SECOND));
	struct worker *last = waiting_in(state, cap, 1000);
	CHECK_TRUE(joined(last));
	CHECK(last->status, E(TIMEOUT, 0));
}

static void test_deleted_while_receiving(void)
{
	deleted_in(TSS_THREAD_RECEIVING, new_port(1));
}

static void test_deleted_while_calling(void)
{
	deleted_in(TSS_THREAD_CALLING, new_connection(new_port(1), 1));
}

static void test_deleted_while_waiting(void)
{
	deleted_in(TSS_THREAD_WAITING, new_event());
}

static void test_deleted_while_sleeping(void)
{
	deleted_in(TSS_THREAD_SLEEPING, TSS_CAP_NULL);
}

static void test_deleted_while_ready(void)
{
	struct worker *spinner = work(LOW, job_spin, SECOND, 0);
	end_thread(spinner);
	spinner = work(LOW, job_spin, SECOND, 0);
	rest();
	end_thread(spinner);
	spinner = work(LOW, job_spin, SECOND, 0);
	rest();
	end_by_context(spinner);
	rest();
}

static void test_never_started(void)
{
	struct worker *worker = worker_new(HIGH, job_exit, 0, 0);
	CHECK(thread_state(worker->thread), TSS_THREAD_NEW);
	rest();
	CHECK_TRUE(!worker->started);
	end_thread(worker);
}

static void test_started_once(void)
{
	struct worker *sleeper = waiting_in(TSS_THREAD_SLEEPING, 0, 0), *fresh = worker_new(HIGH, job_exit, 0, 0);
	CHECK(tss_thread_start(sleeper->thread, sleeper->sched), E(BUSY, 1));
	CHECK(tss_thread_start(sleeper->thread, fresh->sched), E(BUSY, 1));
	CHECK(tss_thread_start(fresh->thread, sleeper->sched), E(BUSY, 2));
	CHECK(tss_thread_start(fresh->thread, fresh->thread), E(TYPE, 2));
	CHECK(tss_thread_start(fresh->thread, derive(fresh->sched, TSS_RIGHT_GRANT)), E(RIGHTS, 2));
	CHECK(tss_thread_start(fresh->thread, TSS_SLOT_SCHED), E(RIGHTS, 2));
	CHECK_OK(tss_thread_start(fresh->thread, fresh->sched));
	CHECK(thread_state(fresh->thread), TSS_THREAD_ENDED);
	CHECK(tss_thread_start(fresh->thread, fresh->sched), E(BUSY, 1));
}

/* A context outlives its thread and serves the next. */
static void test_context_used_again(void)
{
	struct worker *first = work(HIGH, job_exit, 0, 0), *second = worker_new(HIGH, job_sleep, 100, 0);
	CHECK(thread_state(first->thread), TSS_THREAD_ENDED);
	CHECK_OK(tss_thread_start(second->thread, first->sched));
	CHECK_TRUE(joined(second));
	struct worker *third = worker_new(HIGH, job_sleep, 100, 0);
	CHECK_OK(destroy(second->thread));
	second->thread = TSS_CAP_NULL;
	CHECK_OK(tss_thread_start(third->thread, first->sched));
	CHECK_TRUE(joined(third));
}

static void job_delete_own_context(struct worker *self)
{
	(void)tss_capability_delete(self->sched);
	self->got[0] = 1;
}

static void test_deletes_its_own_context(void)
{
	struct worker *worker = work(HIGH, job_delete_own_context, 0, 0);
	CHECK(thread_state(worker->thread), TSS_THREAD_ENDED);
	CHECK(worker->got[0], 0);
	worker->sched = TSS_CAP_NULL;
}

static void job_delete_itself(struct worker *self)
{
	self->status = tss_capability_delete(self->thread);
}

static void test_cannot_delete_itself(void)
{
	struct worker *worker = work(HIGH, job_delete_itself, 0, 0);
	CHECK_TRUE(joined(worker));
	CHECK(worker->status, E(BUSY, 1));
}

/* The message that would have woken it comes after its end. */
static void test_event_and_message_for_the_dead(void)
{
	cap_t port = new_port(2), event = new_event(), connection = new_connection(port, 1);
	uint64_t bits = 0;
	struct tss_request request;
	CHECK_OK(tss_event_bind(event, port));
	end_thread(waiting_in(TSS_THREAD_RECEIVING, port, 0));
	CHECK_OK(tss_event_signal(event, 1));
	CHECK_OK(tss_connection_send(connection, TSS_TAG(3, 0, 0), (uint64_t[4]){0}));
	CHECK_OK(receive(port, &request, 0));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_EVENT);
	CHECK_OK(receive(port, &request, 0));
	CHECK(TSS_TAG_TYPE(request.tag), 3);
	cap_t other = new_event();
	end_thread(waiting_in(TSS_THREAD_WAITING, other, 0));
	CHECK_OK(tss_event_signal(other, 2));
	CHECK_OK(tss_event_wait(other, 0, &bits));
	CHECK(bits, 2);
}

/* The server's thread is deleted while it serves; its caller's time-out runs on, and a new server takes the next. */
static void job_receive_and_sleep(struct worker *self)
{
	struct tss_request request;
	(void)tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	(void)tss_self_sleep(TSS_INFINITE);
}

static void test_server_deleted_while_serving(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	(void)new_reply(port);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_receive_and_sleep, port, 0);
	struct worker *caller = work(HIGH, job_caller, connection, 4000);
	struct worker *queued = work(HIGH, job_caller, connection, SECOND);
	end_thread(server);
	struct worker *next = work(HIGH, job_server, port, 1);
	CHECK_TRUE(joined(queued));
	CHECK_OK(queued->status);
	CHECK_TRUE(joined(caller));
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK_TRUE(joined(next));
}

static void test_thread_create_refusals(void)
{
	static const uint64_t bad_entry[] = {0, 0xffff, TSS_USER_END - TSS_PAGE_SIZE, TSS_USER_END, 1ull << 63, ~0ull};
	static const uint64_t bad_stack[] = {0, 0xfff0, 0x500008, TSS_USER_END - TSS_PAGE_SIZE, 1ull << 63, ~0ull};
	static const uint64_t bad_page[] = {
		0, 0xf000, 0x500008, TSS_USER_END - TSS_PAGE_SIZE, TSS_USER_END, 1ull << 63, ~0ull << 12};
	uint64_t value;
	for (unsigned i = 0; i < 6; i++) {
		CHECK(tss_thread_create(SELF, bad_entry[i], 0x500000, SPARE_AT, 0, &value), E(ARGUMENT, 2));
		CHECK(tss_thread_create(SELF, 0x400000, bad_stack[i], SPARE_AT, 0, &value), E(ARGUMENT, 3));
	}
	for (unsigned i = 0; i < 7; i++)
		CHECK(tss_thread_create(SELF, 0x400000, 0x500000, bad_page[i], 0, &value), E(ARGUMENT, 4));
	CHECK(tss_thread_create(SELF, 0x400000, 0x500000, TSS_LAYOUT_IPC_PAGE, 0, &value), E(OCCUPIED, 4));
	CHECK(tss_thread_create(SELF, 0x400000, 0x500000, TSS_LAYOUT_IMAGE, 0, &value), E(OCCUPIED, 4));
}

static void test_sched_create_refusals(void)
{
	static const uint64_t bad_slice[] = {0, 99, 10000001, 1ull << 32, 1ull << 63, ~0ull};
	uint64_t value;
	CHECK(tss_sched_create(SYSTEM, SELF, 256, SLICE, &value), E(ARGUMENT, 3));
	CHECK(tss_sched_create(SYSTEM, SELF, 1ull << 63, SLICE, &value), E(ARGUMENT, 3));
	for (unsigned i = 0; i < 6; i++)
		CHECK(tss_sched_create(SYSTEM, SELF, 1, bad_slice[i], &value), E(ARGUMENT, 4));
	CHECK(tss_sched_create(SYSTEM, SYSTEM, 1, SLICE, &value), E(TYPE, 2));
	CHECK(tss_sched_create(SYSTEM, TSS_CAP_NULL, 1, SLICE, &value), E(CAPABILITY, 2));
}

/* A child's only thread, or the context of it, is deleted: the unit ends, its supervisor hears so. */
static void last_thread_deleted(bool by_context)
{
	struct child child = child_new(HIGH, job_sleep, SECOND, 0);
	cap_t watch = child_watch(&child, 5), doomed = by_context ? child.sched : child.thread;
	struct tss_request request;
	child_go(&child);
	CHECK(receive(watch, &request, 0), E(TIMEOUT, 0));
	CHECK_OK(destroy(doomed));
	CHECK_OK(receive(watch, &request, 0));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_ENDED);
	CHECK(request.badge, 5);
	CHECK(request.words[0], 0x200);
}

static void test_deleting_the_last_thread_ends_its_unit(void)
{
	last_thread_deleted(false);
}

static void test_deleting_the_last_context_ends_its_unit(void)
{
	last_thread_deleted(true);
}

/* A unit that has not begun may lose its thread and get another. */
static void test_a_unit_being_built_outlives_its_thread(void)
{
	struct child child = child_new(HIGH, job_sleep, SECOND, 0);
	cap_t watch = child_watch(&child, 5);
	struct tss_request request;
	uint64_t thread = 0;
	CHECK_OK(destroy(child.thread));
	CHECK(receive(watch, &request, 0), E(TIMEOUT, 0));
	CHECK_OK(tss_thread_create(child.unit, 0x400000, 0x400000, TSS_LAYOUT_IPC_PAGE, 0, &thread));
	own((cap_t)thread);
}

const struct test life_tests[] = {
	TEST(deleted_while_receiving),
	TEST(deleted_while_calling),
	TEST(deleted_while_waiting),
	TEST(deleted_while_sleeping),
	TEST(deleted_while_ready),
	TEST(never_started),
	TEST(started_once),
	TEST(context_used_again),
	TEST(deletes_its_own_context),
	TEST(cannot_delete_itself),
	TEST(event_and_message_for_the_dead),
	TEST(server_deleted_while_serving),
	TEST(deleting_the_last_thread_ends_its_unit),
	TEST(deleting_the_last_context_ends_its_unit),
	TEST(a_unit_being_built_outlives_its_thread),
	TEST(thread_create_refusals),
	TEST(sched_create_refusals),
	{0},
};
