/* SPDX-License-Identifier: BSD-2-Clause */
/* test_direct.c - calls and replies that are handed over at once: what must not get lost on the shortest way. */
#include "ktest.h"

#define WAIT_US 20000u

/* Answers direct calls; got[i]: the handle of the i-th. The third is not answered; got[3], got[4]: used handles' fate. */
static void job_two_answers(struct worker *self)
{
	const uint64_t none[4] = {0};
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned i = 0; i < 3; i++) {
		self->status = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
		self->got[i] = request.reply;
	}
	self->got[3] = tss_reply_send((cap_t)self->got[0], TSS_TAG(0, 0, 0), none);
	self->got[4] = tss_reply_send((cap_t)self->got[1], TSS_TAG(0, 0, 0), none);
	(void)tss_self_sleep(SECOND);
}

static tss_status_t call(cap_t connection, uint64_t timeout_us)
{
	uint64_t words[4] = {1, 2, 3, 4};
	tss_tag_t tag = TSS_TAG(7, 32, 0);
	return tss_connection_call(connection, &tag, words, timeout_us);
}

static void test_direct_replies_spend_their_handles(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_two_answers, port, 0);
	CHECK_OK(call(connection, TSS_INFINITE));
	CHECK_OK(call(connection, TSS_INFINITE));
	CHECK(call(connection, WAIT_US), E(TIMEOUT, 0));
	CHECK(server->got[1], server->got[0] + 0x10000);
	CHECK(server->got[2], server->got[0] + 0x20000);
	CHECK(server->got[3], E(CAPABILITY, 1));
	CHECK(server->got[4], E(CAPABILITY, 1));
}

static void spin(uint64_t us)
{
	for (uint64_t end = now() + us; now() < end;)
		;
}

/* The same time as before: it begins anew with each call, and ends the one that nobody answers. A sleep would be another. */
static void test_direct_timeouts_begin_anew(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	(void)new_reply(port);
	(void)work(HIGH, job_two_answers, port, 0);
	CHECK_OK(call(connection, WAIT_US));
	spin(WAIT_US / 2);
	CHECK_OK(call(connection, WAIT_US));
	spin(WAIT_US / 4);
	uint64_t start = now();
	CHECK(call(connection, WAIT_US), E(TIMEOUT, 0));
	uint64_t waited = now() - start;
	CHECK_TRUE(waited >= WAIT_US && waited < SECOND);
}

static void job_receive_late(struct worker *self)
{
	struct tss_request request;
	self->status = tss_port_receive((cap_t)self->a, &request, SECOND / 10);
}

/* Has a call, waits for an event, then wants to answer and receive; got[1]: what answering alone says. */
static void job_answer_late(struct worker *self)
{
	const uint64_t none[4] = {0};
	struct tss_request request;
	uint64_t bits;
	self->status = tss_port_receive((cap_t)self->a, &request, SECOND);
	(void)tss_event_wait((cap_t)self->b, SECOND, &bits);
	cap_t reply = request.reply;
	self->got[0] = tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->got[1] = tss_reply_send(reply, TSS_TAG(0, 0, 0), none);
}

static void test_no_direct_reply_past_another_receiver(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), event = new_event();
	(void)new_reply(port);
	struct worker *server = work(HIGH, job_answer_late, port, event);
	struct worker *caller = work(HIGH + 1, job_caller, connection, SECOND);
	struct worker *other = work(HIGH, job_receive_late, port, 0);
	CHECK_OK(tss_event_signal(event, 1));
	CHECK_TRUE(joined(server) && joined(caller));
	CHECK(server->got[0], E(BUSY, 1));
	CHECK_OK(server->got[1]);
	CHECK_OK(caller->status);
	CHECK_TRUE(joined(other));
	CHECK(other->status, E(TIMEOUT, 0));
}

/* 0 if rbp and r12 to r15 are after that system call what they were before. */
static uint64_t changed_over(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	/* Safety: below the red zone; rbp is put back. */
	asm volatile(
		"leaq -128(%%rsp), %%rsp\n\tpushq %%rbp\n\t"
		"movl $0x11111111, %%ebp\n\tmovl $0x12121212, %%r12d\n\tmovl $0x13131313, %%r13d\n\t"
		"movl $0x14141414, %%r14d\n\tmovl $0x15151515, %%r15d\n\t"
		"syscall\n\t"
		"xorq $0x11111111, %%rbp\n\txorq $0x12121212, %%r12\n\txorq $0x13131313, %%r13\n\t"
		"xorq $0x14141414, %%r14\n\txorq $0x15151515, %%r15\n\t"
		"orq %%rbp, %%r12\n\torq %%r13, %%r12\n\torq %%r14, %%r12\n\torq %%r15, %%r12\n\tmovq %%r12, %%rax\n\t"
		"popq %%rbp\n\tleaq 128(%%rsp), %%rsp"
		: "+a"(number), "+D"(a), "+S"(b), "+d"(c)
		:
		: "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	return number;
}

static void job_yield_often(struct worker *self)
{
	while (self->a-- > 0)
		CHECK(changed_over(TSS_SYS_self_yield, 0, 0, 0), 0);
}

static void test_registers_are_kept(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), event = new_event();
	(void)new_reply(port);
	(void)work(HIGH, job_server, port, 100);
	CHECK(changed_over(TSS_SYS_self_version, 0, 0, 0), 0);
	CHECK(changed_over(TSS_SYS_self_clock, 0, 0, 0), 0);
	CHECK(changed_over(TSS_SYS_self_sleep, 2000, 0, 0), 0);
	CHECK(changed_over(TSS_SYS_event_wait, event, 2000, 0), 0);
	CHECK(changed_over(TSS_SYS_event_wait, connection, 2000, 0), 0);
	CHECK(changed_over(TSS_SYS_connection_call, connection, TSS_TAG(7, 32, 0), TSS_INFINITE), 0);
	CHECK(changed_over(TSS_SYS_connection_call, connection, TSS_TAG(7, 32, 0), SECOND), 0);
	CHECK(changed_over(TSS_SYS_connection_call, connection, TSS_TAG(7, 32, 0), SECOND), 0);
	CHECK(changed_over(TSS_SYS_connection_call, connection, TSS_TAG(7, 256, 0), SECOND), 0);
	CHECK(changed_over(TSS_SYS_connection_call, connection, TSS_TAG(7, 256, 1), SECOND), 0);
	CHECK(changed_over(TSS_SYS_connection_call, event, TSS_TAG(7, 256, 0), SECOND), 0);
	(void)work(HIGH, job_yield_often, 50, 0);
	(void)work(HIGH, job_yield_often, 50, 0);
}

const struct test direct_tests[] = {
	TEST(direct_replies_spend_their_handles),
	TEST(direct_timeouts_begin_anew),
	TEST(no_direct_reply_past_another_receiver),
	TEST(registers_are_kept),
	{0},
};
