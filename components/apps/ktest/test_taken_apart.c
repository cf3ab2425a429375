/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_taken_apart.c - units and ports that are made, ended, restarted and deleted in slices: others run in between, whoever
 * tries to use what is half there is refused, and anyone can go on where another has stopped. That nothing is left is
 * seen by the usage behind each test, and by the audit.
 */
#include <abi/mailbox.h>
#include "ktest.h"

#define CREW 400u
#define CREW_PAGES 900u
#define CREW_SLOT 100u
#define CREW_SLOTS 1024u
#define CREW_AT 0x500000000000ull
#define SLOT 20u
#define IN_THE_MIDDLE 30u /* microseconds; a slice takes about 10 where the clock is counted */
#define DEEPEST 256u
#define REFUSED 20u /* callers; more than a receiver gets past in one slice */
#define MORE 40u

static void kill(struct worker *self)
{
	self->status = tss_unit_kill((cap_t)self->a, self->b);
}

static void seal(struct worker *self)
{
	self->status = tss_unit_seal((cap_t)self->a);
}

static void make_port(struct worker *self)
{
	uint64_t port = 0;
	self->status = tss_port_create(SELF, self->a, &port);
	self->got[0] = port;
}

static void make_unit(struct worker *self)
{
	uint64_t unit = 0;
	self->status = tss_unit_create(SELF, CREW_PAGES, self->a, 0, 0, &unit);
	self->got[0] = unit;
}

/*
 * Begins right behind a tick, so that a short sleep of ours ends at the next one, 64 microseconds later: 400 threads that
 * never ran are ended in 95.
 */
static struct worker *work_from_a_tick_on(void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	(void)tss_self_sleep(1);
	return work(LOW, run, a, b);
}

/* Somewhere in the middle of a worker's call, and on time; false: it was faster, or the clock is not counted. */
static bool interrupted(const struct worker *worker, uint64_t us)
{
	uint64_t start = now();
	(void)tss_self_sleep(us);
	if (clock_is_counted())
		CHECK_TRUE(now() - start < us + 2 * TICK);
	CHECK_TRUE(!worker->done || !clock_is_counted());
	return !worker->done;
}

/* The newest object of that type that we hold a capability to: one that is half made, in a slot that nobody was told of. */
static cap_t newest(unsigned type)
{
	const struct tss_inspect_capability *record = (const struct tss_inspect_capability *)tss_ipc()->recv;
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0, self = 0, last = 0;
	cap_t found = TSS_CAP_NULL;
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
		if (strcmp((const char *)unit->name, "ktest") == 0)
			self = unit->id;
	} while (next && !self);
	do {
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, next, self, &next));
		if (record->type == type && record->id > last) {
			last = record->id;
			found = (cap_t)(record->slot | record->generation << 16);
		}
	} while (next);
	return found;
}

static cap_t thread_in(cap_t unit, unsigned number)
{
	uint64_t thread = 0;
	CHECK_OK(tss_thread_create(unit, child_text_address(), CREW_AT, CREW_AT + number * TSS_PAGE_SIZE, 0, &thread));
	return (cap_t)thread;
}

/* With many threads that never begin, and their originals; `crew` are copies of the first and the last one's. */
static cap_t unit_with_crew(cap_t crew[2])
{
	uint64_t unit = 0;
	CHECK_OK(tss_unit_create(SELF, CREW_PAGES, CREW_SLOTS, 0, 0, &unit));
	own((cap_t)unit);
	for (unsigned i = 0; i < CREW; i++) {
		cap_t thread = thread_in((cap_t)unit, i);
		if (i == 0 || i == CREW - 1)
			crew[i != 0] = derive(thread, TSS_RIGHT_CONTROL);
		CHECK_OK(tss_unit_install((cap_t)unit, CREW_SLOT + i, thread, TSS_RIGHT_CONTROL, TSS_INSTALL_MOVE));
	}
	return (cap_t)unit;
}

static void test_unit_is_killed_beside_others(void)
{
	cap_t crew[2], unit = unit_with_crew(crew);
	uint64_t value = 0;
	struct worker *worker = work_from_a_tick_on(kill, unit, 0);
	if (interrupted(worker, IN_THE_MIDDLE)) {
		CHECK(thread_state(crew[0]), TSS_THREAD_ENDED);
		CHECK(thread_state(crew[1]), TSS_THREAD_NEW);
		CHECK(tss_thread_create(unit, child_text_address(), CREW_AT, CREW_AT - TSS_PAGE_SIZE, 0, &value),
		      E(BUSY, 1));
		CHECK(tss_unit_seal(unit), E(BUSY, 1));
		CHECK(tss_unit_restart(unit, 0), E(BUSY, 1));
	}
	CHECK_TRUE(joined(worker));
	CHECK_OK(worker->status);
	CHECK(thread_state(crew[1]), TSS_THREAD_ENDED);
}

/* The killer is ended in the middle: who kills again goes on. */
static void test_killer_ends_in_the_middle(void)
{
	cap_t crew[2], unit = unit_with_crew(crew);
	struct worker *worker = work_from_a_tick_on(kill, unit, 1);
	(void)interrupted(worker, IN_THE_MIDDLE);
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	CHECK_OK(tss_unit_kill(unit, 0));
	CHECK(thread_state(crew[1]), TSS_THREAD_ENDED);
}

static void job_fault(struct worker *self)
{
	self->got[0]++;
	asm volatile("ud2");
}

/* By its own fault, in slices, at the priority of who faulted; its supervisor hears of it when all threads have ended. */
static void test_unit_ends_itself_beside_others(void)
{
	struct child child = child_new(LOW, job_fault, 0, 0);
	struct tss_request request;
	cap_t watch = child_watch(&child, 1), last = TSS_CAP_NULL;
	for (unsigned i = 0; i < 24; i++)
		last = own(thread_in(child.unit, i));
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_FAULT);
	CHECK(thread_state(last), TSS_THREAD_NEW);
	CHECK(receive(watch, &request, 0), E(TIMEOUT, 0));
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_ENDED);
	CHECK(request.words[0], 0x100 | TSS_FAULT_INSTRUCTION);
	CHECK(thread_state(last), TSS_THREAD_ENDED);
	CHECK(thread_state(child.thread), TSS_THREAD_ENDED);
}

/* With many threads, whose turn comes between that of others; it begins where nothing is mapped. */
static void test_large_unit_ends_itself_on_time(void)
{
	cap_t crew[2], unit = unit_with_crew(crew);
	bool halfway = false;
	CHECK_OK(tss_thread_start(crew[0], new_sched(LOW)));
	for (unsigned i = 0; i < 20; i++) {
		uint64_t start = now();
		(void)tss_self_sleep(10);
		if (clock_is_counted())
			CHECK_TRUE(now() - start < 10 + 2 * TICK);
		halfway |= thread_state(crew[0]) == TSS_THREAD_FAULTED && thread_state(crew[1]) == TSS_THREAD_NEW;
	}
	CHECK_TRUE(halfway || !clock_is_counted());
	for (unsigned i = 0; i < 1000 && thread_state(crew[0]) != TSS_THREAD_ENDED; i++)
		(void)tss_self_sleep(100);
	CHECK(thread_state(crew[0]), TSS_THREAD_ENDED);
	CHECK(thread_state(crew[1]), TSS_THREAD_ENDED);
	CHECK(tss_unit_seal(unit), E(BUSY, 1));
}

/* What is being deleted gets nothing more, and pays for nothing more. */
static void test_unit_that_is_half_deleted(void)
{
	cap_t crew[2], unit = unit_with_crew(crew), event = new_event();
	uint64_t value = 0;
	unsigned slices = 0;
	tss_status_t status;
	for (unsigned slot = SLOT; slot < SLOT + MORE; slot++)
		CHECK_OK(tss_unit_install(unit, slot, event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY));
	do {
		status = tss_capability_delete(unit);
		slices++;
	} while (status == E(AGAIN, 1) && thread_state(crew[1]) != TSS_THREAD_ENDED);
	CHECK(status, E(AGAIN, 1));
	CHECK_TRUE(slices >= CREW / 16);
	CHECK(tss_capability_delete(unit), E(AGAIN, 1));
	CHECK(tss_unit_install(unit, SLOT + MORE, event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY), E(BUSY, 1));
	CHECK(tss_event_create(unit, &value), E(MEMORY, 0));
	CHECK(tss_port_create(unit, 4, &value), E(MEMORY, 0));
	CHECK(tss_unit_create(unit, 12, 64, 0, 0, &value), E(MEMORY, 2));
	CHECK(tss_unit_restart(unit, 0), E(BUSY, 1));
	CHECK_OK(tss_unit_kill(unit, 1));
	CHECK_OK(destroy(unit));
	disown(unit);
}

/* Sealed with threads of its own: a restart that one has begun another goes on with; or it is given up, and deleted. */
static void restart_with(unsigned first_slices, bool then_delete)
{
	cap_t crew[2], unit = unit_with_crew(crew);
	uint64_t memory = 0;
	tss_status_t status;
	CHECK_OK(tss_memory_create(unit, MORE, &memory));
	CHECK_OK(tss_unit_install(unit, SLOT, (cap_t)memory, TSS_RIGHT_READ | TSS_RIGHT_WRITE, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_seal(unit));
	CHECK_OK(tss_unit_kill(unit, 0));
	for (unsigned i = 0; i < first_slices; i++)
		CHECK(tss_unit_restart(unit, 0), E(AGAIN, 1));
	CHECK_OK(tss_unit_kill(unit, 0)); /* it has ended already */
	if (then_delete)
		return;
	do
		status = tss_unit_restart(unit, 0);
	while (status == E(AGAIN, 1));
	CHECK_OK(status);
	CHECK(tss_capability_inspect(crew[1], NULL), E(CAPABILITY, 1)); /* it was not sealed */
	CHECK(tss_unit_restart(unit, 0), E(BUSY, 1));
}

static void test_restart_is_gone_on_with(void)
{
	restart_with(3, false);
	restart_with(12, false);
}

static void test_restart_is_given_up(void)
{
	restart_with(3, true);
	restart_with(12, true);
}

/* It is there, smaller, and can be used for nothing that would grow with it; its maker is ended. True: it was halfway. */
static bool port_begun(uint64_t us)
{
	uint64_t value = 0;
	cap_t before = newest(TSS_TYPE_PORT);
	struct worker *worker = work(LOW, make_port, DEEPEST, 0);
	(void)tss_self_sleep(us);
	bool halfway = !worker->done && newest(TSS_TYPE_PORT) != before;
	cap_t port = halfway ? newest(TSS_TYPE_PORT) : (cap_t)worker->got[0];
	if (halfway && tss_connection_create(port, SELF, 1, 0, &value) == TSS_OK) {
		halfway = false; /* its maker had the port, but was not yet done */
		CHECK_OK(destroy((cap_t)value));
	} else if (halfway) {
		CHECK(tss_connection_create(port, SELF, 1, 0, &value), E(BUSY, 1));
		CHECK(tss_port_mailbox(port, new_memory(TSS_MAILBOX_PAGES(DEEPEST))), E(ARGUMENT, 1));
	}
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	if (port)
		CHECK_OK(destroy(port));
	return halfway;
}

static void test_port_that_is_not_whole(void)
{
	unsigned halfway = 0;
	for (unsigned us = 1; us < 60; us += 4)
		halfway += port_begun(us);
	CHECK_TRUE(halfway || !clock_is_counted());
}

static void test_unit_that_is_not_whole(void)
{
	uint64_t value = 0;
	cap_t before = newest(TSS_TYPE_UNIT), unit = before;
	struct worker *worker = work_from_a_tick_on(make_unit, TSS_SLOTS_MAX, 0);
	bool halfway = true;
	while (halfway && unit == before) { /* until it has begun */
		halfway = interrupted(worker, IN_THE_MIDDLE);
		unit = halfway ? newest(TSS_TYPE_UNIT) : (cap_t)worker->got[0];
	}
	CHECK(tss_capability_inspect(unit, &value), TSS_OK);
	CHECK(value & 0xff, TSS_TYPE_UNIT);
	value = halfway ? tss_unit_install(unit, SLOT, new_event(), TSS_RIGHT_WAIT, TSS_INSTALL_COPY) : TSS_OK;
	if (value != TSS_OK) { /* it is not whole; else its maker is about to be done */
		CHECK(value, E(BUSY, 1));
		CHECK(tss_event_create(unit, &value), E(MEMORY, 0));
	}
	CHECK_OK(destroy(worker->thread));
	worker->thread = TSS_CAP_NULL;
	CHECK_OK(destroy(unit));
}

/* All of its places are there in the end, and its slots. */
static void test_large_port_and_unit_are_whole(void)
{
	uint64_t unit = 0;
	cap_t port = new_port(DEEPEST), connection = new_connection(port, 1), event = new_event();
	const uint64_t words[4] = {0};
	for (unsigned i = 0; i < DEEPEST; i++)
		CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 0, 0), words));
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 0), words), E(FULL, 1));
	CHECK_OK(tss_unit_create(SELF, CREW_PAGES, TSS_SLOTS_MAX, 0, 0, &unit));
	own((cap_t)unit);
	CHECK_OK(tss_unit_install((cap_t)unit, TSS_SLOTS_MAX - 1, event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY));
	CHECK(tss_unit_install((cap_t)unit, TSS_SLOTS_MAX, event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY), E(ARGUMENT, 2));
	struct worker *worker = work(LOW, seal, unit, 0);
	CHECK_TRUE(joined(worker));
	CHECK_OK(worker->status);
}

/* More urgent than who owes the first caller an answer, so they are all in the queue. Those whose capabilities find no slot are got past, a slice at a time, and the one behind them is served. */
static void job_call_with_a_gift(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 0, 1);
	uint64_t words[4] = {0};
	tss_ipc()->send_caps[0] = (cap_t)self->b;
	self->status = tss_connection_call((cap_t)self->a, &tag, words, SECOND);
}

static void receive_past(bool with_a_reply)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	struct worker *refused[REFUSED], *first = NULL;
	cap_t port = new_port(0), connection = new_connection(port, 7), gift = new_event();
	(void)new_reply(port);
	if (with_a_reply) {
		first = work(HIGH, job_caller, connection, SECOND);
		CHECK_OK(receive(port, &request, 0));
	}
	for (unsigned i = 0; i < REFUSED; i++)
		refused[i] = work(HIGH + 10, job_call_with_a_gift, connection, gift);
	struct worker *good = work(HIGH + 10, job_caller, new_connection(port, 8), SECOND);
	tss_ipc()->recv_slots[0] = TSS_CAP_NULL;
	CHECK_OK(tss_port_reply_receive(port, &request, SECOND));
	CHECK(request.badge, 8);
	if (first) {
		CHECK_TRUE(joined(first));
		CHECK_OK(first->status);
	}
	for (unsigned i = 0; i < REFUSED; i++) {
		CHECK_TRUE(joined(refused[i]));
		CHECK(refused[i]->status, E(NO_SLOT, 2));
	}
	CHECK_OK(tss_reply_send(request.reply, 0, request.words));
	CHECK_TRUE(joined(good));
	CHECK_OK(good->status);
}

static void test_receiver_gets_past_many(void)
{
	receive_past(false);
}

static void test_replying_receiver_gets_past_many(void)
{
	receive_past(true);
}

/* got[0]: what the first receive ended with; got[1]: how many there were; got[2]: whose message it was in the end. */
static void job_receive_until_something_comes(struct worker *self)
{
	struct tss_request request;
	tss_ipc()->recv_slots[0] = TSS_CAP_NULL;
	self->got[0] = self->status = tss_port_receive((cap_t)self->a, &request, SECOND);
	for (self->got[1] = 1; self->status == TSS_RECEIVE_AGAIN; self->got[1]++)
		self->status = tss_port_receive((cap_t)self->a, &request, SECOND);
	self->got[2] = request.badge;
	if (self->status == TSS_OK)
		CHECK_OK(tss_reply_send(request.reply, 0, request.words));
}

/* It waits, and they queue for want of a reply object. Whoever makes one does not refuse them all in one go. */
static void test_waiting_receiver_gets_past_many(void)
{
	struct worker *refused[REFUSED];
	cap_t port = new_port(0), connection = new_connection(port, 7), gift = new_event();
	struct worker *receiver = work(HIGH + 20, job_receive_until_something_comes, port, 0);
	for (unsigned i = 0; i < REFUSED; i++)
		refused[i] = work(HIGH + 10, job_call_with_a_gift, connection, gift);
	struct worker *good = work(HIGH + 10, job_caller, new_connection(port, 8), SECOND);
	CHECK_TRUE(!receiver->done);
	(void)new_reply(port);
	CHECK_TRUE(joined(receiver));
	CHECK(receiver->got[0], E(AGAIN, 0));
	CHECK(receiver->got[1], 2);
	CHECK_OK(receiver->status);
	CHECK(receiver->got[2], 8);
	for (unsigned i = 0; i < REFUSED; i++) {
		CHECK_TRUE(joined(refused[i]));
		CHECK(refused[i]->status, E(NO_SLOT, 2));
	}
	CHECK_TRUE(joined(good));
	CHECK_OK(good->status);
}

const struct test taken_apart_tests[] = {
	TEST(unit_is_killed_beside_others),
	TEST(killer_ends_in_the_middle),
	TEST(unit_ends_itself_beside_others),
	TEST(large_unit_ends_itself_on_time),
	TEST(unit_that_is_half_deleted),
	TEST(restart_is_gone_on_with),
	TEST(restart_is_given_up),
	TEST(port_that_is_not_whole),
	TEST(unit_that_is_not_whole),
	TEST(large_port_and_unit_are_whole),
	TEST(receiver_gets_past_many),
	TEST(replying_receiver_gets_past_many),
	TEST(waiting_receiver_gets_past_many),
	{0},
};
