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

static uint64_t budget_left(const struct sched *sched)
{
	return sched->budget->spent_at > sched->time ? sched->budget->spent_at - sched->time : 0;
}

bool budget_at_home(const struct sched *sched)
{
	return budget_left(sched) || !sched->event || event_at_home(sched->event);
}

/* A period begins. `left` of the last one is lost; what was used too much of it is not forgotten. */
static void budget_release(struct sched *sched, uint64_t at_us, uint64_t left)
{
	struct budget *budget = sched->budget;
	budget->release_us = at_us;
	budget->spent_at = (left ? sched->time : budget->spent_at) + budget->ticks;
	sched->due_us = budget->told.deadline_us ? at_us + budget->told.deadline_us : UINT64_MAX;
}

static void budget_overrun(struct sched *sched)
{
	TRACE(OVERRUN, sched->object.id, sched->budget->release_us);
	sched->budget->told.overruns++;
	if (sched->event)
		event_signal(sched->event, sched->bits);
}

/* The products fit: both are below TSS_PERIOD_MAX_US squared times the ticks of a microsecond. */
bool budget_admits(struct sched *sched)
{
	struct budget *budget = sched->budget;
	bool wakes = sched->state == SCHED_PARKED || sched->state == SCHED_UNBOUND;
	uint64_t left = budget_left(sched), period = budget->told.period_us;
	uint64_t now = arch_clock_us(), end = budget->release_us + period;
	if (now >= end ? wakes || !left : wakes && left * period >= (end - now) * budget->ticks)
		budget_release(sched, wakes || now >= end + period ? now : end, left);
	left = budget_left(sched);
	sched->slice_left = left < sched->slice_ticks ? left : sched->slice_ticks;
	if (left)
		return true;
	if (sched->state == SCHED_CURRENT)
		budget_overrun(sched);
	sched->state = SCHED_SPENT;
	timeout_start(&sched->cpu->wheel, &budget->refill, budget->release_us + period - now);
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

static void budget_begin(struct sched *sched, uint64_t time_us, uint64_t period_us, uint64_t deadline_us)
{
	struct budget *budget = sched->budget;
	budget->refill.refills = true;
	budget->sched = sched;
	budget->ticks = time_us * arch_tsc_per_ms() / 1000;
	budget->told = (struct tss_inspect_budget){time_us, period_us, deadline_us, budget->told.overruns};
	budget_release(sched, arch_clock_us(), 1);
}

/* (system, sched, priority | slice_us << 32, budget_us | period_us << 32, deadline_us) */
status_t sys_sched_configure(struct thread *self, struct capability *cap)
{
	uint64_t priority = (uint32_t)ARG3(self), slice = ARG3(self) >> 32;
	uint64_t time = (uint32_t)ARG4(self), period = ARG4(self) >> 32;
	status_t status;
	struct sched *sched = syscall_argument2(self, TSS_TYPE_SCHED, TSS_RIGHT_CONTROL, &status);
	if (!sched)
		return status;
	if (priority > TSS_PRIORITY_MAX || slice < TSS_SLICE_MIN_US || slice > TSS_SLICE_MAX_US)
		return ERR(ARGUMENT, 3);
	if (time > period || period > TSS_PERIOD_MAX_US || (period && time < TSS_SLICE_MIN_US))
		return ERR(ARGUMENT, 4);
	if (ARG5(self) > period)
		return ERR(ARGUMENT, 5);
	if (period && !sched->budget && !(sched->budget = slab_alloc(sched->object.payer, sizeof(struct budget))))
		return ERR(MEMORY, 0);
	bool queued = sched->state != SCHED_UNBOUND && sched->state != SCHED_PARKED;
	if (queued)
		sched_unqueue(sched);
	sched_set(sched, (uint8_t)priority, (uint32_t)slice);
	if (period)
		budget_begin(sched, time, period, ARG5(self));
	else
		budget_end(sched);
	if (queued)
		sched_enqueue(sched);
	return TSS_OK;
}

/* (sched, event, bits) */
status_t sys_sched_watch(struct thread *self, struct capability *cap)
{
	struct sched *sched = (struct sched *)cap->object;
	status_t status;
	struct event *event = syscall_argument2(self, TSS_TYPE_EVENT, TSS_RIGHT_SIGNAL, &status);
	if (!event)
		return status;
	sched->event = event;
	sched->bits = ARG3(self);
	return TSS_OK;
}
