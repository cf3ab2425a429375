/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workers.c - threads of this unit. Worker i has the stack at STACK_BASE + 4 i pages (the fourth stays empty) and the
 * IPC page at IPC_BASE + 2 i pages, so that running over either is seen.
 */
#include "ktest.h"

#define STACK_PAGES 3
#define STACK_STRIDE 4
#define TRACE_MAX 200

static struct worker workers[WORKERS];
static unsigned worker_count;
static volatile char trace_text[TRACE_MAX];
static volatile unsigned trace_size;
volatile bool stop_spinning;

/* Called by worker_start only. */
void worker_main(struct worker *self) __attribute__((used, noreturn, visibility("hidden")));
void worker_main(struct worker *self)
{
	self->started = true;
	self->run(self);
	self->done = true;
	for (;;)
		(void)tss_self_exit(0);
}

/* A thread begins with an aligned stack; a C function expects that its return address has been pushed. */
asm(".text\n"
    ".globl worker_start\n"
    ".hidden worker_start\n"
    "worker_start: xorl %ebp, %ebp\n"
    "\tcall worker_main\n"
    "\tud2\n");

struct worker *worker_new(unsigned priority, void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	uint64_t thread = 0, sched = 0;
	if (worker_count == WORKERS) {
		CHECK(worker_count, WORKERS - 1);
		worker_count--;
	}
	struct worker *worker = &workers[worker_count];
	*worker = (struct worker){.run = run, .a = a, .b = b, .index = worker_count++};
	CHECK_OK(tss_thread_create(SELF, (uint64_t)worker_start,
				   STACK_BASE + (worker->index * STACK_STRIDE + STACK_PAGES) * TSS_PAGE_SIZE,
				   IPC_BASE + worker->index * 2 * TSS_PAGE_SIZE, (uint64_t)worker, &thread));
	CHECK_OK(tss_sched_create(SYSTEM, SELF, priority, SLICE, &sched));
	worker->thread = (cap_t)thread;
	worker->sched = (cap_t)sched;
	return worker;
}

struct worker *worker_go(struct worker *worker)
{
	CHECK_OK(tss_thread_start(worker->thread, worker->sched));
	return worker;
}

bool joined(struct worker *worker)
{
	for (uint64_t end = now() + SECOND; !worker->done && now() < end;)
		(void)tss_self_sleep(200);
	return worker->done;
}

void workers_end(void)
{
	while (worker_count > 0) {
		struct worker *worker = &workers[--worker_count];
		if (worker->thread)
			(void)destroy(worker->thread);
		if (worker->sched)
			(void)destroy(worker->sched);
		worker->thread = worker->sched = TSS_CAP_NULL;
	}
	trace_size = 0;
	trace_text[0] = 0;
}

/* Stacks for all, and every page table that workers will need, so that later nothing is paid for these. */
void workers_init(void)
{
	uint64_t memory = 0;
	for (unsigned i = 0; i < WORKERS; i++) {
		CHECK_OK(tss_memory_create(SELF, STACK_PAGES, &memory));
		CHECK_OK(tss_unit_map(SELF, (cap_t)memory, STACK_BASE + i * STACK_STRIDE * TSS_PAGE_SIZE,
				      TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	}
	(void)worker_new(MAIN_PRIORITY, job_exit, 0, 0);
	workers_end();
}

uint64_t thread_id(cap_t thread)
{
	return object_id(thread);
}

unsigned thread_state(cap_t thread)
{
	const struct tss_inspect_thread *record = (const struct tss_inspect_thread *)tss_ipc()->recv;
	uint64_t id = thread_id(thread), next = 0;
	do {
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_THREAD, next, 0, &next) != TSS_OK)
			break;
		if (record->id == id)
			return (unsigned)record->state;
	} while (next);
	return ~0u;
}

void rest(void)
{
	(void)tss_self_sleep(2000);
}

void mark(char c)
{
	if (trace_size == TRACE_MAX - 1)
		return;
	trace_text[trace_size + 1] = 0;
	trace_text[trace_size++] = c;
}

const char *trace(void)
{
	return (const char *)trace_text;
}

uint64_t now(void)
{
	uint64_t clock = 0;
	(void)tss_self_clock(&clock);
	return clock;
}
