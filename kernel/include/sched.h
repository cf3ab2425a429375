/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.h - scheduling contexts and who runs.
 *
 * What is queued is a scheduling context, not a thread. A picked context runs its home thread, or, if that waits for
 * the reply to a call, the thread that the reply must come from (and so on, at most SCHED_CHAIN_MAX links): that is
 * priority inheritance, and undoing it needs no work, since nothing was changed. A context whose chain ends at a
 * thread that cannot run is parked there and queued again when that thread wakes.
 *
 * Invariant: a runnable thread has an active (queued or current) context whose chain ends at it.
 *
 * A thread runs on the CPU of its own context. A chain is followed on one CPU only: across, the server runs at its own
 * priority (a ceiling, which the generator demands), and the caller's context is parked at the caller.
 */
#pragma once
#include <object.h>

struct thread;
struct timeout;

#define SCHED_CHAIN_MAX CONFIG_CALL_DEPTH

enum sched_state { SCHED_UNBOUND, SCHED_QUEUED, SCHED_CURRENT, SCHED_PARKED };

struct sched {
	struct object object;
	struct cpu *cpu;       /* in whose queue it is when it is in one, and where its home thread runs */
	struct thread *home;
	struct thread *starts; /* the thread it was started with, for a restart */
	uint8_t priority;
	uint8_t state;       /* enum sched_state */
	uint32_t slice_us;
	uint64_t slice_ticks; /* the same in TSC ticks */
	uint64_t bit;        /* of the priority, in its word of run_queue.occupied */
	uint64_t slice_end;  /* CURRENT: TSC when its slice is over */
	uint64_t slice_left; /* otherwise: TSC ticks left of it; 0: a new slice is due */
	uint64_t time;       /* TSC ticks charged */
	struct link queue;   /* run queue or parked list */
	struct thread *parked_at;
};

void sched_init(struct cpu *cpu);
/* The thread that a context can run now, or NULL and the thread to park at. */
struct thread *sched_follow(const struct sched *sched, struct thread **park_at);
void sched_set(struct sched *sched, uint8_t priority, uint32_t slice_us);
void sched_enqueue(struct sched *sched);                /* sets need_resched if it is more urgent than what runs */
void sched_unqueue(struct sched *sched);                /* out of run queue or parked list, whichever it is in */
void sched_wake_parked(struct thread *thread);          /* everything parked at thread is queued again */
void sched_activate_home(struct thread *thread);        /* if its own context is parked, queue it */
void sched_schedule(void);                              /* put the current context back and run the best */
void sched_preempt(struct cpu *cpu);                    /* CONFIG_PERTURB: the current slice is over, here and now */
void sched_stop(struct sched *sched);                   /* it is not current any more; in no queue */
void sched_migrate(struct sched *sched, struct cpu *to); /* exclusive; its home thread and what that waits for, too */
void sched_timer_update(struct cpu *cpu);               /* this CPU: set the timer for the next timeout */
void sched_timeout_start(struct timeout *timeout, uint64_t delay_us); /* and set the timer for it */
uint64_t sched_charged(const struct sched *sched);      /* TSC ticks, the running stretch included */
