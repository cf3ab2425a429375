/* SPDX-License-Identifier: BSD-2-Clause */
/* test_redirect.c - system calls of numbers that no row has: to the thread's own handler, with every register. */
#include <tessera/redirect.h>
#include "fault.h"

#define HANDLER_STACK 2048
#define CARRY_AND_DIRECTION 0x401ull

static uint8_t stack[HANDLER_STACK] __attribute__((aligned(16)));
static uint64_t calls, number_seen, arguments_seen[6], flags_seen;
static struct tss_redirect record;

static uint64_t serve(uint64_t number, uint64_t arguments[6])
{
	asm volatile("pushfq\n\tpopq %0" : "=r"(flags_seen));
	calls++;
	number_seen = number;
	record = tss_ipc()->redirect;
	memcpy(arguments_seen, arguments, sizeof(arguments_seen));
	return 0x4242;
}

/* What was in every register, rsp and the red zone after a foreign call; rax first. */
struct all {
	uint64_t rax;
	uint64_t others[15]; /* rbx rcx rdx rsi rdi rbp r8 to r15, and how far rsp has moved */
	uint64_t flags, red;
};
void foreign_call(uint64_t number, struct all *all) HIDDEN;
extern const char foreign_after[] HIDDEN;
asm(".text\n.globl foreign_call, foreign_after\n.hidden foreign_call, foreign_after\n"
    "foreign_call: pushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\tpushq %rsi\n\t"
    "movq %rsp, 120(%rsi)\n\t"
    "movq $0x5ed, -8(%rsp)\n\t" /* the red zone */
    "movq %rdi, %rax\n\tmovl $0xb0, %ebx\n\tmovl $0xd0, %edx\n\tmovl $0xe0, %esi\n\tmovl $0xf0, %edi\n\t"
    "movl $0x100, %ebp\n\tmovl $0x108, %r8d\n\tmovl $0x109, %r9d\n\tmovl $0x110, %r10d\n\tmovl $0x112, %r12d\n\t"
    "movl $0x113, %r13d\n\tmovl $0x114, %r14d\n\tmovl $0x115, %r15d\n\t"
    "cmpq $1, %rax\n\tstc\n\tstd\n\tsyscall\n"
    "foreign_after: movq %rsp, %gs:0x408\n\t" /* local[] of the IPC page, which nothing else here uses */
    "movq -8(%rsp), %rsp\n\tmovq %rsp, %gs:0x410\n\tmovq %gs:0x408, %rsp\n\t"
    "pushfq\n\tpopq %gs:0x400\n\tcld\n\t"
    "movq %rsi, %gs:0x418\n\tmovq (%rsp), %rsi\n\t"
    "movq %rax, (%rsi)\n\tmovq %rbx, 8(%rsi)\n\tmovq %rcx, 16(%rsi)\n\tmovq %rdx, 24(%rsi)\n\tmovq %rdi, 40(%rsi)\n\t"
    "movq %rbp, 48(%rsi)\n\tmovq %r8, 56(%rsi)\n\tmovq %r9, 64(%rsi)\n\tmovq %r10, 72(%rsi)\n\tmovq %r11, 80(%rsi)\n\t"
    "movq %r12, 88(%rsi)\n\tmovq %r13, 96(%rsi)\n\tmovq %r14, 104(%rsi)\n\tmovq %r15, 112(%rsi)\n\t"
    "movq %gs:0x418, %rax\n\tmovq %rax, 32(%rsi)\n\tmovq %gs:0x400, %rax\n\tmovq %rax, 128(%rsi)\n\t"
    "movq %gs:0x408, %rax\n\tsubq 120(%rsi), %rax\n\tmovq %rax, 120(%rsi)\n\t"
    "movq %gs:0x410, %rax\n\tmovq %rax, 136(%rsi)\n\t"
    "popq %rsi\n\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbp\n\tpopq %rbx\n\tret\n");

static struct all all;

static void job_foreign(struct worker *self)
{
	calls = 0;
	self->status = tss_redirect(serve, &stack[HANDLER_STACK]);
	foreign_call(self->a, &all);
	self->got[0] = tss_ipc()->redirect.ip;
}

static void test_foreign_call_is_served_with_every_register_kept(void)
{
	static const uint64_t numbers[] = {0, 1, 0xfff, TSS_SYSCALL_END, 1ull << 32 | TSS_SYS_self_exit, ~0ull};
	for (unsigned i = 0; i < 6; i++) {
		struct worker *worker = work(HIGH, job_foreign, numbers[i], 0);
		CHECK_TRUE(worker->done);
		CHECK_OK(worker->status);
		CHECK(calls, 1);
		CHECK(number_seen, numbers[i]);
		CHECK(record.number, numbers[i]);
		CHECK(all.rax, 0x4242);
		CHECK(worker->got[0], 0);
	}
	const uint64_t want[] = {0xb0,  (uint64_t)foreign_after,
				 0xd0,  0xe0,
				 0xf0,  0x100,
				 0x108, 0x109,
				 0x110, all.flags,
				 0x112, 0x113,
				 0x114, 0x115,
				 0};
	for (unsigned i = 0; i < 15; i++)
		CHECK(all.others[i], want[i]);
	CHECK(all.flags & CARRY_AND_DIRECTION, CARRY_AND_DIRECTION);
	CHECK(all.red, 0x5ed);
}

static void test_foreign_handler_finds_what_the_program_had(void)
{
	static const uint64_t want[6] = {0xf0, 0xe0, 0xd0, 0x110, 0x108, 0x109};
	struct worker *worker = work(HIGH, job_foreign, 39, 0);
	CHECK_TRUE(worker->done);
	for (unsigned i = 0; i < 6; i++)
		CHECK(arguments_seen[i], want[i]);
	CHECK(record.ip, (uint64_t)foreign_after);
	CHECK(record.flags, all.flags);
	CHECK_TRUE(record.sp > STACK_BASE);
	CHECK(flags_seen & CARRY_AND_DIRECTION & 0x400, 0);
}

/* Elsewhere than it came from: what a handler writes there counts. */
static uint64_t serve_otherwise(uint64_t number, uint64_t arguments[6])
{
	arguments[2] = number;
	tss_ipc()->redirect.flags &= ~CARRY_AND_DIRECTION;
	return number + 1;
}

static void job_otherwise(struct worker *self)
{
	self->status = tss_redirect(serve_otherwise, &stack[HANDLER_STACK]);
	foreign_call(7, &all);
}

static void test_foreign_handler_changes_registers(void)
{
	struct worker *worker = work(HIGH, job_otherwise, 0, 0);
	CHECK_TRUE(worker->done);
	CHECK_OK(worker->status);
	CHECK(all.rax, 8);
	CHECK(all.others[2], 7);
	CHECK(all.flags & CARRY_AND_DIRECTION, 0);
}

/* In a child: its handler makes a foreign call itself; or it has taken its handler back. */
static uint64_t serve_badly(uint64_t number, uint64_t arguments[6])
{
	foreign_call(number + 1, &all);
	return arguments[0];
}

static void job_badly(struct worker *self)
{
	(void)tss_redirect(serve_badly, &stack[HANDLER_STACK]);
	if (self->b)
		(void)tss_redirect(NULL, NULL);
	foreign_call(self->a, &all);
}

static void foreign_call_is_a_fault(uint64_t number, bool unregistered, uint64_t told)
{
	struct child child = child_new(LOW, job_badly, number, unregistered);
	cap_t watch = child_watch(&child, 1);
	child_go(&child);
	struct tss_fault_record fault = fault_record(watch, 1, false);
	CHECK(fault.kind, TSS_FAULT_SYSCALL);
	CHECK(fault.address, told);
	CHECK(fault.ip, (uint64_t)foreign_after - 2);
	unit_ended(watch, TSS_FAULT_SYSCALL);
}

static void test_foreign_call_in_its_handler_is_a_fault(void)
{
	foreign_call_is_a_fault(50, false, 51);
}

static void test_foreign_call_without_a_handler_is_a_fault(void)
{
	foreign_call_is_a_fault(60, true, 60);
}

/* What the table denies is denied with a handler, too: it is no foreign call. */
static void job_denied(struct worker *self)
{
	(void)tss_redirect(serve, &stack[HANDLER_STACK]);
	(void)raw_call(self->a, (const uint64_t[5]){0}, NULL);
}

static void test_denied_call_is_not_redirected(void)
{
	struct child child = child_new(LOW, job_denied, TSS_SYS_self_yield, 0);
	cap_t watch = child_watch(&child, 1);
	CHECK_OK(tss_unit_restrict(child.unit, ~(1ull << (TSS_SYS_self_yield - TSS_SYSCALL_FIRST)), ~0ull));
	child_go(&child);
	struct tss_fault_record fault = fault_record(watch, 1, false);
	CHECK(fault.kind, TSS_FAULT_SYSCALL);
	CHECK(fault.address, TSS_SYS_self_yield);
	unit_ended(watch, TSS_FAULT_SYSCALL);
}

static void test_redirect_arguments(void)
{
	static const uint64_t wrong[] = {1, TSS_USER_BASE - 1, TSS_USER_END - TSS_PAGE_SIZE, TSS_USER_END, ~0ull};
	const uint64_t entry = (uint64_t)foreign_after, top = (uint64_t)&stack[HANDLER_STACK];
	for (unsigned i = 0; i < 5; i++) {
		CHECK(tss_self_redirect(wrong[i], top), E(ARGUMENT, 1));
		CHECK(tss_self_redirect(entry, wrong[i] & ~15ull), E(ARGUMENT, 2));
	}
	CHECK(tss_self_redirect(entry, top - 8), E(ARGUMENT, 2));
	CHECK_OK(tss_self_redirect(0, 1));
}

const struct test redirect_tests[] = {
	TEST(foreign_call_is_served_with_every_register_kept),
	TEST(foreign_handler_finds_what_the_program_had),
	TEST(foreign_handler_changes_registers),
	TEST(foreign_call_in_its_handler_is_a_fault),
	TEST(foreign_call_without_a_handler_is_a_fault),
	TEST(denied_call_is_not_redirected),
	TEST(redirect_arguments),
	{0},
};
