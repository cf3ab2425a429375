/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_cpu.c - threads on another CPU than this one: what they call, wait for and share, and what happens to a thing that
 * is in use over there at that moment. On a machine with one CPU everything happens here, and must come to the same.
 */
#include <abi/mailbox.h>
#include "ktest.h"

#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)
#define SHARED_AT 0x610000000000ull
#define ROUNDS 50u

static const struct tss_inspect_counters *counters(void)
{
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL));
	return (const struct tss_inspect_counters *)tss_ipc()->recv;
}

static unsigned cpu_of(cap_t thread)
{
	const struct tss_inspect_thread *record = (const struct tss_inspect_thread *)tss_ipc()->recv;
	(void)thread_state(thread); /* leaves the record */
	return (unsigned)record->cpu;
}

static unsigned here(void)
{
	return cpu_of(TSS_SLOT_THREAD);
}

static unsigned elsewhere(void)
{
	unsigned own = here();
	return (unsigned)((own + 1) % counters()->cpus);
}

/* On the other CPU, below us: with one CPU it runs when we wait. */
static struct worker *work_there(void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	struct worker *worker = worker_new(LOW, run, a, b);
	CHECK_OK(tss_sched_place(SYSTEM, worker->sched, elsewhere()));
	return worker_go(worker);
}

static void wait_for(const volatile bool *flag)
{
	for (uint64_t end = now() + SECOND; !*flag && now() < end;)
		(void)tss_self_sleep(100);
	CHECK_TRUE(*flag);
}

static void wait_for_state(cap_t thread, unsigned state)
{
	for (uint64_t end = now() + SECOND; thread_state(thread) != state && now() < end;)
		(void)tss_self_sleep(100);
	CHECK(thread_state(thread), state);
}

static void test_place_refusals(void)
{
	cap_t sched = new_sched(LOW);
	CHECK_OK(tss_sched_place(SYSTEM, sched, 0));
	CHECK(tss_sched_place(SYSTEM, sched, counters()->cpus), E(ARGUMENT, 3));
	CHECK(tss_sched_place(SYSTEM, sched, ~0ull), E(ARGUMENT, 3));
	CHECK(tss_sched_place(SYSTEM, SELF, 0), E(TYPE, 2));
	CHECK(tss_sched_place(SYSTEM, derive(sched, TSS_RIGHT_GRANT), 0), E(RIGHTS, 2));
	CHECK(tss_sched_place(SYSTEM, TSS_CAP_NULL, 0), E(CAPABILITY, 2));
	CHECK(tss_sched_place(sched, sched, 0), E(TYPE, 1));
}

static void test_runs_where_it_is_put(void)
{
	struct worker *worker = work_there(job_spin, 10 * SECOND, 0);
	wait_for(&worker->started);
	CHECK(cpu_of(worker->thread), elsewhere());
	CHECK_OK(tss_sched_place(SYSTEM, worker->sched, here()));
	CHECK(cpu_of(worker->thread), here());
	stop_spinning = true;
	CHECK_TRUE(joined(worker));
	stop_spinning = false;
}

static void test_call_and_answer_across(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 7);
	(void)new_reply(port);
	struct worker *server = work_there(job_server, port, ROUNDS);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		tss_tag_t tag = TSS_TAG(1, 256, 0);
		uint64_t words[4] = {i, ~i, 3, 4};
		tss_ipc()->send[31] = i;
		CHECK_OK(tss_connection_call(connection, &tag, words, i % 2 ? TSS_INFINITE : SECOND));
		CHECK(words[0], i);
		CHECK(words[1], ~i);
		CHECK(tss_ipc()->recv[31], i);
	}
	CHECK_TRUE(joined(server));
	CHECK(server->got[1], 7);
}

static void job_hear(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, SECOND);
	self->got[0] = TSS_TAG_TYPE(request.tag);
}

/* The port's home stays where its receiver waits, whoever names the mailbox. */
static void test_mailbox_of_a_port_in_use_there(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 7), memory = new_memory(TSS_MAILBOX_PAGES(2));
	const uint64_t none[4] = {0, 0, 0, 0};
	CHECK_OK(tss_event_bind(new_event(), port));
	struct worker *server = work_there(job_hear, port, 0);
	wait_for_state(server->thread, TSS_THREAD_RECEIVING);
	CHECK_OK(tss_port_mailbox(port, memory));
	CHECK_OK(tss_connection_send(connection, TSS_TAG(9, 0, 0), none));
	CHECK_TRUE(joined(server));
	CHECK_OK(server->status);
	CHECK(server->got[0], TSS_MSG_EVENT);
}

static void test_called_from_there(void)
{
	struct tss_request request;
	cap_t port = new_port(2), connection = new_connection(port, 9);
	(void)new_reply(port);
	struct worker *caller = worker_new(LOW, job_caller, connection, SECOND);
	caller->c = 41;
	CHECK_OK(tss_sched_place(SYSTEM, caller->sched, elsewhere()));
	(void)worker_go(caller);
	CHECK_OK(tss_port_receive(port, &request, SECOND));
	CHECK(request.words[0], 41);
	request.words[0]++;
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(0, 32, 0), request.words));
	CHECK_TRUE(joined(caller));
	CHECK(caller->status, TSS_OK);
	CHECK(caller->got[1], 42);
}

static void test_gives_up_on_a_server_there(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work_there(job_server, port, 1);
	wait_for_state(server->thread, TSS_THREAD_RECEIVING);
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 32, 0);
	uint64_t words[4] = {0};
	CHECK_OK(tss_connection_call(connection, &tag, words, SECOND));
	CHECK_TRUE(joined(server));
	struct worker *caller = work_there(job_caller, connection, 2000);
	CHECK_OK(tss_port_receive(port, &request, SECOND));
	CHECK_TRUE(joined(caller)); /* it was received, and not answered */
	CHECK(caller->status, E(TIMEOUT, 0));
	CHECK(tss_reply_send(request.reply, TSS_TAG(0, 0, 0), words), E(GONE, 1));
}

static void job_wait(struct worker *self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		self->status = tss_event_wait((cap_t)self->a, SECOND, (uint64_t *)&self->got[0]);
		if (self->status != TSS_OK)
			return;
		self->status = tss_event_signal((cap_t)self->b, self->got[0] << 1);
	}
}

static void test_events_across(void)
{
	uint64_t bits = 0;
	cap_t to = new_event(), back = new_event();
	struct worker *worker = work_there(job_wait, to, back);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK_OK(tss_event_signal(to, 1ull << i));
		CHECK_OK(tss_event_wait(back, SECOND, &bits));
		CHECK(bits, 2ull << i);
	}
	CHECK_TRUE(joined(worker));
	CHECK(worker->status, TSS_OK);
}

static void job_receive(struct worker *self)
{
	struct tss_request request = {0};
	while (self->got[0] < self->b && (self->status = tss_port_receive((cap_t)self->a, &request, SECOND)) == TSS_OK)
		self->got[request.words[0] == self->got[0] ? 0 : 1]++;
}

static void test_messages_across(void)
{
	cap_t port = new_port(4), connection = new_connection(port, 1);
	struct worker *worker = work_there(job_receive, port, ROUNDS);
	for (uint64_t i = 0; i < ROUNDS;) {
		const uint64_t words[4] = {i};
		tss_status_t status = tss_connection_send(connection, TSS_TAG(1, 8, 0), words);
		if (status == TSS_OK)
			i++;
		else
			CHECK(status, E(FULL, 1));
		(void)tss_self_sleep(status == TSS_OK ? 0 : 100);
	}
	CHECK_TRUE(joined(worker));
	CHECK(worker->got[0], ROUNDS);
	CHECK(worker->got[1], 0);
}

/* In a child: counts at SHARED_AT for ever. */
static void job_count(struct worker *self)
{
	for (self->got[0] = 1;; self->got[0]++)
		*(volatile uint64_t *)SHARED_AT = self->got[0];
}

/* A child there that counts in memory of ours, which we see at SPARE_AT. */
static struct child counting_child(cap_t memory)
{
	struct child child = child_new(LOW, job_count, 0, 0);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, RW));
	child_give(&child, CHILD_FIRST, memory, RW);
	CHECK_OK(tss_unit_map(child.unit, CHILD_FIRST, SHARED_AT, RW));
	CHECK_OK(tss_sched_place(SYSTEM, child.sched, elsewhere()));
	child_go(&child);
	const volatile uint64_t *count = (const volatile uint64_t *)SPARE_AT;
	for (uint64_t end = now() + SECOND; *count < 1000 && now() < end;)
		(void)tss_self_sleep(100);
	CHECK_TRUE(*count >= 1000);
	return child;
}

/* Nobody writes there any more: what it was at once, it is after a while. */
static void stands_still(void)
{
	const volatile uint64_t *count = (const volatile uint64_t *)SPARE_AT;
	uint64_t before = *count;
	(void)tss_self_sleep(3000);
	CHECK(*count, before);
}

static void test_unmapped_while_written_there(void)
{
	cap_t memory = new_memory(1);
	struct child child = counting_child(memory);
	cap_t port = child_watch(&child, 5);
	CHECK_OK(tss_unit_unmap(child.unit, CHILD_FIRST));
	stands_still();
	struct tss_request request;
	CHECK_OK(tss_port_receive(port, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_FAULT);
	CHECK(request.badge, 5);
}

static void test_revoked_while_written_there(void)
{
	cap_t memory = new_memory(1);
	struct child child = counting_child(memory);
	CHECK_OK(tss_capability_revoke(memory));
	stands_still();
	wait_for_state(child.thread, TSS_THREAD_ENDED);
}

static void test_killed_while_it_runs_there(void)
{
	cap_t memory = new_memory(1);
	struct child child = counting_child(memory);
	CHECK_OK(tss_unit_kill(child.unit, 0));
	stands_still();
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

/* Its tables and frames are taken from under it; the test's end sees that every page is back. */
static void test_deleted_while_it_runs_there(void)
{
	for (unsigned i = 0; i < 4; i++) {
		cap_t memory = new_memory(1);
		struct child child = counting_child(memory);
		CHECK_OK(destroy(child.unit));
		disown(child.unit);
		stands_still();
		CHECK_OK(destroy(memory));
		disown(memory);
	}
}

static void test_thread_deleted_while_it_runs_there(void)
{
	struct worker *worker = work_there(job_spin, 100 * SECOND, 0);
	wait_for(&worker->started);
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	uint64_t before = worker->got[0];
	(void)tss_self_sleep(3000);
	CHECK(worker->got[0], before);
}

static void job_wander(struct worker *self)
{
	for (uint64_t i = 0; i < self->b; i++)
		self->got[tss_sched_place(SYSTEM, (cap_t)self->a, i % self->c) == TSS_OK]++;
}

static void test_moves_itself(void)
{
	struct worker *worker = worker_new(LOW, job_wander, 0, ROUNDS);
	worker->a = worker->sched;
	worker->c = counters()->cpus;
	CHECK_TRUE(joined(worker_go(worker)));
	CHECK(worker->got[0], 0);
	CHECK(worker->got[1], ROUNDS);
}

static void test_sleeper_is_moved(void)
{
	struct worker *worker = work_there(job_sleep, 20000, 0);
	uint64_t start = now();
	wait_for_state(worker->thread, TSS_THREAD_SLEEPING);
	for (unsigned i = 0; i < 10; i++)
		CHECK_OK(tss_sched_place(SYSTEM, worker->sched, i % counters()->cpus));
	CHECK_OK(tss_sched_place(SYSTEM, worker->sched, here())); /* not where it fell asleep */
	CHECK_TRUE(joined(worker));
	CHECK(worker->status, E(TIMEOUT, 0));
	CHECK_TRUE(now() - start >= 20000);
}

/* FS base is in the CPU only while its thread is; a stays what it is wherever the thread goes. */
static void job_keep(struct worker *self)
{
	self->status = tss_self_fs_base((uint64_t)&self->a);
	while (!stop_spinning) {
		uint64_t seen;
		asm volatile("movq %%fs:0, %0" : "=r"(seen));
		self->got[seen == self->a ? 0 : 1]++;
	}
}

static void test_registers_move_along(void)
{
	struct worker *worker = work_there(job_keep, 0x5a5a, 0);
	wait_for(&worker->started);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK_OK(tss_sched_place(SYSTEM, worker->sched, i % counters()->cpus));
		(void)tss_self_sleep(100);
	}
	stop_spinning = true;
	CHECK_TRUE(joined(worker));
	stop_spinning = false;
	CHECK_TRUE(worker->got[0] > 0);
	CHECK(worker->got[1], 0);
	CHECK(worker->status, TSS_OK);
}

static void test_server_moves_between_calls(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work_there(job_server, port, ROUNDS);
	for (uint64_t i = 0; i < ROUNDS; i++) {
		tss_tag_t tag = TSS_TAG(1, 32, 0);
		uint64_t words[4] = {i};
		CHECK_OK(tss_sched_place(SYSTEM, server->sched, i % counters()->cpus));
		CHECK_OK(tss_connection_call(connection, &tag, words, SECOND));
		CHECK(words[0], i);
	}
	CHECK_TRUE(joined(server));
}

/* Works for its caller until told to stop, in the caller's context, and counts. */
static void job_long_server(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	while (self->status == TSS_OK && !stop_spinning)
		self->got[0]++;
	self->status = tss_reply_send(request.reply, request.tag, request.words);
}

/* The server loses the context that it was called in, and goes on in its own. */
static void test_caller_moves_while_it_is_served(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work_there(job_long_server, port, 0);
	wait_for_state(server->thread, TSS_THREAD_RECEIVING);
	struct worker *caller = work_there(job_caller, connection, TSS_INFINITE);
	wait_for_state(caller->thread, TSS_THREAD_CALLING);
	CHECK_OK(tss_sched_place(SYSTEM, caller->sched, here()));
	const volatile uint64_t *count = &server->got[0];
	uint64_t before = *count, end = now() + SECOND;
	while (*count == before && now() < end)
		(void)tss_self_sleep(100);
	CHECK_TRUE(*count > before);
	stop_spinning = true;
	CHECK_TRUE(joined(server));
	CHECK_TRUE(joined(caller));
	stop_spinning = false;
	CHECK(caller->status, TSS_OK);
}

static void job_wild(struct worker *self)
{
	*(volatile uint64_t *)SHARED_AT = self->a;
	self->got[0] = 1;
}

/* A fault there is a call to the handler here. */
static void test_fault_across(void)
{
	struct tss_request request;
	cap_t port = new_port(2);
	(void)new_reply(port);
	struct child child = child_new(LOW, job_wild, 0, 0);
	CHECK_OK(tss_unit_fault_port(child.unit, new_connection(port, 3)));
	CHECK_OK(tss_sched_place(SYSTEM, child.sched, elsewhere()));
	child_go(&child);
	CHECK_OK(tss_port_receive(port, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_FAULT);
	CHECK(request.words[0], TSS_FAULT_WRITE);
	CHECK(request.words[1], SHARED_AT);
	cap_t memory = new_memory(1);
	child_give(&child, CHILD_FIRST, memory, RW);
	CHECK_OK(tss_unit_map(child.unit, CHILD_FIRST, SHARED_AT, RW));
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(TSS_FAULT_RESUME, 0, 0), request.words));
	wait_for_state(child.thread, TSS_THREAD_ENDED);
}

const struct test cpu_tests[] = {TEST(place_refusals),
				 TEST(runs_where_it_is_put),
				 TEST(call_and_answer_across),
				 TEST(mailbox_of_a_port_in_use_there),
				 TEST(called_from_there),
				 TEST(gives_up_on_a_server_there),
				 TEST(events_across),
				 TEST(messages_across),
				 TEST(unmapped_while_written_there),
				 TEST(revoked_while_written_there),
				 TEST(killed_while_it_runs_there),
				 TEST(deleted_while_it_runs_there),
				 TEST(thread_deleted_while_it_runs_there),
				 TEST(moves_itself),
				 TEST(sleeper_is_moved),
				 TEST(registers_move_along),
				 TEST(server_moves_between_calls),
				 TEST(caller_moves_while_it_is_served),
				 TEST(fault_across),
				 {NULL, NULL}};
