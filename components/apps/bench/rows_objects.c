/* SPDX-License-Identifier: BSD-2-Clause */
/* rows_objects.c - the cheapest call, mapping, revoking, and an interrupt on its way to a thread. */
#include "bench.h"

#define MAP_AT 0x0000000500000000ull
#define MAP_LARGE_AT 0x0000000540000000ull /* whole 2 MiB, with no table of 4 KiB pages */
#define COM2_INTERRUPTS 1u
#define COM2_MODEM 4u
#define COM2_IDENTIFY 2u
#define WANT_TRANSMIT 0x02u
#define MODEM_OUT2 0x08u
#define LATE_US 100000u

static void row_map(const char *name, uint64_t pages, uint64_t at)
{
	uint64_t memory;
	if (tss_memory_create(TSS_SLOT_UNIT, pages, &memory) != TSS_OK)
		return;
	for (int i = -1; i < SAMPLES; i++) {
		uint64_t start = ticks();
		(void)tss_unit_map(TSS_SLOT_UNIT, (cap_t)memory, at, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
		if (i >= 0)
			samples[i] = ticks() - start;
		(void)tss_unit_unmap(TSS_SLOT_UNIT, (cap_t)memory);
	}
	(void)tss_capability_delete((cap_t)memory);
	report(name);
}

static void row_revoke(void)
{
	uint64_t event, copy;
	if (tss_event_create(TSS_SLOT_UNIT, &event) != TSS_OK)
		return;
	for (int i = 0; i < SAMPLES; i++) {
		(void)tss_capability_derive((cap_t)event, TSS_RIGHT_SIGNAL, &copy);
		uint64_t start = ticks();
		(void)tss_capability_revoke((cap_t)event);
		samples[i] = ticks() - start;
	}
	report("revoke_1");
}

#define MANY 200u

static cap_t many_copies(void)
{
	uint64_t event, copy;
	if (tss_event_create(TSS_SLOT_UNIT, &event) != TSS_OK)
		return TSS_CAP_NULL;
	for (unsigned i = 0; i < MANY; i++)
		(void)tss_capability_derive((cap_t)event, TSS_RIGHT_SIGNAL, &copy);
	return (cap_t)event;
}

/* From the first slice to the last. */
static void row_revoke_many(void)
{
	for (int i = 0; i < SAMPLES; i++) {
		cap_t event = many_copies();
		uint64_t start = ticks();
		while (TSS_CODE(tss_capability_revoke(event)) == TSS_E_AGAIN)
			;
		samples[i] = ticks() - start;
		(void)tss_capability_delete(event);
	}
	report("revoke_200");
}

static volatile uint64_t slice_start;
static volatile int delays = -1;

/* More urgent than the revoker: whenever its time is up in the middle of a slice, it must wait for the slice's end. */
static void wake_up_often(void *unused)
{
	(void)unused;
	while (delays < SAMPLES) {
		(void)tss_self_sleep(1);
		uint64_t start = slice_start, end = ticks();
		if (start == 0)
			continue;
		if (delays >= 0)
			samples[delays] = end - start;
		delays++;
	}
}

/*
 * How long a more urgent thread waits because somebody revokes 200: from the start of the slice that was running to the
 * thread's first instruction, so at least as long as it can have waited. What counts is the longest.
 */
static void row_revoke_latency(void)
{
	if (!thread_run(wake_up_often, NULL, PRIORITY_ABOVE))
		return;
	while (delays < SAMPLES) {
		cap_t event = many_copies();
		tss_status_t status;
		do {
			slice_start = ticks();
			status = tss_capability_revoke(event);
			slice_start = 0;
		} while (TSS_CODE(status) == TSS_E_AGAIN);
		(void)tss_capability_delete(event);
	}
	report("revoke_latency_200");
}

static volatile uint64_t woken_at;

static void wait_for_interrupts(void *unused)
{
	uint64_t bits;
	(void)unused;
	while (tss_event_wait(SLOT_EVENT_INTERRUPT, TSS_INFINITE, &bits) == TSS_OK)
		woken_at = ticks();
}

/* What the system call that raises the interrupt costs when it raises none. */
static uint64_t cost_of_raising(void)
{
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < 32; i++) {
		uint64_t start = ticks();
		(void)tss_ioport_write(SLOT_COM2, COM2_INTERRUPTS, 1, 0);
		uint64_t cost = ticks() - start;
		least = cost < least ? cost : least;
	}
	return least;
}

/*
 * Switching the transmitter's interrupt on while it is empty raises it at once; it is taken when the call returns, and
 * the waiting thread, being more urgent, runs before we do.
 */
static void row_interrupt(void)
{
	uint64_t cause;
	if (!thread_run(wait_for_interrupts, NULL, PRIORITY_ABOVE) ||
	    tss_irq_bind(SLOT_COM2_LINE, SLOT_EVENT_INTERRUPT, 1) != TSS_OK)
		return;
	(void)tss_self_sleep(1000);
	(void)tss_ioport_write(SLOT_COM2, COM2_MODEM, 1, MODEM_OUT2);
	uint64_t cost = cost_of_raising();
	for (int i = 0; i < SAMPLES; i++) {
		woken_at = 0;
		uint64_t start = ticks();
		(void)tss_ioport_write(SLOT_COM2, COM2_INTERRUPTS, 1, WANT_TRANSMIT);
		if (woken_at == 0)
			(void)tss_self_sleep(LATE_US);
		if (woken_at == 0)
			return; /* no such port in this machine: no row */
		samples[i] = woken_at - start > cost ? woken_at - start - cost : 0;
		(void)tss_ioport_write(SLOT_COM2, COM2_INTERRUPTS, 1, 0);
		(void)tss_ioport_read(SLOT_COM2, COM2_IDENTIFY, 1, &cause);
		(void)tss_irq_ack(SLOT_COM2_LINE);
	}
	report("irq_to_user");
}

void rows_objects(void)
{
	MEASURE("null_syscall", (void)tss_self_version(NULL));
	row_map("map_page", 1, MAP_AT);
	row_map("map_2m", 512, MAP_LARGE_AT);
	row_revoke();
	row_revoke_many();
	row_revoke_latency();
	row_interrupt();
}
