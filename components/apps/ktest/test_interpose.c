/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_interpose.c - tables of calls: shared, restricted, and calls that a monitor is asked about. The monitor is the main
 * thread: each test lets a child run, takes what it is asked, and answers.
 */
#include "ktest.h"

#define WORD(call) ((TSS_SYS_##call - TSS_SYSCALL_FIRST) / 64)
#define BIT(call) (1ull << (TSS_SYS_##call - TSS_SYSCALL_FIRST) % 64)
#define MASK0(call) (WORD(call) == 0 ? BIT(call) : 0)
#define MASK1(call) (WORD(call) == 1 ? BIT(call) : 0)
#define BADGE 77
_Static_assert(TSS_SYSCALL_COUNT > 52,
	       "the mask's upper part is bits of the first word today, and will be of the second");

static cap_t port;
static struct tss_request asked;
static struct tss_fault_record record;

static cap_t monitor_new(void)
{
	port = new_port(4);
	(void)new_reply(port);
	return new_connection(port, BADGE);
}

/* The next call that is asked for. */
static void take(void)
{
	CHECK_OK(receive(port, &asked, SECOND));
	CHECK(asked.tag, TSS_TAG(TSS_MSG_SYSCALL, sizeof(record), 0));
	CHECK(asked.badge, BADGE);
	CHECK_TRUE(asked.reply != TSS_CAP_NULL);
	memcpy(&record, tss_ipc()->recv, sizeof(record));
	memcpy(&record, asked.words, sizeof(asked.words));
	CHECK(record.kind, TSS_FAULT_INTERPOSED);
}

static tss_status_t answer(enum tss_call_answer how)
{
	const uint64_t none[4] = {0};
	return tss_reply_send(asked.reply, TSS_TAG(how, 0, 0), none);
}

static tss_status_t answer_pair(uint64_t status, uint64_t value)
{
	const uint64_t words[4] = {status, value, 5, 6};
	return tss_reply_send(asked.reply, TSS_TAG(TSS_CALL_RESULT, 16, 0), words);
}

static tss_status_t answer_record(enum tss_call_answer how)
{
	memcpy(tss_ipc()->send, &record, sizeof(record));
	return tss_reply_send(asked.reply, TSS_TAG(how, sizeof(record), 0), (const uint64_t *)&record);
}

/* Runs in the child: call number a with arguments b, c, d, 4, 5, 6 and 7 in rbx; its results go to got[]. */
static void job_calls(struct worker *self)
{
	struct registers r = {
		.rax = self->a, .rdi = self->b, .rsi = self->c, .rdx = self->d, .r10 = 4, .r8 = 5, .r9 = 6, .rbx = 7};
	raw(&r);
	self->got[0] = r.rax;
	self->got[1] = r.rdx;
	self->got[2] = r.rbx;
	self->got[3] = r.rdi | r.rsi | r.r10 | r.r8 | r.r9;
	self->got[4]++;
	for (;;)
		(void)tss_self_sleep(SECOND);
}

static volatile struct worker *job; /* of the child, as it sees it */

static struct child calling_child(uint64_t number, uint64_t b, uint64_t c, uint64_t d)
{
	struct child child = child_new(LOW, job_calls, number, b);
	CHECK_OK(tss_unit_map(SELF, child.data, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	job = (volatile struct worker *)(SPARE_AT + (uint64_t)child.job - child_data_address());
	job->c = c;
	job->d = d;
	return child;
}

static struct child asked_child(uint64_t number, uint64_t b, uint64_t c, uint64_t d)
{
	struct child child = calling_child(number, b, c, d);
	unsigned bit = (unsigned)(number - TSS_SYSCALL_FIRST);
	CHECK_OK(tss_unit_interpose(child.unit, monitor_new(), bit < 64 ? 1ull << bit : 0,
				    bit < 64 ? 0 : 1ull << (bit - 64)));
	child_go(&child);
	return child;
}

static void test_asked_call_is_allowed(void)
{
	struct child child = asked_child(TSS_SYS_self_clock, 1, 2, 3);
	take();
	CHECK(record.address, TSS_SYS_self_clock);
	CHECK(record.code, 0);
	CHECK(record.regs[0], TSS_SYS_self_clock);
	CHECK(record.regs[5], 1);
	CHECK(record.regs[4], 2);
	CHECK(record.regs[3], 3);
	CHECK(record.regs[9], 4);
	CHECK(record.regs[7], 5);
	CHECK(record.regs[8], 6);
	CHECK(record.regs[1], 7);
	CHECK(record.thread, thread_id(child.thread));
	uint64_t before = now();
	CHECK_OK(answer(TSS_CALL_ALLOW));
	rest();
	CHECK_OK(job->got[0]);
	CHECK_TRUE(job->got[1] >= before && job->got[1] <= now());
	CHECK(job->got[2], 7);
	CHECK(job->got[4], 1);
	CHECK(receive(port, &asked, 0), E(TIMEOUT, 0)); /* asked once, though it was made twice */
}

/* A call that the kernel carries out in slices is one, and asked for once. */
static void test_call_in_slices_is_asked_for_once(void)
{
	struct child child = asked_child(TSS_SYS_memory_create, CHILD_FIRST, 20, 0x1234);
	child_give(&child, CHILD_FIRST, child.unit, TSS_RIGHT_CONTROL);
	take();
	CHECK_OK(answer(TSS_CALL_ALLOW));
	rest();
	CHECK(receive(port, &asked, 0), E(TIMEOUT, 0));
	CHECK_OK(job->got[0]);
	CHECK(job->got[4], 1);
}

/* What it may do is looked up when it is carried out: the handle that was there when it was asked for is gone. */
static void test_asked_call_is_looked_up_when_it_is_carried_out(void)
{
	struct child child = asked_child(TSS_SYS_event_signal, CHILD_FIRST, 1, 0);
	cap_t event = new_event();
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_SIGNAL);
	take();
	CHECK_OK(tss_capability_revoke(event));
	CHECK_OK(answer(TSS_CALL_ALLOW));
	rest();
	CHECK(job->got[0], E(CAPABILITY, 1));
}

static void test_monitor_changes_arguments(void)
{
	struct child child = asked_child(TSS_SYS_event_signal, CHILD_FIRST, 1, 0);
	cap_t event = new_event();
	uint64_t bits = 0;
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_SIGNAL);
	take();
	record.regs[4] = 0x60;
	CHECK_OK(answer_record(TSS_CALL_ALLOW));
	CHECK_OK(tss_event_wait(event, SECOND, &bits));
	CHECK(bits, 0x60);
	rest();
	CHECK_OK(job->got[0]);
}

static void test_monitor_makes_up_the_result(void)
{
	(void)asked_child(TSS_SYS_self_clock, 0, 0, 0);
	take();
	CHECK_OK(answer_pair(TSS_OK, 0x1234));
	rest();
	CHECK_OK(job->got[0]);
	CHECK(job->got[1], 0x1234);
	CHECK(job->got[2], 7);
	CHECK(job->got[3], 0);
}

static void test_monitor_refuses_a_message_call(void)
{
	(void)asked_child(TSS_SYS_connection_call, CHILD_FIRST, TSS_TAG(1, 32, 0), TSS_INFINITE);
	take();
	CHECK_OK(answer_pair(E(FULL, 1), 0));
	rest();
	CHECK(job->got[0], E(FULL, 1));
	CHECK(job->got[1] | job->got[2] | job->got[3], 0);
}

static void test_monitor_is_told_the_result(void)
{
	(void)asked_child(TSS_SYS_capability_check, CHILD_FIRST, TSS_TYPE_EVENT, 0);
	take();
	CHECK_OK(answer(TSS_CALL_TELL));
	take();
	CHECK(record.code, 1);
	CHECK(record.address, TSS_SYS_capability_check);
	CHECK(record.regs[0], E(CAPABILITY, 1));
	CHECK(job->got[4], 0);
	CHECK_OK(answer(TSS_CALL_ALLOW));
	rest();
	CHECK(job->got[0], E(CAPABILITY, 1));
	CHECK(job->got[4], 1);
}

static void test_monitor_changes_the_result(void)
{
	(void)asked_child(TSS_SYS_self_version, 0, 0, 0);
	take();
	CHECK_OK(answer(TSS_CALL_TELL));
	take();
	CHECK_OK(record.regs[0]);
	CHECK(record.regs[3], TSS_ABI_VERSION);
	CHECK_OK(answer_pair(TSS_OK, 99));
	rest();
	CHECK(job->got[1], 99);
	CHECK(job->got[4], 1);
}

/* All of them, behind the call. */
static void test_monitor_changes_every_result(void)
{
	(void)asked_child(TSS_SYS_self_version, 0, 0, 0);
	take();
	CHECK_OK(answer(TSS_CALL_TELL));
	take();
	record.regs[0] = E(FULL, 1);
	record.regs[3] = 0x33;
	record.regs[1] = 0xb;
	CHECK_OK(answer_record(TSS_CALL_ALLOW));
	rest();
	CHECK(job->got[0], E(FULL, 1));
	CHECK(job->got[1], 0x33);
	CHECK(job->got[2], 0xb);
	CHECK(job->got[4], 1);
}

/* A call that blocks does so in its thread: the monitor is free, and hears nothing of its end. */
static void test_asked_call_blocks_its_thread(void)
{
	struct child child = asked_child(TSS_SYS_event_wait, CHILD_FIRST, TSS_INFINITE, 0);
	cap_t event = new_event();
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_WAIT);
	take();
	CHECK_OK(answer(TSS_CALL_TELL));
	rest();
	CHECK(thread_state(child.thread), TSS_THREAD_WAITING);
	CHECK(receive(port, &asked, 0), E(TIMEOUT, 0));
	CHECK_OK(tss_event_signal(event, 3));
	rest();
	CHECK(job->got[1], 3);
	CHECK(receive(port, &asked, 0), E(TIMEOUT, 0));
}

static void test_monitor_ends_the_unit(void)
{
	struct child child = calling_child(TSS_SYS_self_clock, 0, 0, 0);
	cap_t watch = child_watch(&child, 9);
	struct tss_request request;
	CHECK_OK(tss_unit_interpose(child.unit, monitor_new(), MASK0(self_clock), MASK1(self_clock)));
	child_go(&child);
	take();
	CHECK_OK(answer(TSS_CALL_FAULT));
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_SYSCALL);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], 0x100 | TSS_FAULT_SYSCALL);
}

/* One answer too many, or one that is none: refused, and the call still waits. */
static void test_monitor_answers_badly(void)
{
	static const uint64_t bad[] = {
		TSS_TAG(4, 0, 0),  TSS_TAG(TSS_CALL_ALLOW, 8, 0),   TSS_TAG(TSS_CALL_ALLOW, 16, 0),
		TSS_TAG(2, 0, 0),  TSS_TAG(TSS_CALL_RESULT, 24, 0), TSS_TAG(TSS_CALL_ALLOW, 0, 1),
		TSS_TAG(3, 193, 0)};
	const uint64_t none[4] = {0};
	(void)asked_child(TSS_SYS_self_clock, 0, 0, 0);
	take();
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(tss_reply_send(asked.reply, bad[i], none), E(ARGUMENT, 2));
	rest();
	CHECK(job->got[4], 0);
	CHECK_OK(answer(TSS_CALL_ALLOW));
	CHECK(answer(TSS_CALL_ALLOW), E(CAPABILITY, 1));
	rest();
	CHECK(job->got[4], 1);
}

/* Death of the monitor: what waits for its answer is not carried out, and neither is anything later. */
static void test_monitor_dies(void)
{
	struct child child = calling_child(TSS_SYS_event_signal, CHILD_FIRST, 1, 0);
	cap_t connection = monitor_new(), event = new_event();
	uint64_t bits;
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_SIGNAL);
	CHECK_OK(tss_unit_interpose(child.unit, connection, MASK0(event_signal), MASK1(event_signal)));
	child_go(&child);
	take();
	CHECK_OK(destroy(port));
	disown(port);
	rest();
	CHECK(job->got[0], E(PEER_DEAD, 0));
	CHECK(job->got[4], 1);
	CHECK(tss_event_wait(event, 0, &bits), E(TIMEOUT, 0));
	disown(connection);
}

static void test_without_a_monitor_nothing_is_carried_out(void)
{
	struct child child = calling_child(TSS_SYS_self_clock, 0, 0, 0);
	cap_t connection = monitor_new();
	CHECK_OK(tss_unit_interpose(child.unit, connection, MASK0(self_clock), MASK1(self_clock)));
	CHECK_OK(destroy(connection));
	disown(connection);
	child_go(&child);
	rest();
	CHECK(job->got[0], E(PEER_DEAD, 0));
	CHECK(receive(port, &asked, 0), E(TIMEOUT, 0));
}

/* A call that was allowed once, with these arguments, is asked for again, with others or the same. */
static void job_twice(struct worker *self)
{
	(void)self;
	for (unsigned i = 0; i < 3; i++) {
		struct registers r = {.rax = TSS_SYS_event_signal, .rdi = CHILD_FIRST, .rsi = i == 2 ? 2 : 1};
		raw(&r);
	}
	for (;;)
		(void)tss_self_sleep(SECOND);
}

static void test_each_call_is_asked_for(void)
{
	struct child child = child_new(LOW, job_twice, 0, 0);
	cap_t event = new_event();
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_SIGNAL);
	CHECK_OK(tss_unit_interpose(child.unit, monitor_new(), MASK0(event_signal), MASK1(event_signal)));
	child_go(&child);
	for (unsigned i = 0; i < 3; i++) {
		take();
		CHECK(record.regs[4], i == 2 ? 2 : 1);
		CHECK_OK(answer(TSS_CALL_ALLOW));
	}
	CHECK(receive(port, &asked, 2000), E(TIMEOUT, 0));
}

/* Denied stays denied, whoever is asked. */
static void test_denied_call_is_not_asked_for(void)
{
	struct child child = calling_child(TSS_SYS_self_clock, 0, 0, 0);
	cap_t watch = child_watch(&child, 9), connection = monitor_new();
	struct tss_request request;
	CHECK_OK(tss_unit_restrict(child.unit, ~MASK0(self_clock), ~MASK1(self_clock)));
	CHECK_OK(tss_unit_interpose(child.unit, connection, ~0ull, ~0ull));
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_SYSCALL);
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
}

/* Whose calls are asked for makes no unit whose calls are not. */
static void test_children_are_asked_for_too(void)
{
	uint64_t parent = 0;
	cap_t connection = monitor_new();
	struct tss_request request;
	CHECK_OK(tss_unit_create(SELF, 120, 64, 0, 0, &parent));
	CHECK_OK(tss_unit_interpose(own((cap_t)parent), connection, MASK0(self_clock), MASK1(self_clock)));
	struct child child = child_below((cap_t)parent, LOW, job_calls, TSS_SYS_self_clock, 0);
	child_go(&child);
	CHECK_OK(receive(port, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_INTERPOSED);
	CHECK(request.words[1], TSS_SYS_self_clock);
}

static void test_interpose_refusals(void)
{
	cap_t first = monitor_new(), second = new_connection(port, 1);
	cap_t weak = derive(second, TSS_RIGHT_SEND | TSS_RIGHT_GRANT);
	struct child child = child_new(LOW, job_exit, 0, 0);
	CHECK(tss_unit_interpose(child.unit, weak, 1, 0), E(RIGHTS, 2));
	CHECK(tss_unit_interpose(child.unit, port, 1, 0), E(TYPE, 2));
	CHECK(tss_unit_interpose(child.unit, TSS_CAP_NULL, 1, 0), E(CAPABILITY, 2));
	CHECK_OK(tss_unit_interpose(child.unit, first, 1, 0));
	CHECK_OK(tss_unit_interpose(child.unit, first, 2, 0));
	CHECK(tss_unit_interpose(child.unit, second, 1, 0), E(BUSY, 1));
}

static struct tss_inspect_unit unit_record(cap_t unit)
{
	const struct tss_inspect_unit *found = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t id = object_id(unit), next = 0;
	do
		CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next));
	while (found->id != id && next);
	return *found;
}

/* Units with the same calls use one table, paid once; who says something else leaves it, and the last frees it. */
static void test_equal_tables_are_shared(void)
{
	struct child a = child_new(LOW, job_exit, 0, 0), b = child_new(LOW, job_exit, 0, 0);
	uint64_t before = usage_now().pages;
	CHECK_OK(tss_unit_restrict(a.unit, ~0xffull, 1));
	CHECK(usage_now().pages, before + 1);
	CHECK_OK(tss_unit_restrict(b.unit, ~0xfull, 1));
	CHECK(usage_now().pages, before + 2);
	CHECK_TRUE(unit_record(a.unit).table != unit_record(b.unit).table);
	CHECK_OK(tss_unit_restrict(b.unit, ~0xf0ull, 1));
	CHECK(usage_now().pages, before + 1);
	CHECK(unit_record(a.unit).table, unit_record(b.unit).table);
	CHECK(unit_record(b.unit).calls.allowed[0] & 0xffff, 0xff00);
	CHECK(unit_record(b.unit).calls.allowed[1] & ~1ull, 0);
	cap_t monitor = monitor_new();
	before = usage_now().pages;
	CHECK_OK(tss_unit_interpose(b.unit, monitor, 0x300, 0));
	CHECK(usage_now().pages, before + 1);
	CHECK(unit_record(b.unit).calls.asked[0], 0x300);
	CHECK(unit_record(b.unit).monitor, object_id(monitor));
	CHECK(unit_record(a.unit).calls.asked[0], 0);
}

const struct test interpose_tests[] = {
	TEST(asked_call_is_allowed),
	TEST(call_in_slices_is_asked_for_once),
	TEST(asked_call_is_looked_up_when_it_is_carried_out),
	TEST(monitor_changes_arguments),
	TEST(monitor_makes_up_the_result),
	TEST(monitor_refuses_a_message_call),
	TEST(monitor_is_told_the_result),
	TEST(monitor_changes_the_result),
	TEST(monitor_changes_every_result),
	TEST(asked_call_blocks_its_thread),
	TEST(monitor_ends_the_unit),
	TEST(monitor_answers_badly),
	TEST(monitor_dies),
	TEST(without_a_monitor_nothing_is_carried_out),
	TEST(each_call_is_asked_for),
	TEST(denied_call_is_not_asked_for),
	TEST(children_are_asked_for_too),
	TEST(interpose_refusals),
	TEST(equal_tables_are_shared),
	{0},
};
