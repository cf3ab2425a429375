/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.c - does everything add up? One walk over every object, slot, queue and frame, for system_inspect. It trusts
 * nobody's counters: what two places say is compared, and counted from both sides. The first thing that is wrong is
 * named.
 *
 * Each frame that is held, and each on the free list, flips its bit of the frame bitmap, so that one with two owners
 * shows; the walk is made twice, which puts the bits back.
 */
#include <audit.h>
#include <frame.h>
#include <irq.h>
#include <memory.h>
#include <pager.h>
#include <port.h>
#include <syscall.h>
#include "defects.h"

enum { ORIGINALS, CALLERS, REPLIES, READY, PARKED, TIMEOUTS, SLABS, BALANCES };

static struct {
	struct tss_inspect_audit *wrong; /* what is empty: nothing yet */
	bool again; /* second time round */
	uint64_t balance[BALANCES]; /* seen from one side, minus seen from the other */
} audit;

static void same(const char *what, uint64_t id, uint64_t got, uint64_t want)
{
	if (got == want || audit.wrong->what[0])
		return;
	*audit.wrong = (struct tss_inspect_audit){.id = id, .got = got, .want = want};
	for (unsigned i = 0; i < sizeof(audit.wrong->what) - 1 && what[i]; i++)
		audit.wrong->what[i] = what[i];
}

/* Pointers between objects, each to a live one; back: the field there that leads back, `object` if none does. */
static const struct pointer {
	const char *name;
	uint16_t from, to, at, back;
} pointers[] = {
/* clang-format off */
#define POINTER(FROM, from, at, TO, to, back)                                                                          \
	{#from "." #at, TSS_TYPE_##FROM, TSS_TYPE_##TO, offsetof(struct from, at), offsetof(struct to, back)}
	/* clang-format on */
	POINTER(PORT, port, event, EVENT, event, port),
	POINTER(EVENT, event, port, PORT, port, event),
	POINTER(PORT, port, receiver, THREAD, thread, object),
	POINTER(PORT, port, fast, REPLY, reply, port),
	POINTER(REPLY, reply, port, PORT, port, object),
	POINTER(REPLY, reply, server, THREAD, thread, object),
	POINTER(REPLY, reply, caller, THREAD, thread, reply),
	POINTER(CONNECTION, connection, target, PORT, port, object),
	POINTER(THREAD, thread, unit, UNIT, unit, object),
	POINTER(THREAD, thread, event, EVENT, event, waiter),
	POINTER(EVENT, event, waiter, THREAD, thread, event),
	POINTER(THREAD, thread, home, SCHED, sched, home),
	POINTER(SCHED, sched, home, THREAD, thread, home),
	POINTER(THREAD, thread, start.sched, SCHED, sched, starts),
	POINTER(SCHED, sched, starts, THREAD, thread, start.sched),
	POINTER(MEMORY, memory, parent, MEMORY, memory, object),
	POINTER(UNIT, unit, supervisor, CONNECTION, connection, object),
	POINTER(UNIT, unit, fault_port, CONNECTION, connection, object),
	POINTER(UNIT, unit, low_event, EVENT, event, object),
	POINTER(UNIT, unit, monitor, CONNECTION, connection, object),
	POINTER(UNIT, unit, parent, UNIT, unit, object),
	POINTER(IRQ, irq, event, EVENT, event, object),
};

static bool listed(unsigned type, const void *object)
{
	if (type < TSS_TYPE_COUNT)
		LINK_FOR_EACH(struct object, each, &object_lists[type], all)
			if (each == object)
				return true;
	return false;
}

static void audit_pointers(const struct object *object)
{
	for (unsigned i = 0; i < COUNT_OF(pointers); i++) {
		const char *to = *(const char *const *)((const char *)object + pointers[i].at);
		if (pointers[i].from != object->type || !to)
			continue;
		const void *back = *(const void *const *)(to + pointers[i].back);
		same(pointers[i].name, object->id, listed(pointers[i].to, to), true);
		same(pointers[i].name, object->id, pointers[i].back && back != object, false);
	}
}

static uint64_t count(const struct link *head, uint64_t id)
{
	uint64_t entries = 0;
	for (const struct link *at = head->next; at != head; at = at->next, entries++)
		same("list: leads back", id, at->next->prev == at && at->prev->next == at, true);
	return entries;
}

/* Level 0: a page that is mapped; else a frame that payer pays for, or a free one. */
static void hold(struct unit *payer, paddr_t frame, unsigned level)
{
	if (payer)
		payer->tally[level ? TALLY_FRAMES : TALLY_MAPPED]++;
	if (level)
		same("frame: free or held once", frame.raw, frame_bitmap_flip(phys_to_virt(frame)),
		     !payer == audit.again);
}

static void hold_item(struct unit *payer, const void *item)
{
	struct slab *slab = (struct slab *)((uint64_t)item & ~PAGE_MASK);
	bool first = audit.again ? --slab->seen == 0 : slab->seen++ == 0;
	if (first) {
		hold(payer, virt_to_phys(slab), 1);
		audit.balance[SLABS] += slab->used;
	}
	audit.balance[SLABS]--;
}

static void audit_memory(const void *object)
{
	const struct memory *memory = object;
	for (uint64_t page = 0; !memory->parent && !memory->immortal && page < memory->pages; page++)
		hold(memory->object.payer, memory_frame(memory, page), 1);
	for (unsigned i = 0; !memory->run && memory_has_tables(memory) && i < MEMORY_TABLES && memory->tables[i]; i++)
		hold(memory->object.payer, virt_to_phys(memory->tables[i]), 1);
}

static const struct capability *neighbour(const struct link *at)
{
	return LINK_ENTRY(at, struct capability, derivation);
}

/* What cap was derived from: the nearest before it that is less deep. Of a root: the nearest root, which is itself. */
static const struct capability *parent_of(const struct capability *cap)
{
	const struct link *at = cap->derivation.prev;
	while (at != &cap->derivation && neighbour(at)->depth && neighbour(at)->depth >= cap->depth)
		at = at->prev;
	return neighbour(at);
}

static void audit_mapping(const struct capability *cap, uint64_t id)
{
	const struct memory *memory = (const struct memory *)cap->object;
	for (uint64_t page = 0; cap->type == TSS_TYPE_MEMORY && cap->mapped_at && page < cap->mapped; page++) {
		paddr_t frame = arch_space_lookup(&cap->space->space, (uaddr_t){cap->mapped_at + page * PAGE_SIZE});
		same("slot: mapped frame", id, frame.raw, memory_frame(memory, page).raw);
		cap->space->tally[TALLY_MAPPED]--;
	}
}

static void audit_capability(const struct capability *cap, uint64_t id)
{
	const struct link *at = &cap->derivation;
	same("capability: list leads back", id, at->next->prev == at && at->prev->next == at, true);
	same("capability: live object", id, listed(cap->type, cap->object), true);
	if (audit.wrong->what[0])
		return;
	const struct capability *parent = parent_of(cap);
	audit.balance[ORIGINALS] += cap->original;
	same("capability: original", id, cap->original, cap->object->original == cap);
	same("capability: depth", id, cap->depth, cap->depth ? parent->depth + 1u : parent != cap);
	same("capability: derived of another object", id, !cap->original && parent->object != cap->object, false);
	audit_mapping(cap, id);
}

static void audit_message(const struct port *port, const struct message *message)
{
	hold_item(port->object.payer, message);
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		if (message->caps[i].object)
			audit_capability(&message->caps[i], port->object.id);
	same("message: sender", port->object.id, !message->sender || listed(TSS_TYPE_CONNECTION, message->sender),
	     true);
}

/* What connections have been promised of the port's queue, and what they use of it. */
static void audit_credit(const struct port *port)
{
	uint64_t reserved = 0, sharers = 0;
	OBJECTS_OF(CONNECTION, connection, connection) {
		uint64_t queued = 0;
		if (connection->target != port)
			continue;
		reserved += connection->credit;
		sharers += !connection->credit;
		LINK_FOR_EACH(const struct message, message, &port->messages, link)
			queued += message->sender == connection;
		LINK_FOR_EACH(const struct message, message, &port->held, link)
			queued += message->sender == connection;
		same("connection: places in use", connection->object.id, connection->queued, queued);
	}
	same("port: reserved places", port->object.id, port->reserved, reserved);
	same("port: sharers", port->object.id, port->sharers, sharers);
}

static void audit_port(const void *object)
{
	const struct port *port = object;
	uint64_t id = port->object.id, callers = count(&port->callers, id), messages = count(&port->messages, id);
	bool bits = port->event && port->event->bits, replies = port->free_reply || port->fast;
	bool ready = messages || bits || (callers && replies);
	uint64_t held = count(&port->held, id), spare = count(&port->spare, id);
	same("port: messages", id, messages + count(&port->free_messages, id) + held + spare, port->depth);
	same("port: entries of its mailbox", id, held, port->posted - port->retired);
	same("port: a mailbox or a queue", id, port->mailbox ? messages : held + spare, 0);
	same("port: mailbox", id, port->mailbox && port->mailbox->written != port, false);
	LINK_FOR_EACH(const struct message, message, &port->held, link)
		audit_message(port, message);
	LINK_FOR_EACH(const struct message, message, &port->spare, link)
		hold_item(port->object.payer, message);
	LINK_FOR_EACH(const struct message, message, &port->messages, link)
		audit_message(port, message);
	audit_credit(port);
	LINK_FOR_EACH(const struct message, message, &port->free_messages, link)
		hold_item(port->object.payer, message);
	LINK_FOR_EACH(const struct thread, caller, &port->callers, wait)
		same("port: caller", id, caller->port == port, true);
	for (const struct reply *reply = port->free_reply; reply; reply = reply->next_free, audit.balance[REPLIES]++)
		same("port: free reply", id, !reply_holder(reply) && reply->port == port, true);
	audit.balance[CALLERS] += callers;
	same("port: knows what is queued", id, (messages || callers || bits) && !port->busy, false);
	same("port: receiver sleeps through what there is", id, port_waiting(port) && ready, false);
	audit.balance[REPLIES] += port->fast != NULL;
	same("port: fast", id, port->fast && !(port_waiting(port) && port_fast_receiver(port) == port->receiver),
	     false);
	same("port: fast reply", id, port->fast && reply_holder(port->fast), false);
}

static void audit_reply(const void *object)
{
	const struct reply *reply = object;
	bool calls = !reply->caller || reply->caller->state == TSS_THREAD_CALLING;
	audit.balance[REPLIES] -= !reply_holder(reply);
	same("reply: caller waits", reply->object.id, calls, true);
	same("reply: its capability", reply->object.id, reply->cap == reply->object.original, true);
	same("reply: handed on", reply->object.id, reply->away && reply->away->object != &reply->object, false);
}

/* A context that is queued, runs or waits for its budget, and whose chain of calls ends at thread. */
static bool has_context(const struct thread *thread)
{
	struct thread *park_at;
	OBJECTS_OF(SCHED, sched, sched)
		if ((sched->state == SCHED_QUEUED || sched->state == SCHED_CURRENT || sched->state == SCHED_SPENT) &&
		    sched_follow(sched, &park_at) == thread)
			return true;
	return false;
}

static void audit_thread(const void *object)
{
	const struct thread *thread = object;
	uint64_t id = thread->object.id, state = thread->state;
	bool calls = state == TSS_THREAD_CALLING, blocked = state > TSS_THREAD_RUNNING && state < TSS_THREAD_ENDED;
	hold(thread->unit, virt_to_phys(thread->ipc), 1);
	if (thread->interposed)
		hold_item(thread->unit, thread->interposed);
	if (thread->extension.vectors)
		hold(thread->unit, virt_to_phys(thread->extension.vectors), 1);
	thread->unit->tally[TALLY_MAPPED]--;
	thread->unit->tally[TALLY_THREADS] += state != TSS_THREAD_ENDED;
	same("thread: IPC page", id, arch_space_lookup(&thread->unit->space, (uaddr_t){thread->ipc_user}).raw,
	     virt_to_phys(thread->ipc).raw);
	same("thread: its reply", id, calls && thread->reply && thread->reply->caller != thread, false);
	same("thread: waits for an event", id, thread->event != NULL, state == TSS_THREAD_WAITING);
	same("thread: times out without waiting", id, thread->timeout.armed && !blocked, false);
	same("thread: ready and never runs", id, state == TSS_THREAD_READY && !has_context(thread), false);
	audit.balance[CALLERS] -= calls && !thread->reply;
	audit.balance[PARKED] += count(&thread->parked, id);
	audit.balance[TIMEOUTS] -= thread->timeout.again != 0;
	same("thread: armed outside the wheel", id, thread->timeout.armed && !thread->timeout.again, false);
}

static void audit_sched(const void *object)
{
	const struct sched *sched = object;
	bool parked = sched->state == SCHED_PARKED;
	audit.balance[READY] -= sched->state == SCHED_QUEUED;
	audit.balance[PARKED] -= parked;
	same("sched: home", sched->object.id, sched->home == NULL, sched->state == SCHED_UNBOUND);
	same("sched: current", sched->object.id, sched->cpu->sched == sched, sched->state == SCHED_CURRENT);
	same("sched: slice", sched->object.id, sched->slice_left == 0, false);
	if (sched->budget) {
		hold_item(sched->object.payer, sched->budget);
		audit.balance[TIMEOUTS] -= sched->budget->refill.again != 0;
	}
	same("sched: waits for its budget", sched->object.id, sched->budget && sched->budget->refill.armed,
	     sched->state == SCHED_SPENT);
	same("sched: parked at", sched->object.id, parked && !listed(TSS_TYPE_THREAD, sched->parked_at), false);
}

/* Slots are named by unit id << 16 | slot. True if it is full. */
static bool audit_slot(const struct unit *unit, unsigned slot)
{
	const struct capability *cap = &unit->caps.pages[slot / CAPS_PER_PAGE][slot % CAPS_PER_PAGE];
	uint64_t id = (uint64_t)unit->object.id << 16 | slot;
	bool empty = unit->caps.free[slot / CAPS_PER_PAGE] >> slot % CAPS_PER_PAGE & 1;
	same("slot: where it is", id, cap->slot == slot && cap->space == unit, true);
	same("slot: empty in the bitmap", id, empty, slot && !cap->object);
	if (cap->object)
		audit_capability(cap, id);
	else
		same("slot: nothing in an empty one", id, cap->type || cap->rights || !link_empty(&cap->derivation),
		     false);
	return cap->object;
}

/* Its capabilities, each mapped where its place in the region says, and the frames they are in. */
static void audit_region(struct unit *unit, const struct region *region)
{
	hold_item(unit, region);
	hold(unit, virt_to_phys(region->tables), 1);
	same("region: connection", region->base, region->connection && !listed(TSS_TYPE_CONNECTION, region->connection),
	     false);
	for (unsigned i = 0; i < REGION_TABLES; i++) {
		struct capability *caps = region->tables[i];
		if (caps)
			hold(unit, virt_to_phys(caps), 1);
		for (unsigned j = 0; caps && j < CAPS_PER_PAGE; j++) {
			uint64_t at = region->base + (i * CAPS_PER_PAGE + j) * PAGE_SIZE;
			same("region: where it is", at, caps[j].space == unit && !caps[j].slot, true);
			if (!caps[j].object)
				continue;
			same("region: mapped there", at, caps[j].mapped_at, at);
			audit_capability(&caps[j], at);
		}
	}
}

static void audit_unit(const void *object)
{
	struct unit *unit = (struct unit *)object;
	uint64_t used = 0, id = unit->object.id;
	hold(unit, virt_to_phys(unit), 1);
	for (unsigned slot = 0; slot < unit->caps.slots; slot++) {
		used += audit_slot(unit, slot);
		if (slot % CAPS_PER_PAGE)
			continue;
		hold(unit, virt_to_phys(unit->caps.pages[slot / CAPS_PER_PAGE]), 1);
		same("unit: summary of empty slots", id, unit->caps.summary >> slot / CAPS_PER_PAGE & 1,
		     unit->caps.free[slot / CAPS_PER_PAGE] != 0);
	}
	same("unit: slots in use", id, unit->caps.used, used);
	arch_space_each(&unit->space, unit, hold);
	for (const struct region *region = unit->regions; region; region = region->next)
		audit_region(unit, region);
	if (unit->parent)
		unit->parent->tally[TALLY_FRAMES] += unit->budget;
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		(void)count(&unit->slabs[i].partial, id);
}

static void audit_object(struct object *object)
{
	static void (*const rest[TSS_TYPE_COUNT])(const void *object) = {
		[TSS_TYPE_UNIT] = audit_unit, [TSS_TYPE_THREAD] = audit_thread, [TSS_TYPE_SCHED] = audit_sched,
		[TSS_TYPE_PORT] = audit_port, [TSS_TYPE_REPLY] = audit_reply,   [TSS_TYPE_MEMORY] = audit_memory};
	const struct capability *original = object->original;
	same("object: original", object->id, original && original->object == object, true);
	audit.balance[ORIGINALS]--;
	if (object->payer && object->type != TSS_TYPE_UNIT && object->type != TSS_TYPE_SYSTEM)
		hold_item(object->payer, object);
	audit_pointers(object);
	if (rest[object->type])
		rest[object->type](object);
}

static void audit_tables(void)
{
	LINK_FOR_EACH(const struct syscall_table, table, &syscall_tables, all) {
		uint64_t users = 0;
		OBJECTS_OF(UNIT, unit, unit)
			users += (unit->table == table) + 0u + (unit->sealed_table == table);
		same("table of calls: users", table->id, table->users, users);
		hold(table->payer, virt_to_phys(table), 1);
	}
}

static void audit_queues(const struct cpu *cpu)
{
	const struct run_queue *run_queue = &cpu->run_queue;
	const struct wheel *wheel = &cpu->wheel;
	for (unsigned i = 0; i < PRIORITIES; i++) {
		uint64_t word = run_queue->occupied[i / 64];
		same("run queue: bits", i, word >> i % 64 & 1, !link_empty(&run_queue->queues[i]));
		same("run queue: summary", i, run_queue->summary >> i / 64 & 1, word != 0);
		audit.balance[READY] += count(&run_queue->queues[i], i);
	}
	for (unsigned i = 0; i < TIMER_LEVELS * TIMER_SLOTS; i++) {
		unsigned level = i / TIMER_SLOTS, slot = i % TIMER_SLOTS;
		const struct link *head = &wheel->slots[level][slot];
		same("timer: bits", i, wheel->occupied[level] >> slot & 1, !link_empty(head));
		audit.balance[TIMEOUTS] += count(head, i);
		LINK_FOR_EACH(const struct timeout, timeout, head, link)
			same("timer: slot", i, timeout->deadline >> level * TIMER_SLOT_BITS & (TIMER_SLOTS - 1), slot);
	}
	audit.balance[TIMEOUTS] += count(&wheel->due, 0);
	audit.balance[READY] += cpu->next != NULL;
}

/* Once all is counted. Budgets of children lie within their parents'; the first unit's are all held there are. */
static void audit_sums(void)
{
	static const char *const names[] = {"originals",       "callers",  "free replies", "queued contexts",
					    "parked contexts", "timeouts", "slab items"};
	uint64_t held = frame_count.available, first = 0;
	OBJECTS_OF(UNIT, unit, unit) {
		same("unit: frames used", unit->object.id, unit->used, unit->tally[TALLY_FRAMES]);
		same("unit: pages mapped", unit->object.id, unit->tally[TALLY_MAPPED], 0);
		same("unit: threads", unit->object.id, unit->threads, unit->tally[TALLY_THREADS]);
		same("unit: over its budget", unit->object.id, unit->used > unit->budget, false);
		held += unit->used - (unit->parent ? unit->budget : 0);
		first += unit->parent ? 0 : unit->budget;
	}
	same("frames: free and used", 0, held, first);
	for (unsigned i = 0; i < BALANCES; i++)
		same(names[i], 0, audit.balance[i], 0);
}

bool audit_walk(struct tss_inspect_audit *wrong, uint64_t defect)
{
	if (defect && !defect_plant(defect))
		return false;
	audit.wrong = wrong;
	for (unsigned round = 0; round < 2; round++) {
		audit.again = round;
		__builtin_memset(audit.balance, 0, sizeof(audit.balance));
		OBJECTS_OF(UNIT, unit, unit)
			__builtin_memset(unit->tally, 0, sizeof(unit->tally));
		for (unsigned type = 0; type < TSS_TYPE_COUNT; type++)
			LINK_FOR_EACH(struct object, object, &object_lists[type], all)
				audit_object(object);
		audit_tables();
		frame_each_free(hold);
		EACH_CPU(cpu)
			audit_queues(cpu);
		audit_sums();
	}
	defect_undo();
	return true;
}
