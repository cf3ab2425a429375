/* SPDX-License-Identifier: BSD-2-Clause */
/* worker.c - threads: a stack and an IPC page each. */
#include "channel_test.h"

#define WORKERS 12u
#define STACK_SIZE 4096u
#define IPC_PAGES 0x0000000400000000ull

static struct worker workers[WORKERS];
static uint8_t stacks[WORKERS][STACK_SIZE] __attribute__((aligned(16)));
static unsigned count;

void thread_begin(struct worker *self) __attribute__((noreturn));
void thread_begin(struct worker *self)
{
	size_t size;
	uint64_t value = self->value;
	self->status = self->sends ? chan_send_timed(self->channel, &value, sizeof(value), 0, self->timeout_ns)
				   : chan_recv(self->channel, &value, self->room, &size, 0, self->timeout_ns);
	self->value = value;
	self->done = true;
	(void)tss_event_signal(SLOT_EVENT_DONE, 1);
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}

/* The kernel starts a thread with rdi = argument and an aligned stack; C wants to have been called. */
asm(".text\n"
    "thread_entry:\n"
    "	xorl %ebp, %ebp\n"
    "	call thread_begin\n"
    "	ud2\n");
extern const char thread_entry[] __attribute__((visibility("hidden")));

static struct worker *start(struct worker how)
{
	uint64_t thread = 0, sched = 0, page = IPC_PAGES + count * TSS_PAGE_SIZE;
	struct worker *worker = &workers[count];
	uint64_t stack = (uint64_t)&stacks[count][STACK_SIZE];
	*worker = how;
	CHECK(++count <= WORKERS);
	CHECK(tss_thread_create(TSS_SLOT_UNIT, (uint64_t)thread_entry, stack, page, (uint64_t)worker, &thread) ==
	      TSS_OK);
	CHECK(tss_sched_create(TSS_SLOT_SYSTEM, TSS_SLOT_UNIT, ABOVE, 10000, &sched) == TSS_OK);
	worker->thread = (cap_t)thread;
	worker->sched = (cap_t)sched;
	CHECK(tss_thread_start(worker->thread, worker->sched) == TSS_OK);
	return worker;
}

struct worker *work(cap_t channel, bool sends, uint64_t value, uint64_t timeout_ns)
{
	return start((struct worker){
		.channel = channel, .sends = sends, .value = value, .timeout_ns = timeout_ns, .room = sizeof(value)});
}

struct worker *work_room(cap_t channel, size_t room)
{
	return start((struct worker){.channel = channel, .timeout_ns = CHAN_FOREVER, .room = room});
}

bool joined(struct worker *worker)
{
	uint64_t bits;
	while (!worker->done)
		if (tss_event_wait(SLOT_EVENT_DONE, PATIENCE_US, &bits) != TSS_OK)
			return worker->done;
	return true;
}

void end_worker(struct worker *worker)
{
	if (worker->thread == TSS_CAP_NULL)
		return;
	(void)tss_capability_delete(worker->thread);
	(void)tss_capability_delete(worker->sched);
	worker->thread = TSS_CAP_NULL;
}

void workers_over(void)
{
	while (count > 0)
		end_worker(&workers[--count]);
}
