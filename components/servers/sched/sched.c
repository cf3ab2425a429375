/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.c - serves the interface `sched`, and carries the chosen policy out. Of those whom it schedules it holds their
 * scheduling contexts and nothing else; overruns come as bits of one event, a bit for each.
 */
#include <tessera/table.h>
#include <interfaces/sched.h>
#include <tessera/schedule.h>
#include <tessera/tessera.h>
#include "policy.h"
#include "slots.h"

#define ERRORS_MAX 64u /* failed receives in a row: then the port is gone for good */

static struct scheduler {
	const struct tss_scheduled *table;
	struct task tasks[TSS_SCHEDULED_MAX];
	unsigned count;
	enum policy policy;
	uint64_t overruns, lifts, next_lift;
} scheduler;

static uint64_t now_us(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	return now;
}

static tss_status_t configure(struct scheduler *s, unsigned i)
{
	struct setting set = policy_setting(s->policy, s->tasks, s->count, &s->tasks[i], (uint32_t)PARAMETERS->quantum);
	return tss_sched_configure(TSS_SLOT_SYSTEM, s->table[i].sched, set.priority | (uint64_t)set.slice << 32,
				   set.budget | (uint64_t)set.period << 32, 0);
}

/* Everybody begins on the highest level, another one first each time: who is first has some more until the next. */
static tss_status_t begin(struct scheduler *s)
{
	tss_status_t status = TSS_OK;
	s->next_lift = now_us() + PARAMETERS->lift;
	for (unsigned n = 0; n < s->count && status == TSS_OK; n++) {
		unsigned i = (unsigned)((n + s->lifts) % s->count);
		s->tasks[i].level = 0;
		status = configure(s, i);
	}
	return status;
}

static tss_status_t on_choose(void *state, struct tss_request *request, uint32_t policy)
{
	struct scheduler *s = state;
	(void)request;
	if (policy >= POLICIES)
		return SCHED_ERROR_UNKNOWN;
	s->policy = (enum policy)policy;
	s->overruns = s->lifts = 0;
	return begin(s) == TSS_OK ? TSS_OK : SCHED_ERROR_REFUSED;
}

static tss_status_t on_tell(void *state, struct tss_request *request, uint32_t *policy, uint32_t *count,
			    uint64_t *overruns, uint64_t *lifts)
{
	const struct scheduler *s = state;
	(void)request;
	*policy = s->policy;
	*count = s->count;
	*overruns = s->overruns;
	*lifts = s->lifts;
	return TSS_OK;
}

static void on_overruns(struct scheduler *s, uint64_t bits)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (!(bits >> i & 1))
			continue;
		s->overruns++;
		if (policy_overrun(s->policy, &s->tasks[i]))
			(void)configure(s, i);
	}
}

/* How long to wait for a message: until all are to be lifted, or a heartbeat is due. */
static uint64_t wait_us(const struct scheduler *s)
{
	uint64_t now = now_us(), wait = tss_heartbeat_timeout();
	if (s->policy != POLICY_FEEDBACK || (s->next_lift > now && s->next_lift - now >= wait))
		return wait;
	return s->next_lift > now ? s->next_lift - now : 0;
}

static void on_message(struct scheduler *s, struct tss_request *request)
{
	static const struct sched_operations operations = {.choose = on_choose, .tell = on_tell};
	if (TSS_TAG_TYPE(request->tag) != TSS_MSG_EVENT)
		return (void)sched_dispatch(&operations, s, request);
	on_overruns(s, request->words[0]);
	request->reply = TSS_CAP_NULL;
	request->tag = 0;
}

static void serve(struct scheduler *s)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned errors = 0; errors < ERRORS_MAX;) {
		cap_t replied = request.reply;
		tss_status_t status = tss_port_reply_receive(SLOT_PORT_SCHED, &request, wait_us(s));
		tss_heartbeat();
		if (s->policy == POLICY_FEEDBACK && now_us() >= s->next_lift) {
			s->lifts++;
			(void)begin(s);
		}
		if (status == TSS_OK) {
			errors = 0;
			on_message(s, &request);
			continue;
		}
		errors += TSS_CODE(status) != TSS_E_TIMEOUT;
		if (TSS_CODE(status) != TSS_E_TIMEOUT && replied != TSS_CAP_NULL)
			tss_serve_reply_failed(status, replied);
		request.reply = TSS_CAP_NULL;
		request.tag = 0;
	}
}

int main(void)
{
	struct scheduler *s = &scheduler;
	s->table = (const struct tss_scheduled *)TSS_LAYOUT_DIRECTORY;
	s->policy = (enum policy)PARAMETERS->policy;
	(void)tss_event_bind(SLOT_EVENT_OVERRUN, SLOT_PORT_SCHED);
	for (; s->count < TSS_SCHEDULED_MAX && s->table[s->count].sched != TSS_CAP_NULL; s->count++) {
		const struct tss_scheduled *row = &s->table[s->count];
		s->tasks[s->count] = (struct task){.priority = row->priority, .slice_us = row->slice_us};
		(void)tss_sched_watch(row->sched, SLOT_EVENT_OVERRUN, 1ull << s->count);
	}
	policy_rank(s->tasks, s->count);
	(void)begin(s);
	serve(s);
	return 1;
}
