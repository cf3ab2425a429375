/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - starts the workers, watches them, and says on COM1 how it goes. */
#include "stress.h"

#define STACKS 0x600001000000ull /* of worker i: 4 i pages from here, the first not mapped */
#define IPCS 0x600002000000ull
#define STACK_PAGES 3u
#define SECOND 1000000ull
#define CHECKS 4u /* a second */
#define STUCK_S 20u

struct worker workers[WORKERS_MAX];
struct service services[PORTS];
cap_t events[EVENTS];
unsigned worker_count;
uint64_t cpu_count;
volatile bool stop;
static const char *volatile wrong;
static volatile uint64_t wrong_got, wrong_want;

static uint64_t now(void)
{
	uint64_t us = 0;
	(void)tss_self_clock(&us);
	return us;
}

TSS_OUTPUT_TO_UART(SLOT_REGS)

void fail(const char *what, uint64_t got, uint64_t want)
{
	wrong_got = got;
	wrong_want = want;
	wrong = what;
	for (;;)
		(void)tss_self_sleep(SECOND);
}

void service_make(struct service *service)
{
	uint64_t handle = TSS_CAP_NULL;
	if (tss_port_create(SELF, 8, &handle) != TSS_OK)
		return;
	service->port = (cap_t)handle;
	for (unsigned i = 0; i < REPLIES; i++)
		(void)tss_reply_create(service->port, SELF, &handle);
	for (unsigned i = 0; i < PER_PORT; i++)
		if (tss_connection_create(service->port, SELF, i + 1, i, &handle) == TSS_OK)
			service->connections[i] = (cap_t)handle;
}

void service_end(const struct service *service)
{
	destroy(service->port);
}

static void worker_make(unsigned i, uint64_t stacks)
{
	struct worker *worker = &workers[i];
	uint64_t thread = 0, sched = 0, top = stacks + 4 * (i + 1) * TSS_PAGE_SIZE;
	*worker = (struct worker){.index = i, .random = CONFIG_STRESS_SEED * 0x9e3779b97f4a7c15ull + 977 * (i + 1)};
	/* A C function expects that its return address has been pushed. */
	if (tss_thread_create(SELF, (uint64_t)worker_main, top - 16, IPCS + i * 2 * TSS_PAGE_SIZE, (uint64_t)worker,
			      &thread) != TSS_OK ||
	    tss_sched_create(SYSTEM, SELF, 50 + i % 3, 1000, &sched) != TSS_OK ||
	    tss_sched_place(SYSTEM, (cap_t)sched, i % cpu_count) != TSS_OK)
		fail("no worker", i, worker_count);
	worker->thread = (cap_t)thread;
	worker->sched = (cap_t)sched;
}

static void start(void)
{
	uint64_t handle;
	for (unsigned i = 0; i < PORTS; i++)
		service_make(&services[i]);
	for (unsigned i = 0; i < EVENTS; i++)
		events[i] = tss_event_create(SELF, &handle) == TSS_OK ? (cap_t)handle : TSS_CAP_NULL;
	child_init();
	if (tss_memory_create(SELF, 4 * WORKERS_MAX, &handle) != TSS_OK ||
	    tss_unit_map(SELF, (cap_t)handle, STACKS, RW) != TSS_OK)
		fail("no stacks", 0, 1);
	for (unsigned i = 0; i < worker_count; i++)
		worker_make(i, STACKS);
	for (unsigned i = 0; i < worker_count; i++)
		(void)tss_thread_start(workers[i].thread, workers[i].sched);
}

static void audit(void)
{
	const struct tss_inspect_audit *record = (const struct tss_inspect_audit *)tss_ipc()->recv;
	uint64_t bad = 0;
	if (tss_system_inspect(SYSTEM, TSS_INSPECT_AUDIT, 0, 0, &bad) != TSS_OK || !bad)
		return;
	printf("stress: audit: %.64s, id %lx\n", record->what, record->id);
	wrong_got = record->got;
	wrong_want = record->want;
	wrong = "the audit";
}

/* Each worker has to get on. */
static void watch(uint64_t second)
{
	static uint64_t last[WORKERS_MAX], still[WORKERS_MAX];
	uint64_t steps = 0;
	for (unsigned i = 0; i < worker_count; i++) {
		still[i] = workers[i].steps == last[i] ? still[i] + 1 : 0;
		last[i] = workers[i].steps;
		steps += last[i];
		if (still[i] == STUCK_S && !wrong) {
			wrong_got = i;
			wrong = "a worker is stuck";
		}
	}
	const struct tss_inspect_counters *counters = (const struct tss_inspect_counters *)tss_ipc()->recv;
	(void)tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL);
	printf("stress: look %lu, %lu steps, %lu fast calls of %lu, %lu exclusive\n", second, steps,
	       counters->fast_calls, counters->fast_calls + counters->slow_calls, counters->exclusives);
}

static bool finished(void)
{
	stop = true;
	for (unsigned tries = 0; tries < STUCK_S * 10; tries++) {
		unsigned ended = 0;
		for (unsigned i = 0; i < worker_count; i++)
			ended += workers[i].ended;
		if (ended == worker_count)
			return true;
		(void)tss_self_sleep(SECOND / 10);
	}
	return false;
}

int main(void)
{
	(void)tss_system_inspect(SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, NULL);
	cpu_count = ((const struct tss_inspect_counters *)tss_ipc()->recv)->cpus;
	worker_count = cpu_count < WORKERS_MAX / 2 ? 2 * (unsigned)cpu_count + 1 : WORKERS_MAX;
	printf("stress: seed %u, %u s, %u workers on %lu CPUs\n", CONFIG_STRESS_SEED, CONFIG_STRESS_SECONDS,
	       worker_count, cpu_count);
	start();
	for (uint64_t second = 1, end = now() + CONFIG_STRESS_SECONDS * SECOND; now() < end && !wrong; second++) {
		for (unsigned i = 0; i < CHECKS && !wrong; i++) {
			(void)tss_self_sleep(SECOND / CHECKS);
			audit();
		}
		watch(second);
	}
	if (!wrong && !finished())
		wrong = "workers do not end";
	if (!wrong)
		audit();
	if (wrong)
		printf("stress: failed: %s, got %lx, want %lx, seed %u\n", wrong, wrong_got, wrong_want,
		       CONFIG_STRESS_SEED);
	else
		printf("stress: done, seed %u\n", CONFIG_STRESS_SEED);
	for (;;)
		(void)tss_self_sleep(SECOND);
}
