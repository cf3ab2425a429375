/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c - helper threads: a stack and an IPC page each, both for good. */
#include "bench.h"

#define STACK_SIZE 2048u
#define IPC_PAGES 0x0000000400000000ull

static struct start {
	void (*run)(void *argument);
	void *argument;
} starts[THREADS_MAX];
static uint8_t stacks[THREADS_MAX][STACK_SIZE] __attribute__((aligned(16)));
static unsigned count;

void thread_begin(const struct start *start) __attribute__((noreturn));
void thread_begin(const struct start *start)
{
	start->run(start->argument);
	for (;;)
		(void)tss_self_exit(0);
}

/* The kernel starts a thread with rdi = argument and an aligned stack; C wants to have been called. */
asm(".text\n"
    "thread_entry:\n"
    "	xorl %ebp, %ebp\n"
    "	call thread_begin\n"
    "	ud2\n");
extern const char thread_entry[] __attribute__((visibility("hidden")));

cap_t thread_sched;

bool thread_run(void (*run)(void *argument), void *argument, unsigned priority)
{
	uint64_t thread, sched = TSS_CAP_NULL;
	if (count == THREADS_MAX)
		return false;
	struct start *start = &starts[count];
	uint64_t stack = (uint64_t)&stacks[count][STACK_SIZE], page = IPC_PAGES + count * TSS_PAGE_SIZE;
	*start = (struct start){run, argument};
	count++;
	bool made = tss_thread_create(TSS_SLOT_UNIT, (uint64_t)thread_entry, stack, page, (uint64_t)start, &thread) ==
			    TSS_OK &&
		    tss_sched_create(TSS_SLOT_SYSTEM, TSS_SLOT_UNIT, priority, 10000, &sched) == TSS_OK &&
		    tss_thread_start((cap_t)thread, (cap_t)sched) == TSS_OK;
	thread_sched = (cap_t)sched;
	return made;
}
