/* SPDX-License-Identifier: BSD-2-Clause */
/* test_machine.c - what a unit can do to the CPU's state from outside the kernel, and that it hurts nobody else. */
#include "ktest.h"

#define FLAG_NESTED (1ull << 14)
#define FLAG_ALIGN (1ull << 18)
#define FLAG_DIRECTION (1ull << 10)

/* Sets a flag, sleeps (so the kernel goes to another thread and back), and returns the flags that are left. */
static uint64_t sleep_with_flag(uint64_t flag)
{
	uint64_t status = TSS_SYS_self_sleep, rdi = 2 * TICK, flags;
	asm volatile("pushfq\n\torq %3, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tpopq %0\n\tpushfq\n\tandq %4, "
		     "(%%rsp)\n\tpopfq"
		     : "=&r"(flags), "+a"(status), "+D"(rdi)
		     : "r"(flag), "r"(~flag)
		     : "rcx", "rsi", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
	CHECK(status, E(TIMEOUT, 0));
	return flags;
}

static void job_look_at_flags(struct worker *self)
{
	for (uint64_t end = now() + 4 * TICK; now() < end;) {
		uint64_t flags;
		asm volatile("pushfq\n\tpopq %0" : "=r"(flags));
		self->got[0] |= flags;
	}
}

/* The flags are the thread's own: it finds them again, nobody else sees them, and the kernel is not disturbed. */
static void test_flags_stay_with_their_thread(void)
{
	static const uint64_t flags[] = {FLAG_NESTED, FLAG_ALIGN, FLAG_DIRECTION};
	for (unsigned i = 0; i < 3; i++) {
		struct worker *other = work(LOW, job_look_at_flags, 0, 0);
		CHECK(sleep_with_flag(flags[i]) & flags[i], flags[i]);
		CHECK_TRUE(joined(other));
		CHECK(other->got[0] & flags[i], 0);
		workers_end();
	}
}

static void job_direction(struct worker *self)
{
	asm volatile("std");
	for (uint64_t i = 0; i < 200000; i++)
		asm volatile("" : "+r"(i));
	asm volatile("cld");
	self->got[0] = 1;
}

/* Interrupted with the direction flag set: the kernel's own string instructions go forward all the same. */
static void test_direction_flag_under_interrupts(void)
{
	struct worker *worker = work(LOW, job_direction, 0, 0);
	for (unsigned i = 0; i < 20; i++)
		(void)tss_self_sleep(TICK);
	CHECK_TRUE(joined(worker));
}

/* FS and GS selectors can be loaded by anybody; that moves the GS base. Whoever does so harms himself only. */
static void job_load_gs(struct worker *self)
{
	asm volatile("movw %w0, %%gs" ::"r"(self->a));
	for (;;)
		asm volatile("syscall" ::"a"(TSS_SYS_self_sleep), "D"(100ull)
			     : "rcx", "r11", "rsi", "rdx", "r10", "r8", "r9");
}

static void gs_loaded(uint64_t selector)
{
	struct child child = child_new(LOW, job_load_gs, selector, 0);
	struct tss_ipc_page *own_page = tss_ipc();
	uint64_t base;
	child_go(&child);
	for (unsigned i = 0; i < 20; i++) {
		(void)tss_self_sleep(2 * TICK);
		CHECK(tss_unit_kill(i == 19 ? child.unit : TSS_CAP_NULL, 0) == TSS_OK, i == 19);
		asm volatile("movq %%gs:0, %0" : "=r"(base));
		CHECK(base, (uint64_t)own_page);
	}
}

static void test_null_gs_of_another_unit(void)
{
	gs_loaded(0);
}

static void test_data_gs_of_another_unit(void)
{
	gs_loaded(3 * 8 | 3);
}

static void job_single_step(struct worker *self)
{
	(void)self;
	asm volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tsyscall\n\tnop" ::"a"(TSS_SYS_self_yield)
		     : "rcx", "r11", "rdi", "rsi", "rdx", "r10", "r8", "r9", "memory", "cc");
}

/* Stepping into a system call is a fault of the stepping unit, before or after it. */
static void test_single_step(void)
{
	struct child child = child_new(LOW, job_single_step, 0, 0);
	cap_t watch = child_watch(&child, 1);
	struct tss_request request;
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_FAULT_DEBUG);
}

static void job_bad_stack(struct worker *self)
{
	asm volatile("movq %0, %%rsp\n\tsyscall\n1:\tjmp 1b" ::"r"(self->a), "a"(TSS_SYS_self_yield) : "memory");
}

/* A stack pointer is only a number to the kernel; interrupts come and go while it is nonsense. */
static void test_nonsense_in_the_stack_pointer(void)
{
	static const uint64_t bad[] = {0, 8, 1ull << 63, ~0ull, 0xffffffff80000000ull, TSS_USER_END};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct child child = child_new(LOW, job_bad_stack, bad[i], 0);
		child_go(&child);
		for (unsigned j = 0; j < 5; j++)
			(void)tss_self_sleep(TICK);
		CHECK_TRUE(thread_state(child.thread) == TSS_THREAD_READY);
		CHECK_OK(tss_unit_kill(child.unit, 0));
	}
}

const struct test machine_tests[] = {
	TEST(flags_stay_with_their_thread),
	TEST(direction_flag_under_interrupts),
	TEST(single_step),
	TEST(nonsense_in_the_stack_pointer),
	TEST(null_gs_of_another_unit),
	TEST(data_gs_of_another_unit),
	{0},
};
