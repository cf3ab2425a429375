/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - init restarts the supervisor, which restarts everybody else.
 *
 * The rule is fixed and needs no table: an end, or two heartbeat periods of silence, is answered by a restart after
 * 100 ms, doubled up to 2 s while ends follow each other within a minute. The sixth end within a minute is the last:
 * the system goes on without a supervisor, and init says so. So does it if the supervisor's image is no longer what it was
 * at boot, in a system whose plan has it looked at: the supervisor vouches for the images of others.
 */
#include <tessera/draw.h>
#include "init.h"

#define GUARDED (TSS_SUPERVISED_FIRST - 1)
#define BACKOFF_MIN_US 100000u
#define BACKOFF_MAX_US 2000000u
#define WINDOW_US 60000000u
#define ENDS_MAX 5u
#define SECTIONS_MAX 8u /* of the supervisor's image; it has four */

static struct {
	cap_t unit; /* null: no supervisor, or one that stays dead */
	char name[TSS_NAME_SIZE + 1];
	uint64_t period_us;
	uint64_t silent_at, restart_at; /* TSS_INFINITE: not due */
	uint64_t ends[ENDS_MAX]; /* a ring */
	uint64_t end_count, backoff_us;
} guard = {.silent_at = TSS_INFINITE, .restart_at = TSS_INFINITE};

/* Copied: what the bundle says later does not count. None: nobody's image is looked at in this system. */
static struct tss_image_section image[SECTIONS_MAX];
static unsigned section_count;

static uint64_t now_us(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	return now;
}

static void running(void)
{
	guard.restart_at = TSS_INFINITE;
	guard.silent_at = guard.period_us == 0 ? TSS_INFINITE : now_us() + 2 * guard.period_us;
}

static bool supervises(const struct table *table)
{
	for (uint32_t i = 0; i < table->header->object_count; i++) {
		const struct tss_table_object *o = &table->objects[i];
		if (o->type == TSS_TYPE_CONNECTION && o->payer == GUARDED && table->objects[o->a].payer == 0 &&
		    o->b == TSS_BADGE_HEARTBEAT + GUARDED)
			return true;
	}
	return false;
}

/* Those that init has mapped (TSS_MEMORY_SECTIONS), as they were when their hashes were checked at boot. */
static void remember_image(const struct table *table, const struct tss_table_object *o)
{
	assert(o->c <= SECTIONS_MAX);
	for (; section_count < o->c; section_count++) {
		const struct tss_bundle_section *s = &table->sections[o->b + section_count];
		struct tss_image_section *copy = &image[section_count];
		copy->page = (uint32_t)((s->offset - table->sections[o->b].offset) / TSS_PAGE_SIZE);
		copy->size = s->size;
		memcpy(copy->name, s->name, sizeof(copy->name));
		memcpy(copy->hash, s->hash, sizeof(copy->hash));
	}
}

void guard_remember(const struct table *table)
{
	if (table->header->instance_count <= GUARDED || !supervises(table))
		return;
	for (uint32_t i = 0; i < table->header->grant_count; i++) {
		const struct tss_table_grant *g = &table->grants[i];
		const struct tss_table_object *o = &table->objects[g->object];
		if (g->instance == 0 && o->type == TSS_TYPE_UNIT && o->a == GUARDED)
			guard.unit = g->slot;
		if (g->instance == 0 && o->type == TSS_TYPE_MEMORY && o->a == TSS_MEMORY_SECTIONS)
			remember_image(table, o);
	}
	memcpy(guard.name, table->instances[GUARDED].name, TSS_NAME_SIZE);
	guard.period_us = table->instances[GUARDED].argument >> 32;
	running();
}

void guard_heartbeat(void)
{
	if (guard.unit != TSS_CAP_NULL && guard.restart_at == TSS_INFINITE)
		running();
}

static void give_up(void)
{
	say("unit %s: stays dead; nothing is supervised any more\n", guard.name);
	(void)tss_unit_kill(guard.unit, 1);
	guard.unit = TSS_CAP_NULL;
	guard.silent_at = guard.restart_at = TSS_INFINITE;
}

static void restart_later(void)
{
	uint64_t now = now_us(), oldest = guard.ends[guard.end_count % ENDS_MAX];
	bool quiet = guard.end_count == 0 || now - guard.ends[(guard.end_count - 1) % ENDS_MAX] > WINDOW_US;
	if (guard.end_count >= ENDS_MAX && now - oldest <= WINDOW_US)
		return give_up();
	guard.ends[guard.end_count++ % ENDS_MAX] = now;
	guard.backoff_us = quiet ? BACKOFF_MIN_US : 2 * guard.backoff_us;
	if (guard.backoff_us > BACKOFF_MAX_US)
		guard.backoff_us = BACKOFF_MAX_US;
	guard.silent_at = TSS_INFINITE;
	guard.restart_at = now + guard.backoff_us;
}

/* An end that is heard of while the restart is due already is the one that init made itself. */
void guard_ended(uint64_t badge)
{
	if (badge == GUARDED && guard.unit != TSS_CAP_NULL && guard.restart_at == TSS_INFINITE)
		restart_later();
}

/* The place counts only if its layout moves: the kernel moves nobody who shares his part of the addresses. */
static void begin(void)
{
	const char *damaged = tss_image_damaged(image, section_count, 0);
	uint64_t place = tss_draw_place(0);
	tss_status_t status;
	if (damaged != NULL) {
		say("unit %s: not restarted: %.32s does not match its hash\n", guard.name, damaged);
		return give_up();
	}
	do
		status = tss_unit_restart(guard.unit, place);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	if (status != TSS_OK) {
		say("unit %s: cannot be restarted: %s\n", guard.name, tss_error_name(status));
		return give_up();
	}
	say("unit %s: restarted\n", guard.name);
	running();
}

void guard_due(void)
{
	uint64_t now = now_us();
	if (guard.unit == TSS_CAP_NULL)
		return;
	if (guard.restart_at <= now)
		return begin();
	if (guard.silent_at > now)
		return;
	say("unit %s: hangs: no heartbeat\n", guard.name);
	(void)tss_unit_kill(guard.unit, 0);
	restart_later();
}

uint64_t guard_wait(void)
{
	uint64_t now = now_us(), next = guard.silent_at < guard.restart_at ? guard.silent_at : guard.restart_at;
	return next == TSS_INFINITE ? TSS_INFINITE : next <= now ? 0 : next - now;
}
