/* SPDX-License-Identifier: BSD-2-Clause */
/* cspace.c - capability spaces: pages of slots and a two-level bitmap of the empty ones. Every operation is O(1). */
#include <capability.h>
#include <frame.h>
#include <unit.h>

status_t cspace_init(struct cspace *space, struct unit *unit, uint64_t slots)
{
	uint32_t pages = (uint32_t)((slots + CAPS_PER_PAGE - 1) / CAPS_PER_PAGE);
	for (uint32_t i = 0; i < pages; i++) {
		paddr_t frame;
		status_t status = frame_alloc(unit, &frame);
		if (status != TSS_OK)
			return status;
		space->pages[i] = phys_to_virt(frame);
		space->free[i] = ~0ull;
		space->summary |= 1ull << i;
		for (uint32_t j = 0; j < CAPS_PER_PAGE; j++) {
			struct capability *cap = &space->pages[i][j];
			cap->slot = (uint16_t)(i * CAPS_PER_PAGE + j);
			cap->space = unit;
			link_init(&cap->derivation);
		}
	}
	space->free[0] &= ~1ull;
	space->slots = pages * CAPS_PER_PAGE;
	return TSS_OK;
}

struct capability *cspace_slot(struct unit *unit, uint64_t slot)
{
	if (slot == 0 || slot >= unit->caps.slots)
		return NULL;
	return &unit->caps.pages[slot / CAPS_PER_PAGE][slot % CAPS_PER_PAGE];
}

struct capability *cspace_find_free(struct unit *unit)
{
	struct cspace *space = &unit->caps;
	if (!space->summary)
		return NULL;
	unsigned page = 63u - (unsigned)__builtin_clzll(space->summary);
	unsigned index = 63u - (unsigned)__builtin_clzll(space->free[page]);
	return &space->pages[page][index];
}

static void cspace_take(const struct capability *cap)
{
	if (!cap->space)
		return;
	struct cspace *space = &cap->space->caps;
	unsigned page = cap->slot / CAPS_PER_PAGE;
	space->free[page] &= ~(1ull << cap->slot % CAPS_PER_PAGE);
	if (!space->free[page])
		space->summary &= ~(1ull << page);
	space->used++;
}

static void cspace_release(struct capability *cap)
{
	if (cap->space) {
		struct cspace *space = &cap->space->caps;
		unsigned page = cap->slot / CAPS_PER_PAGE;
		space->free[page] |= 1ull << cap->slot % CAPS_PER_PAGE;
		space->summary |= 1ull << page;
		space->used--;
	}
	cap->object = NULL;
	cap->generation++;
	cap->type = TSS_TYPE_NONE;
	capability_set_rights(cap, 0);
	cap->depth = 0;
	cap->original = false;
	cap->sealed = SEAL_NONE;
}

static void capability_fill(struct capability *slot, struct object *object, uint16_t rights)
{
	slot->object = object;
	slot->type = object->type;
	capability_set_rights(slot, rights);
	slot->mapped_at = 0;
	slot->protection = 0;
	cspace_take(slot);
}

/* Pre-order: a child goes directly behind its parent. */
static void capability_insert(struct capability *slot, struct capability *parent)
{
	link_init(&slot->derivation);
	slot->depth = 0;
	if (!parent)
		return;
	slot->depth = (uint8_t)(parent->depth + 1);
	link_insert_after(&parent->derivation, &slot->derivation);
}

void capability_place(struct capability *slot, struct object *object, uint16_t rights, struct capability *parent)
{
	capability_fill(slot, object, rights);
	slot->original = true;
	object->original = slot;
	capability_insert(slot, parent);
}

status_t capability_copyable(const struct capability *source, unsigned argument)
{
	struct object *object = source->object;
	if (source->depth == CAP_DEPTH_MAX)
		return ERR(DEPTH, argument);
	if (!object->revoking)
		return TSS_OK;
	object->revoking--;
	return ERR(AGAIN, argument);
}

void capability_derive(struct capability *slot, struct capability *source, uint16_t rights)
{
	capability_fill(slot, source->object, rights);
	slot->original = false;
	capability_insert(slot, source);
}

static void capability_own_reply(struct capability *cap);

void capability_move(struct capability *slot, struct capability *source)
{
	capability_fill(slot, source->object, source->rights);
	slot->original = source->original;
	if (slot->original)
		slot->object->original = slot;
	slot->mapped_at = source->mapped_at;
	slot->protection = source->protection;
	slot->depth = source->depth;
	link_insert_after(&source->derivation, &slot->derivation);
	link_remove(&source->derivation);
	cspace_release(source);
	capability_own_reply(slot);
}

static struct capability *capability_next(const struct capability *cap)
{
	return LINK_ENTRY(cap->derivation.next, struct capability, derivation);
}

bool capability_has_children(const struct capability *cap)
{
	return capability_next(cap)->depth > cap->depth;
}

/* The list is circular and a root has depth 0, so a walk over descendants ends at the root at the latest. */
static struct capability *capability_victim(const struct capability *cap, bool spare)
{
	struct capability *victim = capability_next(cap);
	while (spare && victim->sealed && victim->depth > cap->depth) {
		uint8_t depth = victim->depth;
		do
			victim = capability_next(victim);
		while (victim->depth > depth);
	}
	if (victim->depth <= cap->depth)
		return NULL;
	while (capability_has_children(victim))
		victim = capability_next(victim);
	return victim;
}

bool capability_revoke(struct capability *cap, unsigned limit, bool spare)
{
	struct capability *victim;
	while ((victim = capability_victim(cap, spare))) {
		if (limit-- == 0) {
			cap->object->revoking = REVOKE_PATIENCE;
			return false;
		}
		capability_delete(victim);
	}
	cap->object->revoking = 0;
	return true;
}

#include <irq.h>
#include <memory.h>
#include <port.h>

static void capability_own_reply(struct capability *cap)
{
	if (cap->type == TSS_TYPE_REPLY)
		reply_moved((struct reply *)cap->object, cap);
}

static void thread_destroy(struct thread *thread)
{
	thread_leave(thread, UNIT_CODE_KILLED);
	if (thread->start.sched)
		thread->start.sched->starts = NULL;
	(void)arch_space_unmap(&thread->unit->space, (uaddr_t){thread->ipc_user});
	thread_free(thread);
}

static void sched_destroy(struct sched *sched)
{
	if (sched->home)
		thread_leave(sched->home, UNIT_CODE_KILLED);
	if (sched->starts)
		sched->starts->start.sched = NULL;
	object_free(&sched->object, sizeof(*sched));
}

/* By type; what is not here cannot be ended by deleting a capability (capability_delete's caller has refused). */
static void object_destroy(struct object *object)
{
	switch (object->type) {
	case TSS_TYPE_UNIT:
		return unit_destroy((struct unit *)object);
	case TSS_TYPE_SYSTEM:
		return; /* nobody can name the kernel any more */
	case TSS_TYPE_THREAD:
		return thread_destroy((struct thread *)object);
	case TSS_TYPE_SCHED:
		return sched_destroy((struct sched *)object);
	case TSS_TYPE_PORT:
		return port_destroy((struct port *)object);
	case TSS_TYPE_CONNECTION:
		return connection_destroy((struct connection *)object);
	case TSS_TYPE_REPLY:
		return reply_destroy((struct reply *)object);
	case TSS_TYPE_EVENT:
		return event_destroy((struct event *)object);
	case TSS_TYPE_MEMORY:
		return memory_destroy((struct memory *)object);
	case TSS_TYPE_IRQ:
		return irq_destroy((struct irq *)object);
	case TSS_TYPE_IOPORT:
		return object_free(object, sizeof(struct ioport));
	default:
		panic("object type %u cannot be destroyed", object->type);
	}
}

void capability_delete(struct capability *cap)
{
	struct object *object = cap->object;
	bool original = cap->original;
	if (cap->type == TSS_TYPE_MEMORY)
		memory_unmap(cap);
	link_remove(&cap->derivation);
	cspace_release(cap);
	if (original)
		object_destroy(object);
	else if (object->type == TSS_TYPE_REPLY && ((struct reply *)object)->away == cap)
		reply_dropped((struct reply *)object);
}
