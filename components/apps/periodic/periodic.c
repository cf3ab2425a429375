/* SPDX-License-Identifier: BSD-2-Clause */
/* periodic.c - a thread that is to run once a millisecond, and one that keeps the kernel busy with what takes long. */
#include <tessera/tessera.h>
#include "slots.h"

#define SELF TSS_SLOT_UNIT
#define PERIOD_US 1000u
#define INSTRUCTIONS_PER_US 125u /* the scenario's clock: 8 ns each */
#define BOUND 20000u /* of a stretch with interrupts off, in instructions */
#define LATE_US ((1u << CONFIG_TIMER_TICK_SHIFT) + 2 * BOUND / INSTRUCTIONS_PER_US)
#define BUSY_PRIORITY 50u /* that of the least urgent in apps/stress */
#define PAGES 2048u
#define COPIES 200u
#define MAP_AT 0x0000000540001000ull /* not whole 2 MiB: page by page */
#define IPC_AT 0x0000000500000000ull
#define STACK_SIZE 2048u

static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static volatile uint64_t rounds;

TSS_OUTPUT_TO_UART(SLOT_REGS)

static uint64_t now(void)
{
	uint64_t us = 0;
	(void)tss_self_clock(&us);
	return us;
}

static void destroy(uint64_t cap)
{
	while (TSS_CODE(tss_capability_delete((cap_t)cap)) == TSS_E_AGAIN)
		;
}

static void busy_with_memory(void)
{
	uint64_t memory = 0;
	if (tss_memory_create(SELF, PAGES, &memory) != TSS_OK)
		return;
	if (tss_unit_map(SELF, (cap_t)memory, MAP_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE) == TSS_OK)
		(void)tss_unit_unmap(SELF, (cap_t)memory);
	destroy(memory);
}

static void busy_with_capabilities(void)
{
	uint64_t event = 0, copy = 0, unit = 0;
	if (tss_event_create(SELF, &event) != TSS_OK || tss_unit_create(SELF, 64, 256, 0, 0, &unit) != TSS_OK)
		return;
	for (unsigned i = 0; i < COPIES; i++)
		(void)tss_unit_install((cap_t)unit, 16 + i, (cap_t)event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY);
	(void)tss_capability_derive((cap_t)event, TSS_RIGHT_WAIT, &copy);
	while (TSS_CODE(tss_capability_revoke((cap_t)event)) == TSS_E_AGAIN)
		;
	destroy(unit);
	destroy(event);
}

void keep_busy(void) __attribute__((noreturn));
void keep_busy(void)
{
	for (;; rounds++) {
		busy_with_memory();
		busy_with_capabilities();
	}
}

/* The thread begins with an aligned stack; a C function expects that its return address has been pushed. */
static bool start(void)
{
	uint64_t thread = 0, sched = 0;
	return tss_thread_create(SELF, (uint64_t)keep_busy, (uint64_t)&stack[STACK_SIZE - 16], IPC_AT, 0, &thread) ==
		       TSS_OK &&
	       tss_sched_create(TSS_SLOT_SYSTEM, SELF, BUSY_PRIORITY, 1000, &sched) == TSS_OK &&
	       tss_thread_start((cap_t)thread, (cap_t)sched) == TSS_OK;
}

int main(void)
{
	uint64_t missed = 0, latest = 0, due = now() + PERIOD_US;
	if (!start())
		printf("periodic: nothing keeps the kernel busy\n");
	for (unsigned i = 0; i < CONFIG_PERIODIC_PERIODS; i++, due += PERIOD_US) {
		uint64_t at = now();
		if (at < due)
			(void)tss_self_sleep(due - at);
		uint64_t late = now() - due;
		missed += late > LATE_US;
		latest = late > latest ? late : latest;
	}
	printf("periodic: %u periods, %lu missed, latest %lu us of %u, %lu rounds beside\n", CONFIG_PERIODIC_PERIODS,
	       missed, latest, LATE_US, rounds);
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
