/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - what the manifest says about ends: wait and restart, give up, and what giving up means.
 *
 *   RUNNING --ended--> WAITING --backoff--> RUNNING      up to `max` times within the window
 *   RUNNING --ended--> DEAD                              policy never, a good end under on_failure, or once too often
 *   WAITING, RUNNING --to be restarted--> DEAD           its image is damaged (image.c)
 *
 * A message only makes us look: a unit that runs when its end is reported has been restarted since. The backoff
 * starts at its minimum and doubles with each end while earlier ends are still within the window.
 */
#include <interfaces/power.h>
#include "reincarnation.h"

#define RESET_US 2000000u
#define BEATS_MAX 32u /* in a period; two are asked for */
#define SILENT_PERIODS 2u

static bool named(const uint64_t bits[2], unsigned n)
{
	return bits[n / 64] >> n % 64 & 1;
}

static void expect_heartbeat(struct instance *i, uint64_t now)
{
	bool wanted = i->row->heartbeat_us != 0 && i->state == STATE_RUNNING;
	i->silent_at = wanted ? now + SILENT_PERIODS * i->row->heartbeat_us : NEVER;
}

static void settle(struct instance *i, enum state state, uint64_t now)
{
	i->state = state;
	i->restart_at = NEVER;
	i->beats_since = now;
	i->beats = 0;
	expect_heartbeat(i, now);
}

/* From now on its clients hear PEER_DEAD; nothing leads back. */
static void end_for_good(struct instance *i, uint64_t now)
{
	(void)unit_end(i, true);
	settle(i, STATE_DEAD, now);
}

static void degrade(struct supervisor *s, const struct instance *i, uint64_t now)
{
	for (unsigned n = 0; n < s->count; n++) {
		if (!named(i->row->dependants, n) || s->instances[n].state == STATE_DEAD)
			continue;
		printf("unit %.16s: stays dead with %.16s\n", (const char *)s->instances[n].row->name,
		       (const char *)i->row->name);
		end_for_good(&s->instances[n], now);
	}
	printf("degraded: the system goes on without %.16s\n", (const char *)i->row->name);
}

/* It stays dead, whatever the reason. */
static void give_up(struct supervisor *s, struct instance *i, uint64_t now)
{
	const char *name = (const char *)i->row->name;
	if (i->row->then == TSS_THEN_REBOOT) {
		printf("the machine is reset because of %.16s\n", name);
		tss_status_t status = power_reset(SLOT_POWER, RESET_US);
		printf("the machine could not be reset: %s\n", tss_error_name(status));
	}
	end_for_good(i, now);
	if (i->row->then == TSS_THEN_DEGRADE)
		degrade(s, i, now);
}

/* Forgets ends outside the window and notes this one. Returns how many there are with it. */
static unsigned note_end(struct instance *i, uint64_t now)
{
	unsigned old = 0;
	while (old < i->end_count && now - i->ends[old] > i->row->window_us)
		old++;
	i->end_count -= old;
	memmove(i->ends, i->ends + old, i->end_count * sizeof(i->ends[0]));
	if (i->end_count == i->row->max)
		return i->row->max + 1;
	i->ends[i->end_count++] = now;
	return i->end_count;
}

void policy_ended(struct supervisor *s, struct instance *i, bool failed, uint64_t now)
{
	const struct tss_supervision_row *row = i->row;
	enum unit_state unit = unit_state(i, NULL);
	if (i->state != STATE_RUNNING || (unit != UNIT_ENDED && unit != UNIT_DEAD))
		return;
	if (row->policy == TSS_RESTART_NEVER || (row->policy == TSS_RESTART_ON_FAILURE && !failed) || unit == UNIT_DEAD)
		return end_for_good(i, now);
	unsigned count = note_end(i, now);
	if (count > row->max) {
		printf("unit %.16s: ended more than %u times in %lu s and stays dead\n", (const char *)row->name,
		       row->max, row->window_us / 1000000);
		return give_up(s, i, now);
	}
	i->backoff_us = count == 1 ? row->backoff_min_us : 2 * i->backoff_us;
	if (i->backoff_us > row->backoff_max_us)
		i->backoff_us = row->backoff_max_us;
	settle(i, STATE_WAITING, now);
	i->restart_at = now + i->backoff_us;
	printf("unit %.16s: restart %u of %u in %lu ms\n", (const char *)row->name, count, row->max,
	       i->backoff_us / 1000);
}

/*
 * What does not begin again because of its image is given up. While we looked nobody was listened to, which is not their
 * silence.
 */
static bool may_begin(struct supervisor *s, struct instance *i, uint64_t now)
{
	uint64_t before = clock_now_us();
	const char *damaged = image_damaged(s, i);
	uint64_t spent = clock_now_us() - before;
	for (unsigned n = 0; n < s->count; n++)
		if (s->instances[n].silent_at != NEVER)
			s->instances[n].silent_at += spent;
	if (damaged == NULL)
		return true;
	printf("unit %.16s: not restarted: %.32s does not match its hash\n", (const char *)i->row->name, damaged);
	give_up(s, i, now);
	return false;
}

static void begin(struct instance *i)
{
	tss_status_t status = unit_begin(i);
	uint64_t now = clock_now_us();
	settle(i, STATE_RUNNING, now);
	if (status == TSS_OK) {
		printf("unit %.16s: restarted\n", (const char *)i->row->name);
	} else {
		printf("unit %.16s: cannot be restarted: %s\n", (const char *)i->row->name, tss_error_name(status));
		end_for_good(i, now);
	}
}

static bool restartable(const struct instance *i)
{
	return i->state != STATE_DEAD && i->row->policy != TSS_RESTART_NEVER;
}

/* Adds to `bits` who depends on those in it, and on them, and so on. */
static void add_dependants(const struct supervisor *s, uint64_t bits[TSS_SUPERVISED_WORDS])
{
	for (bool more = true; more;) {
		more = false;
		for (unsigned n = 0; n < s->count; n++) {
			const uint64_t *its = s->instances[n].row->dependants;
			for (unsigned word = 0; named(bits, n) && word < TSS_SUPERVISED_WORDS; word++) {
				more |= (its[word] & ~bits[word]) != 0;
				bits[word] |= its[word];
			}
		}
	}
}

/* All end before the first begins again, so that no dependant meets the new one with what it knew of the old. */
void policy_restart(struct supervisor *s, struct instance *i, uint64_t now)
{
	unsigned self = (unsigned)(i - s->instances);
	uint64_t bits[TSS_SUPERVISED_WORDS] = {0};
	bits[self / 64] |= 1ull << self % 64;
	if (!may_begin(s, i, now))
		return;
	add_dependants(s, bits);
	for (unsigned n = 0; n < s->count; n++)
		if (named(bits, n) && restartable(&s->instances[n]))
			(void)unit_end(&s->instances[n], false);
	begin(i);
	for (unsigned n = 0; n < s->count; n++)
		if (n != self && named(bits, n) && restartable(&s->instances[n]) && may_begin(s, &s->instances[n], now))
			begin(&s->instances[n]);
}

/* A unit that is ended here ends like any other: the kernel tells us, and the contract holds. */
static void end_unruly(struct supervisor *s, struct instance *i, const char *why, uint64_t now)
{
	printf("unit %.16s: %s\n", (const char *)i->row->name, why);
	(void)unit_end(i, false);
	policy_ended(s, i, true, now);
}

void policy_heartbeat(struct supervisor *s, struct instance *i, uint64_t now)
{
	if (i->state != STATE_RUNNING || i->row->heartbeat_us == 0)
		return;
	expect_heartbeat(i, now);
	if (now - i->beats_since > i->row->heartbeat_us) {
		i->beats_since = now;
		i->beats = 0;
	}
	if (++i->beats <= BEATS_MAX)
		return;
	i->beats = 0;
	s->reconcile = true;
	end_unruly(s, i, "babbles", now);
}

void policy_due(struct supervisor *s, uint64_t now)
{
	for (unsigned n = 0; n < s->count; n++) {
		struct instance *i = &s->instances[n];
		if (i->restart_at <= now)
			policy_restart(s, i, now);
		else if (i->silent_at <= now)
			end_unruly(s, i, "hangs: no heartbeat", now);
	}
}

uint64_t policy_next(const struct supervisor *s)
{
	uint64_t next = NEVER;
	for (unsigned n = 0; n < s->count; n++) {
		const struct instance *i = &s->instances[n];
		uint64_t at = i->restart_at < i->silent_at ? i->restart_at : i->silent_at;
		next = at < next ? at : next;
	}
	return next;
}

/* What its message would have said, had it come: how it ended is not known then, and a failure is the safe guess. */
void policy_reconcile(struct supervisor *s, uint64_t now)
{
	for (unsigned n = 0; n < s->count; n++) {
		struct instance *i = &s->instances[n];
		enum unit_state state = unit_state(i, NULL);
		if (state == UNIT_DEAD && i->state != STATE_DEAD)
			settle(i, STATE_DEAD, now);
		else if (state == UNIT_ENDED)
			policy_ended(s, i, true, now);
	}
}

void policy_start(struct supervisor *s, uint64_t now)
{
	for (unsigned n = 0; n < s->count; n++)
		settle(&s->instances[n], STATE_RUNNING, now);
	policy_reconcile(s, now);
}
