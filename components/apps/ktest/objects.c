/* SPDX-License-Identifier: BSD-2-Clause */
/* objects.c - objects that a test makes, and their end: newest first, so that children go before what they hang on. */
#include "ktest.h"

#define OWNED_MAX 1024

static cap_t owned[OWNED_MAX];
static unsigned owned_count;
static struct usage spending;

cap_t own(cap_t cap)
{
	if (owned_count < OWNED_MAX)
		owned[owned_count++] = cap;
	return cap;
}

static cap_t made(tss_status_t status, const uint64_t *value)
{
	CHECK_OK(status);
	return status == TSS_OK ? own((cap_t)*value) : TSS_CAP_NULL;
}

cap_t new_port(uint64_t depth)
{
	uint64_t value = 0;
	return made(tss_port_create(SELF, depth, &value), &value);
}

cap_t new_reply(cap_t port)
{
	uint64_t value = 0;
	return made(tss_reply_create(port, SELF, &value), &value);
}

cap_t new_connection(cap_t port, uint64_t badge)
{
	uint64_t value = 0;
	return made(tss_connection_create(port, SELF, badge, 0, &value), &value);
}

cap_t new_event(void)
{
	uint64_t value = 0;
	return made(tss_event_create(SELF, &value), &value);
}

cap_t new_memory(uint64_t pages)
{
	uint64_t value = 0;
	return made(tss_memory_create(SELF, pages, &value), &value);
}

cap_t new_sched(unsigned priority)
{
	uint64_t value = 0;
	return made(tss_sched_create(SYSTEM, SELF, priority, SLICE, &value), &value);
}

cap_t derive(cap_t cap, uint64_t rights)
{
	uint64_t value = 0;
	return made(tss_capability_derive(cap, rights, &value), &value);
}

tss_status_t destroy(cap_t cap)
{
	tss_status_t status;
	do
		status = tss_capability_delete(cap);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	return status;
}

void disown(cap_t cap)
{
	for (unsigned i = 0; i < owned_count; i++)
		if (owned[i] == cap)
			owned[i] = TSS_CAP_NULL;
}

void own_nothing(void)
{
	stop_spinning = true;
	workers_end();
	while (owned_count > 0)
		(void)destroy(owned[--owned_count]);
	stop_spinning = false;
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		tss_ipc()->recv_slots[i] = 0;
}

struct usage usage_now(void)
{
	struct usage usage = {0, 0};
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0;
	do {
		uint64_t index = next;
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, index, 0, &next) != TSS_OK)
			break;
		if (strcmp((const char *)unit->name, "ktest") == 0)
			usage = (struct usage){unit->used_pages, unit->slots_used};
	} while (next);
	return usage;
}

void spent(uint64_t pages, uint64_t slots)
{
	spending.pages += pages;
	spending.slots += slots;
}

struct usage spent_take(void)
{
	struct usage taken = spending;
	spending = (struct usage){0, 0};
	return taken;
}

uint64_t object_id(cap_t cap)
{
	const struct tss_inspect_capability *record = (const struct tss_inspect_capability *)tss_ipc()->recv;
	const struct tss_inspect_unit *unit = (const struct tss_inspect_unit *)tss_ipc()->recv;
	uint64_t next = 0, self = 0;
	do {
		if (tss_system_inspect(SYSTEM, TSS_INSPECT_UNIT, next, 0, &next) != TSS_OK)
			return 0;
		if (strcmp((const char *)unit->name, "ktest") == 0)
			self = unit->id;
	} while (next && !self);
	if (tss_system_inspect(SYSTEM, TSS_INSPECT_CAPABILITY, TSS_CAP_SLOT(cap), self, NULL) != TSS_OK)
		return 0;
	return record->slot == TSS_CAP_SLOT(cap) && record->generation == TSS_CAP_GENERATION(cap) ? record->id : 0;
}
