/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_cpus.c - one worker a CPU does one thing for a while; main, more urgent, starts and stops them. */
#include <stdarg.h>
#include <abi/inspect.h>
#include <tessera/tessera.h>
#include "slots.h"

#define SELF TSS_SLOT_UNIT
#define SYSTEM TSS_SLOT_SYSTEM
#define CPUS 8u
#define SLICE_US 100000u
#define ROUNDS 5u
#define STACKS 0x600001000000ull
#define IPCS 0x600002000000ull
#define STACK_PAGES 4u
#define SETTLE_US 2000u
/* What happens in between is looked at from outside (tests/lib/lines.c). */
#define PHASE_BEGINS() asm volatile("nopl 0x7e560001(%%rax)" : : : "memory")
#define PHASE_ENDS() asm volatile("nopl 0x7e560000(%%rax)" : : : "memory")
#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)

struct pair {
	cap_t port, connection;
};

struct worker {
	_Alignas(64) volatile uint64_t count;
	void (*step)(struct worker *self);
	struct pair pair;
	cap_t thread, sched;
	volatile bool ended;
};

static struct worker clients[CPUS], servers[CPUS];
static _Alignas(64) volatile bool stop;
static _Alignas(64) uint64_t shared;
static unsigned threads;

static void say(const char *format, ...)
{
	char text[120];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (const char *at = text; *at; at++) /* QEMU's port is always ready; looking would make runs differ */
		(void)tss_ioport_write(SLOT_REGS, 0, 1, (uint8_t)*at);
}

static void step_spin(struct worker *self)
{
	(void)self;
}

static void step_call(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 32, 0);
	uint64_t words[4] = {0};
	assert(tss_connection_call(self->pair.connection, &tag, words, TSS_INFINITE) == TSS_OK);
}

static void step_memory(struct worker *self)
{
	(void)self;
	__atomic_fetch_add(&shared, 1, __ATOMIC_RELAXED);
}

static void step_frame(struct worker *self)
{
	uint64_t memory = 0;
	(void)self;
	assert(tss_memory_create(SELF, 1, &memory) == TSS_OK);
	assert(tss_capability_delete((cap_t)memory) == TSS_OK);
}

static void client(struct worker *self)
{
	while (!stop) {
		self->step(self);
		self->count++;
	}
	self->ended = true;
	for (;;)
		(void)tss_self_exit(0);
}

static void server(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	while (tss_port_reply_receive(self->pair.port, &request, TSS_INFINITE) == TSS_OK)
		;
	for (;;)
		(void)tss_self_exit(0);
}

static void start(struct worker *worker, void (*run)(struct worker *self), unsigned priority, uint64_t cpu)
{
	uint64_t thread = 0, sched = 0, top = STACKS + ++threads * STACK_PAGES * TSS_PAGE_SIZE;
	worker->count = 0;
	worker->ended = false;
	assert(tss_thread_create(SELF, (uint64_t)run, top - 16, IPCS + threads * 2 * TSS_PAGE_SIZE, (uint64_t)worker,
				 &thread) == TSS_OK);
	assert(tss_sched_create(SYSTEM, SELF, priority, SLICE_US, &sched) == TSS_OK);
	assert(tss_sched_place(SYSTEM, (cap_t)sched, cpu) == TSS_OK);
	worker->thread = (cap_t)thread;
	worker->sched = (cap_t)sched;
	assert(tss_thread_start(worker->thread, worker->sched) == TSS_OK);
}

static void end(struct worker *worker)
{
	while (TSS_CODE(tss_capability_delete(worker->thread)) == TSS_E_AGAIN)
		;
	assert(tss_capability_delete(worker->sched) == TSS_OK);
	threads--;
}

static struct pair pair_new(void)
{
	uint64_t port = 0, reply = 0, connection = 0;
	assert(tss_port_create(SELF, 0, &port) == TSS_OK);
	assert(tss_reply_create((cap_t)port, SELF, &reply) == TSS_OK);
	assert(tss_connection_create((cap_t)port, SELF, 1, 0, &connection) == TSS_OK);
	return (struct pair){(cap_t)port, (cap_t)connection};
}

/* A server for each client, one for all, or none. */
enum serving { ALONE, OWN, COMMON };

/* How often `cpus` workers did it together. */
static uint64_t measure(void (*step)(struct worker *self), enum serving serving, unsigned cpus)
{
	uint64_t sum = 0;
	unsigned served = serving == OWN ? cpus : serving == COMMON ? 1 : 0;
	stop = false;
	for (unsigned i = 0; i < served; i++)
		start(&servers[i], server, 150, i);
	for (unsigned i = 0; i < cpus; i++) {
		clients[i].step = step;
		clients[i].pair = servers[serving == OWN ? i : 0].pair;
		start(&clients[i], client, 100, i);
	}
	(void)tss_self_sleep(SETTLE_US);
	PHASE_BEGINS();
	(void)tss_self_sleep(SLICE_US - SETTLE_US);
	PHASE_ENDS();
	for (unsigned i = 0; i < cpus; i++)
		sum += clients[i].count;
	stop = true;
	for (unsigned i = 0; i < cpus; i++)
		while (!clients[i].ended)
			(void)tss_self_sleep(100);
	for (unsigned i = 0; i < served; i++)
		end(&servers[i]);
	for (unsigned i = 0; i < cpus; i++)
		end(&clients[i]);
	return sum;
}

static struct row {
	const char *name;
	void (*step)(struct worker *self);
	enum serving serving;
	uint64_t one, all;
} rows[] = {{"spin", step_spin, ALONE, 0, 0},
	    {"pairs", step_call, OWN, 0, 0},
	    {"shared_server", step_call, COMMON, 0, 0},
	    {"shared_memory", step_memory, ALONE, 0, 0},
	    {"frames", step_frame, ALONE, 0, 0}};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void better(uint64_t *best, uint64_t now)
{
	*best = now > *best ? now : *best;
}

int main(void)
{
	uint64_t memory = 0;
	assert(tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL) == TSS_OK);
	uint64_t found = ((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus;
	unsigned cpus = found < CPUS ? (unsigned)found : CPUS;
	assert(tss_memory_create(SELF, 2 * CPUS * STACK_PAGES, &memory) == TSS_OK);
	assert(tss_unit_map(SELF, (cap_t)memory, STACKS, RW) == TSS_OK);
	for (unsigned i = 0; i < CPUS; i++)
		servers[i].pair = pair_new();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (struct row *row = rows; row < rows + ROWS; row++) {
			better(&row->one, measure(row->step, row->serving, 1));
			better(&row->all, measure(row->step, row->serving, cpus));
		}
	for (const struct row *row = rows; row < rows + ROWS; row++)
		say("row %s one %lu all %lu cpus %u\n", row->name, row->one, row->all, cpus);
	say("done\n");
	for (;;)
		(void)tss_self_sleep(TSS_TIMEOUT_MAX);
}
