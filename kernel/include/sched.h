/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.h - scheduling contexts and who runs.
 *
 * What is queued is a scheduling context, not a thread. A picked context runs its home thread, or, if that waits for
 * the reply to a call, the thread that the reply must come from (and so on, at most SCHED_CHAIN_MAX links): that is
 * priority inheritance, and undoing it needs no work, since nothing was changed. A context whose chain ends at a
 * thread that cannot run is parked there and queued again when that thread wakes.
 *
 * Invariant: a runnable thread has an active (queued, current or spent) context whose chain ends at it.
 *
 * A context with a budget that is used up is SPENT: in no queue until its period is over, wherever its chain ends. The
 * thread there is ready all the same: contexts of other callers that wait for it go on with it.
 *
 * A thread runs on the CPU of its own context. A chain is followed on one CPU only: across, the server runs at its own
 * priority (a ceiling, which the generator demands), and the caller's context is parked at the caller.
 */
#pragma once
#include <object.h>
#include <abi/inspect.h>
#include <timer.h>

struct thread;
struct event;

#define SCHED_CHAIN_MAX CONFIG_CALL_DEPTH
#define SCHED_BAND_MAX 1024u /* so many with later deadlines, at most, are passed by one that is queued */

enum sched_state { SCHED_UNBOUND, SCHED_QUEUED, SCHED_CURRENT, SCHED_PARKED, SCHED_SPENT };

struct sched {
	struct object object;
	struct cpu *cpu;       /* in whose queue it is when it is in one, and where its home thread runs */
	struct thread *home;
	struct thread *starts; /* the thread it was started with, for a restart */
	uint8_t priority;
	uint8_t state;       /* enum sched_state */
	uint8_t word;        /* of run_queue.occupied, for the priority */
	uint32_t slice_us;
	uint64_t slice_ticks; /* the same in TSC ticks */
	uint64_t bit;        /* in that word */
	uint64_t slice_end;  /* CURRENT: TSC when its slice is over */
	uint64_t slice_left; /* otherwise: TSC ticks that it may run when it is picked next, at least 1 */
	uint64_t time;       /* TSC ticks charged */
	struct link queue;   /* run queue or parked list */
	struct link *equals; /* run queue of its priority on its CPU */
	struct thread *parked_at;
	uint64_t due_us;       /* run queues are in this order; UINT64_MAX: it has no deadline */
	struct event *event;   /* gets `bits` when its budget is used up; NULL: nobody hears of it */
	uint64_t bits;
	struct budget *budget; /* NULL: it may run as long as it likes */
};

/* What only a context that is limited has; whoever pays for the context pays for it (budget.c). */
struct budget {
	struct timeout refill; /* SPENT: fires when the period is over */
	struct sched *sched;
	uint64_t ticks;        /* TSC ticks in each period: told.time_us */
	uint64_t spent_at;     /* there is nothing left once sched->time is this */
	uint64_t release_us;   /* when the period began */
	struct tss_inspect_budget told;
};

void sched_init(struct cpu *cpu);
/* The thread that a context can run now, or NULL and the thread to park at. */
struct thread *sched_follow(const struct sched *sched, struct thread **park_at);
struct sched *sched_new(struct unit *payer, uint8_t priority, uint32_t slice_us); /* NULL: payer has no memory left */
void sched_set(struct sched *sched, uint8_t priority, uint32_t slice_us);
void sched_enqueue(struct sched *sched);                /* sets need_resched if it is more urgent than what runs */
void sched_unqueue(struct sched *sched);                /* not current any more; out of run queue, list or wheel */
void sched_wake_parked(struct thread *thread);          /* everything parked at thread is queued again */
void sched_activate_home(struct thread *thread);        /* if its own context is parked, queue it */
void sched_schedule(void);                              /* put the current context back and run the best */
void sched_preempt(struct cpu *cpu);                    /* CONFIG_PERTURB: the current slice is over, here and now */
void sched_migrate(struct sched *sched, struct cpu *to); /* exclusive; its home thread and what that waits for, too */
void sched_timer_update(struct cpu *cpu, void *unused); /* this CPU, or by cpu_ask(): set the timer for the next timeout */
void sched_timeout_start(struct timeout *timeout, uint64_t delay_us); /* and set the timer for it */
uint64_t sched_charged(const struct sched *sched);      /* TSC ticks, the running stretch included */

/* ---- budget.c ---- */
/*
 * It has a budget and is about to be queued, or was current when its slice ended: what it may run. False: nothing, until
 * its period is over; it is SPENT then.
 */
bool budget_admits(struct sched *sched);
void budget_end(struct sched *sched);                  /* it may run as long as it likes; not while it is SPENT */
