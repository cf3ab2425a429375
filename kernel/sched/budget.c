/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget.c - how long a scheduling context may run in each period, and by when it is to (doc/adr/0009-budgets.md).
 *
 * What it runs is charged to it anyhow; its budget is spent when that has come to `spent_at`, and no slice lasts longer.
 * Then it is SPENT until its period is over. The next period begins where the last one ended, so nothing drifts; what it
 * has run too long (a timer's grain) is taken off. One that wakes begins a new period at once if what it has left is at
 * least its share of what is left of the old one: so it never gets more than its share, however it sleeps.
 */
#include <event.h>
#include <syscall.h>
#include <trace.h>

/* A period begins. `left` of the last one is lost; what was used too much of it (below 0) is not. What it has now. */
static int64_t budget_release(struct sched *sched, uint64_t at_us, int64_t left)
{
	struct budget *budget = sched->budget;
	left = (int64_t)budget->ticks + (left < 0 ? left : 0);
	budget->release_us = at_us;
	budget->spent_at = sched->time + (uint64_t)left;
	sched->due_us = budget->told.deadline_us ? at_us + budget->told.deadline_us : UINT64_MAX;
	return left;
}

/* The products fit: both are below TSS_PERIOD_MAX_US squared times the ticks of a microsecond. */
bool budget_admits(struct sched *sched)
{
	struct budget *budget = sched->budget;
	bool wakes = sched->state == SCHED_PARKED || sched->state == SCHED_UNBOUND;
	int64_t left = (int64_t)(budget->spent_at - sched->time), period = (int64_t)budget->told.period_us;
	int64_t now = (int64_t)arch_clock_us(), rest = (int64_t)budget->release_us + period - now;
	if (rest <= 0 ? wakes || left <= 0 : wakes && left * period >= rest * (int64_t)budget->ticks)
		left = budget_release(sched, (uint64_t)(wakes || -rest >= period ? now : now + rest), left);
	sched->slice_left = left > 0 && (uint64_t)left < sched->slice_ticks ? (uint64_t)left : sched->slice_ticks;
	if (left > 0)
		return true;
	if (sched->state == SCHED_CURRENT) {
		TRACE(OVERRUN, sched->object.id, budget->release_us);
		budget->told.overruns++;
		if (sched->event)
			event_signal(sched->event, sched->bits);
	}
	sched->state = SCHED_SPENT;
	timeout_start(&sched->cpu->wheel, &budget->refill, budget->release_us + (uint64_t)(period - now));
	cpu_ask(sched->cpu, sched_timer_update, NULL);
	return false;
}

void budget_end(struct sched *sched)
{
	if (sched->budget)
		slab_free(sched->object.payer, sched->budget, sizeof(*sched->budget));
	sched->budget = NULL;
	sched->due_us = UINT64_MAX;
}

/* (system, sched, priority | slice_us << 32, budget_us | period_us << 32, deadline_us) */
status_t sys_sched_configure(struct thread *self, struct capability *cap)
{
	uint64_t priority = (uint32_t)ARG3(self), slice = ARG3(self) >> 32;
	uint64_t time = (uint32_t)ARG4(self), period = ARG4(self) >> 32;
	struct sched *sched = ARGUMENT2(self, SCHED, CONTROL);
	if (priority > TSS_PRIORITY_MAX || slice < TSS_SLICE_MIN_US || slice > TSS_SLICE_MAX_US)
		return ERR(ARGUMENT, 3);
	if (time > period || period > TSS_PERIOD_MAX_US || (period && time < TSS_SLICE_MIN_US))
		return ERR(ARGUMENT, 4);
	if (ARG5(self) > period)
		return ERR(ARGUMENT, 5);
	struct budget *budget = period ? slab_alloc(sched->object.payer, sizeof(*budget)) : NULL;
	if (period && !budget)
		return ERR(MEMORY, 0);
	bool queued = sched->state != SCHED_UNBOUND && sched->state != SCHED_PARKED;
	if (queued)
		sched_unqueue(sched);
	sched_set(sched, (uint8_t)priority, (uint32_t)slice);
	budget_end(sched);
	sched->budget = budget;
	if (budget) {
		budget->refill.refills = true;
		budget->sched = sched;
		budget->ticks = time * arch_tsc_per_ms() / 1000;
		budget->told = (struct tss_inspect_budget){time, period, ARG5(self), 0};
		(void)budget_release(sched, arch_clock_us(), 0);
	}
	if (queued)
		sched_enqueue(sched);
	return TSS_OK;
}

/* (sched, event, bits) */
status_t sys_sched_watch(struct thread *self, struct capability *cap)
{
	struct sched *sched = (struct sched *)cap->object;
	struct event *event = ARGUMENT2(self, EVENT, SIGNAL);
	sched->event = event;
	sched->bits = ARG3(self);
	return TSS_OK;
}
