/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.h - timeouts on a hierarchical wheel: start, cancel and expire are O(1). One tick is 2^TIMER_TICK_SHIFT us;
 * a timeout fires at the first tick boundary at or after its deadline, never before it.
 *
 * fast.S starts and cancels without touching the wheel. To cancel it only clears `armed`; the timeout stays where it is
 * until its slot's time has come. If it is started for the same time again before that, it cannot fire earlier than its
 * slot's time, so it is enough to note when that was: the slot finds out, and moves it on.
 */
#pragma once
#include <link.h>

#define TIMER_TICK_SHIFT CONFIG_TIMER_TICK_SHIFT

struct timeout {
	struct link link;      /* in a wheel slot, or alone */
	struct wheel *wheel;   /* of the CPU on which it was started last */
	uint64_t deadline;     /* ticks: what its slot is chosen by */
	uint64_t again;        /* in the wheel, or just expired: its delay in us, plus 1; 0: it is not */
	uint64_t restarted;    /* TSC when it was started once more; 0: it was not */
	uint8_t level, slot;
	bool armed;            /* it shall fire */
	bool refills;          /* it is a budget's (sched.h), not a thread's */
};

#define TIMER_LEVELS 7u
#define TIMER_SLOT_BITS 6u
#define TIMER_SLOTS (1u << TIMER_SLOT_BITS)
struct wheel {
	uint64_t now; /* ticks: everything up to here has expired */
	uint64_t occupied[TIMER_LEVELS];
	struct link slots[TIMER_LEVELS][TIMER_SLOTS];
	struct link due;
};

void timer_init(struct wheel *wheel);
void timeout_start(struct wheel *wheel, struct timeout *timeout, uint64_t delay_us); /* must not be armed; finite */
void timeout_cancel(struct timeout *timeout);                                        /* harmless if not armed */
void timeout_move(struct wheel *wheel, struct timeout *timeout); /* to another wheel; it may be one that has expired */
/* Like cancel, but it stays where it is. */
ALWAYS_INLINE void timeout_disarm(struct timeout *timeout)
{
	timeout->armed = false;
}
/* Takes one timeout that is due at now_us out of the wheel; NULL: none is left, or it has looked at *left timeouts. */
struct timeout *timer_expire(struct wheel *wheel, uint64_t now_us, unsigned *left);
/* When timer_expire() has to be called next, in us; UINT64_MAX: never as things stand. */
uint64_t timer_next(const struct wheel *wheel);
