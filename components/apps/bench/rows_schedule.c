/* SPDX-License-Identifier: BSD-2-Clause */
/* rows_schedule.c - events and the scheduler: signals, wakes, yields, picks with few and many ready threads. */
#include <interfaces/bench.h>
#include "bench.h"

#define MANY 200u

static volatile uint64_t woken_at;
static cap_t wake_event;

static void wait_to_be_woken(void *unused)
{
	uint64_t bits;
	(void)unused;
	while (tss_event_wait(wake_event, TSS_INFINITE, &bits) == TSS_OK)
		woken_at = ticks();
}

static void rows_event(void)
{
	uint64_t event, bits;
	if (tss_event_create(TSS_SLOT_UNIT, &event) != TSS_OK)
		return;
	MEASURE("event_signal", (void)tss_event_signal((cap_t)event, 1));
	(void)tss_event_wait((cap_t)event, 0, &bits);
	wake_event = (cap_t)event;
	if (!thread_run(wait_to_be_woken, NULL, PRIORITY_ABOVE))
		return;
	for (int i = -8; i < SAMPLES; i++) {
		uint64_t start = ticks();
		(void)tss_event_signal(wake_event, 1);
		if (i >= 0)
			samples[i] = woken_at - start;
	}
	report("event_wake_switch");
}

/* There and back are two switches, so a sample is half of what was measured. */
static void row_yield_cross(void)
{
	if (bench_yields_send(SLOT_ECHO, 2 * SAMPLES) != TSS_OK)
		return;
	for (int i = -8; i < SAMPLES; i++) {
		uint64_t start = ticks();
		(void)tss_self_yield();
		uint64_t end = ticks();
		if (i >= 0)
			samples[i] = (end - start) / 2;
	}
	report("yield_cross");
	for (int i = 0; i < 2 * SAMPLES; i++)
		(void)tss_self_yield();
}

static volatile uint64_t last;
static volatile int taken;

/* Each of them yields to the next; a sample is the way from one's yield to the other's return from its own. */
static void yield_in_turn(void *unused)
{
	(void)unused;
	while (taken < SAMPLES) {
		uint64_t now = ticks();
		if (last != 0 && taken >= 0)
			samples[taken] = now - last;
		taken++;
		last = ticks();
		(void)tss_self_yield();
	}
	if (taken++ == SAMPLES)
		(void)tss_event_signal(SLOT_EVENT_WAKE, 1);
}

/* The first turn of each thread is its start and not a return from a yield: those samples do not count. */
static void row_pick(const char *name, unsigned threads)
{
	uint64_t bits;
	last = 0;
	taken = -(int)threads - 8;
	for (unsigned i = 0; i < threads; i++)
		if (!thread_run(yield_in_turn, NULL, PRIORITY_BELOW))
			return;
	(void)tss_event_wait(SLOT_EVENT_WAKE, TSS_INFINITE, &bits);
	report(name);
}

static volatile uint64_t hog_ran;

static void hog(void *unused)
{
	(void)unused;
	for (;;)
		hog_ran = ticks();
}

/* From the last that a more urgent thread does before its budget is spent to the first that this one does after it. */
static void row_overrun(void)
{
	const uint64_t least = 1 | 10000ull << 32, above = PRIORITY_ABOVE | 10000ull << 32;
	if (!thread_run(hog, NULL, PRIORITY_BELOW) ||
	    tss_sched_configure(TSS_SLOT_SYSTEM, thread_sched, above, 100 | 300ull << 32, 0) != TSS_OK)
		return;
	for (int i = -8; i < SAMPLES;) {
		uint64_t before = hog_ran, now;
		do
			now = ticks();
		while (hog_ran == before);
		if (now > hog_ran && ++i > 0)
			samples[i - 1] = now - hog_ran;
	}
	(void)tss_sched_configure(TSS_SLOT_SYSTEM, thread_sched, least, 0, 0);
	(void)tss_self_sleep(1000); /* what the timer is still set for is over then */
	report("overrun_switch");
}

void rows_schedule(void)
{
	rows_event();
	row_yield_cross();
	row_pick("sched_pick_2", 2);
	row_pick("sched_pick_200", MANY);
	row_overrun();
}
