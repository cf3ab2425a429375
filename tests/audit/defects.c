/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * defects.c - one wrong value in one place for each thing that an audit looks at, so that a test can see it bite. Planted
 * and undone within one system call, while nothing else runs; each is such that walking over it does no harm.
 */
#include <frame.h>
#include <irq.h>
#include <memory.h>
#include <port.h>
#include "defects.h"

static struct {
	void *at; /* NULL: nothing is changed */
	size_t size;
	uint64_t was;
} kept;

static bool plant(void *at, size_t size, uint64_t value)
{
	kept.at = at;
	kept.size = size;
	__builtin_memcpy(&kept.was, at, size);
	__builtin_memcpy(at, &value, size);
	return true;
}
#define PLANT(place, value) plant(&(place), sizeof(place), (uint64_t)(value))

void defect_undo(void)
{
	if (kept.at)
		__builtin_memcpy(kept.at, &kept.was, kept.size);
	kept.at = NULL;
}

/* The last object of a type for which `fits` says yes; NULL: none. */
static void *some(unsigned type, bool (*fits)(const void *object))
{
	for (struct link *at = object_lists[type].prev; at != &object_lists[type]; at = at->prev)
		if (fits(LINK_ENTRY(at, struct object, all)))
			return LINK_ENTRY(at, struct object, all);
	return NULL;
}

static bool has_message(const void *object)
{
	return !link_empty(&((const struct port *)object)->messages);
}
static bool has_caller(const void *object)
{
	return !link_empty(&((const struct port *)object)->callers);
}
static bool has_free_reply(const void *object)
{
	return ((const struct port *)object)->free_reply;
}
static bool has_waiter(const void *object)
{
	return ((const struct event *)object)->waiter;
}
static bool is_bound(const void *object)
{
	return ((const struct reply *)object)->caller;
}
static bool is_armed(const void *object)
{
	return ((const struct thread *)object)->timeout.armed;
}
static bool is_parked(const void *object)
{
	return ((const struct sched *)object)->state == SCHED_PARKED;
}
static bool is_mapped(const void *object)
{
	const struct memory *memory = object;
	return !memory->run && !memory->parent && memory->object.original->mapped_at;
}
static bool is_any(const void *object)
{
	return object;
}

static struct capability *slot_of(struct unit *unit, bool full, bool derived)
{
	for (unsigned slot = unit->caps.slots - 1; slot > 0; slot--) {
		struct capability *cap = cspace_slot(unit, slot);
		if (full == (cap->object != NULL) && (!derived || !cap->original))
			return cap;
	}
	return NULL;
}

static bool plant_in_slot(struct unit *unit, uint64_t number)
{
	struct capability *full = slot_of(unit, true, false), *empty = slot_of(unit, false, false);
	struct capability *derived = slot_of(unit, true, true);
	if (!full || !empty || !derived)
		return false;
	switch (number) {
	case 0:
		return PLANT(full->slot, full->slot ^ 1);
	case 1:
		return PLANT(full->space, unit->parent);
	case 2:
		return PLANT(full->type, full->type == TSS_TYPE_EVENT ? TSS_TYPE_PORT : TSS_TYPE_EVENT);
	case 3:
		return PLANT(empty->rights, TSS_RIGHT_GRANT);
	case 4:
		return PLANT(full->original, !full->original);
	case 5:
		return PLANT(derived->original, true);
	case 6:
		return PLANT(derived->depth, derived->depth + 1);
	case 7:
		return PLANT(derived->derivation.prev, &derived->derivation);
	case 8:
		return PLANT(unit->caps.free[empty->slot / CAPS_PER_PAGE],
			     unit->caps.free[empty->slot / CAPS_PER_PAGE] ^ 1ull << empty->slot % CAPS_PER_PAGE);
	case 9:
		return PLANT(unit->caps.summary, unit->caps.summary ^ 1);
	default:
		return PLANT(unit->caps.used, unit->caps.used + 1);
	}
}

static bool plant_in_unit(struct unit *unit, uint64_t number)
{
	struct memory *memory = some(TSS_TYPE_MEMORY, is_mapped);
	struct slab *slab = (struct slab *)((uint64_t)memory & ~PAGE_MASK);
	if (!memory)
		return false;
	switch (number) {
	case 0:
		return PLANT(unit->used, unit->used + 1);
	case 1:
		return PLANT(unit->budget, unit->budget - 1);
	case 2:
		return PLANT(unit->threads, unit->threads - 1);
	case 3:
		return PLANT(slab->used, slab->used + 1);
	case 4:
		return PLANT(memory->frames[0], (uint64_t)memory->frames[0] + PAGE_SIZE);
	case 5:
		return PLANT(memory->pages, memory->pages - 1);
	case 6:
		return PLANT(memory->object.original->mapped_at, 0);
	case 7:
		return PLANT(memory->object.original, unit->object.original);
	default:
		return PLANT(cpu_this()->run_queue.occupied[0], cpu_this()->run_queue.occupied[0] ^ 1);
	}
}

static bool plant_in_port(uint64_t number)
{
	struct port *sent = some(TSS_TYPE_PORT, has_message), *called = some(TSS_TYPE_PORT, has_caller);
	struct port *free = some(TSS_TYPE_PORT, has_free_reply);
	struct reply *bound = some(TSS_TYPE_REPLY, is_bound);
	struct connection *connection = some(TSS_TYPE_CONNECTION, is_any);
	if (!sent || !called || !free || !bound || !connection)
		return false;
	switch (number) {
	case 0:
		return PLANT(sent->depth, sent->depth + 1);
	case 1:
		return PLANT(sent->busy, false);
	case 2:
		return PLANT(called->busy, false);
	case 3:
		return PLANT(called->receiver, bound);
	case 4:
		return PLANT(free->free_reply, NULL);
	case 5:
		return PLANT(free->fast, bound);
	case 6:
		return PLANT(bound->caller, NULL);
	case 7:
		return PLANT(bound->server, connection);
	default:
		return PLANT(connection->target, bound);
	}
}

static bool plant_in_thread(uint64_t number)
{
	struct thread *thread = some(TSS_TYPE_THREAD, is_armed);
	struct event *event = some(TSS_TYPE_EVENT, has_waiter);
	struct sched *parked = some(TSS_TYPE_SCHED, is_parked);
	if (!thread || !event || !parked)
		return false;
	switch (number) {
	case 0:
		return PLANT(thread->state, TSS_THREAD_READY);
	case 1:
		return PLANT(thread->timeout.again, 0);
	case 2:
		return PLANT(thread->timeout.deadline, thread->timeout.deadline + (1ull << thread->timeout.level * 6));
	case 3:
		return PLANT(thread->timeout.wheel->occupied[thread->timeout.level], 0);
	case 4:
		return PLANT(thread->ipc, (uint64_t)thread->ipc ^ PAGE_SIZE);
	case 5:
		return PLANT(event->waiter, NULL);
	case 6:
		return PLANT(event->waiter->event, NULL);
	case 7:
		return PLANT(parked->state, SCHED_QUEUED);
	case 8:
		return PLANT(parked->parked_at, parked);
	default:
		return PLANT(parked->home, NULL);
	}
}

/* What the kernel must be struck by or in for tests/scenario/test_panics.py; neither comes back. */
enum { STRIKE_OVERFLOW = 1000, STRIKE_SPIN = 1001 };

static uint64_t overflow(const volatile uint64_t *above)
{
	volatile uint64_t frame[16] = {*above + 1};
	return *frame ? overflow(frame) + *frame : 0;
}

static bool strike(uint64_t number)
{
	while (number == STRIKE_SPIN)
		(void)arch_tsc();
	return number == STRIKE_OVERFLOW && overflow(&number);
}

bool defect_plant(uint64_t number)
{
	struct unit *unit = cpu_this()->current->unit;
	if (number <= 11)
		return plant_in_slot(unit, number - 1);
	if (number <= 20)
		return plant_in_unit(unit, number - 12);
	if (number <= 29)
		return plant_in_port(number - 21);
	if (number <= 39)
		return plant_in_thread(number - 30);
	return number < ATTACK_FIRST ? strike(number) : attack(number);
}
