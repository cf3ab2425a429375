/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.c - the kernel tells what is: records for system_inspect. It walks
 * the tables themselves and shares nothing with whoever filled them.
 */
#include <audit.h>
#include <enabled.h>
#include <frame.h>
#include <config_text.h>
#include <irq.h>
#include <log.h>
#include <memory.h>
#include <port.h>
#include <syscall.h>

union record {
	struct tss_inspect_unit unit;
	struct tss_inspect_thread thread;
	struct tss_inspect_capability capability;
	struct tss_inspect_connection connection;
	struct tss_inspect_memory memory;
	struct tss_inspect_irq irq;
	struct tss_inspect_config config;
	struct tss_inspect_log log;
	struct tss_inspect_counters counters;
	struct tss_inspect_machine machine;
	struct tss_inspect_audit audit;
	uint64_t words[TSS_MESSAGE_WORDS];
};

struct query {
	const void *object; /* that the record is about, for inspectors of a type of objects */
	uint64_t index, detail, next;
};

/* Records are filled in the order of inspect.h, and each field, so that one that is new there is not forgotten here. */
static bool inspect_unit(struct query *query, union record *out)
{
	const struct unit *unit = query->object;
	const uint64_t parent = unit->parent ? unit->parent->object.id : 0;
	out->unit = (struct tss_inspect_unit){unit->object.id, {0},           unit->state,      unit->budget,
					      unit->used,      unit->threads, unit->caps.slots, unit->caps.used,
					      parent,          unit->sealed,  unit->restarts};
	__builtin_memcpy(out->unit.name, unit->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_thread(struct query *query, union record *out)
{
	const struct thread *thread = query->object;
	const struct sched *home = thread->home;
	out->thread = (struct tss_inspect_thread){.id = thread->object.id,
						  .unit = thread->unit->object.id,
						  .state = thread->state,
						  .switches = thread->switches,
						  .ip = thread->frame.rip,
						  .cpu = thread->cpu->index};
	if (thread->cpu->current == thread)
		out->thread.state = TSS_THREAD_RUNNING;
	if (home) {
		uint64_t per_ms = arch_tsc_per_ms(), charged = sched_charged(home);
		out->thread.priority = home->priority;
		out->thread.slice_us = home->slice_us;
		out->thread.time_us = charged / per_ms * 1000 + charged % per_ms * 1000 / per_ms;
	}
	__builtin_memcpy(out->thread.unit_name, thread->unit->name, TSS_NAME_SIZE);
	return true;
}

struct detail {
	uint64_t a, b, c;
};

/* The type-dependent fields: see inspect.h. */
static struct detail detail_of(const struct capability *cap)
{
/* Safety: only used where cap->type says so. */
#define AS(type) ((const struct type *)cap->object)
	switch (cap->type) {
	case TSS_TYPE_THREAD:
		return (struct detail){AS(thread)->unit->object.id, 0, 0};
	case TSS_TYPE_SCHED:
		return (struct detail){AS(sched)->priority, AS(sched)->slice_us, 0};
	case TSS_TYPE_PORT:
		return (struct detail){cap->object->payer->object.id, AS(port)->depth, 0};
	case TSS_TYPE_CONNECTION:
		return (struct detail){AS(connection)->target->object.id, AS(connection)->badge,
				       AS(connection)->target->object.payer->object.id};
	case TSS_TYPE_REPLY:
		return (struct detail){AS(reply)->port->object.id, 0, 0};
	case TSS_TYPE_MEMORY:
		return (struct detail){AS(memory)->pages, memory_frame(AS(memory), 0).raw, cap->mapped_at};
	case TSS_TYPE_IRQ:
		return (struct detail){AS(irq)->line, 0, 0};
	case TSS_TYPE_IOPORT:
		return (struct detail){AS(ioport)->base, AS(ioport)->count, 0};
	}
	return (struct detail){0};
#undef AS
}

/* First full slot at or after index; NULL: none. */
static const struct capability *next_capability(const struct unit *unit, uint64_t index)
{
	for (; index < unit->caps.slots; index++) {
		const struct capability *cap = cspace_slot(unit, index);
		if (cap && cap->object)
			return cap;
	}
	return NULL;
}

static bool inspect_capability(struct query *query, union record *out)
{
	const struct unit *unit = (const struct unit *)object_find(TSS_TYPE_UNIT, query->detail);
	const struct capability *cap = unit ? next_capability(unit, query->index) : NULL;
	if (!cap)
		return false;
	const struct detail detail = detail_of(cap);
	out->capability = (struct tss_inspect_capability){cap->slot,  cap->generation, cap->type,     cap->rights,
							  cap->depth, cap->object->id, detail.a,      detail.b,
							  detail.c,   cap->protection, cap->exercised};
	const struct capability *next = next_capability(unit, cap->slot + 1u);
	query->next = next ? next->slot : 0;
	return true;
}

static bool inspect_connection(struct query *query, union record *out)
{
	const struct connection *connection = query->object;
	out->connection = (struct tss_inspect_connection){connection->object.id,
							  connection->target->object.id,
							  connection->badge,
							  {0},
							  {0},
							  connection->calls,
							  connection->sends,
							  connection->refused,
							  0};
	__builtin_memcpy(out->connection.client, connection->object.payer->name, TSS_NAME_SIZE);
	__builtin_memcpy(out->connection.server, connection->target->object.payer->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_memory(struct query *query, union record *out)
{
	out->memory = (struct tss_inspect_memory){frame_total(), frame_available(), boot_info.image_size / PAGE_SIZE,
						  boot_info.bundle_size / PAGE_SIZE};
	return query->index == 0;
}

static bool inspect_irq(struct query *query, union record *out)
{
	const struct irq *irq = query->object;
	out->irq = (struct tss_inspect_irq){.line = irq->line, .count = irq->count};
	if (irq->event)
		__builtin_memcpy(out->irq.unit, irq->event->object.payer->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_log(struct query *query, union record *out)
{
	uint64_t first = log_first() > query->index ? log_first() : query->index;
	size_t size = log_read(first, out->log.text, sizeof(out->log.text));
	char beyond;
	query->next = log_read(first + size, &beyond, 1) ? first + size : 0;
	return size != 0;
}

static bool inspect_counters(struct query *query, union record *out)
{
	struct tss_inspect_counters *all = &out->counters;
	*all = (struct tss_inspect_counters){.uptime_us = arch_clock_us(),
					     .tsc_per_ms = arch_tsc_per_ms(),
					     .entry_tsc = boot_info.entry_tsc,
					     .init_tsc = boot_info.init_tsc,
					     .cpus = cpu_count};
	for
		EACH_CPU(cpu)
		{
			all->syscalls_denied += cpu->syscalls_denied;
			all->interrupts += cpu->interrupts;
			all->fast_calls += cpu->fast_calls;
			all->slow_calls += cpu->slow_calls;
			all->faults += cpu->faults;
			all->timer_interrupts += cpu->timer_interrupts;
			all->exclusives += cpu->exclusives;
		}
	OBJECTS_OF(THREAD, thread, thread)
		out->counters.switches += thread->switches;
	return query->index == 0;
}

static bool inspect_config(struct query *query, union record *out)
{
	query->next = config_text(query->index, out->config.text, sizeof(out->config.text));
	return query->next != CONFIG_TEXT_NONE;
}

static bool inspect_machine(struct query *query, union record *out)
{
	out->machine = boot_info.machine;
	return query->index == 0;
}

static bool inspect_audit(struct query *query, union record *out)
{
	bool walked = query->index == 0 && audit_walk(&out->audit, query->detail);
	query->next = out->audit.what[0] != 0;
	return walked;
}

/* Records about all objects of a type come in the order of these; otherwise `inspect` finds the record by itself. */
static const struct {
	uint8_t type;
	bool (*inspect)(struct query *query, union record *out); /* false: there is none of that index */
} inspectors[] = {
	[TSS_INSPECT_UNIT] = {TSS_TYPE_UNIT, inspect_unit},
	[TSS_INSPECT_THREAD] = {TSS_TYPE_THREAD, inspect_thread},
	[TSS_INSPECT_CAPABILITY] = {TSS_TYPE_NONE, inspect_capability},
	[TSS_INSPECT_CONNECTION] = {TSS_TYPE_CONNECTION, inspect_connection},
	[TSS_INSPECT_MEMORY] = {TSS_TYPE_NONE, inspect_memory},
	[TSS_INSPECT_IRQ] = {TSS_TYPE_IRQ, inspect_irq},
	[TSS_INSPECT_CONFIG] = {TSS_TYPE_NONE, inspect_config},
	[TSS_INSPECT_LOG] = {TSS_TYPE_NONE, inspect_log},
	[TSS_INSPECT_COUNTERS] = {TSS_TYPE_NONE, inspect_counters},
	[TSS_INSPECT_MACHINE] = {TSS_TYPE_NONE, inspect_machine},
	[TSS_INSPECT_AUDIT] = {TSS_TYPE_NONE, IS_ENABLED(CONFIG_AUDIT) ? inspect_audit : NULL},
};

static bool find_object(struct query *query, uint8_t type)
{
	const struct object *object = object_at(type, query->index);
	query->object = object;
	query->next = object && object->all.next != &object_lists[type] ? query->index + 1 : 0;
	return object;
}

status_t sys_system_inspect(struct thread *self, struct capability *cap)
{
	union record record;
	struct query query = {.index = ARG3(self), .detail = ARG4(self)};
	uint64_t what = ARG2(self);
	__builtin_memset(&record, 0, sizeof(record));
	if (what >= COUNT_OF(inspectors) || !inspectors[what].inspect)
		return ERR(ARGUMENT, 2);
	if (inspectors[what].type != TSS_TYPE_NONE && !find_object(&query, inspectors[what].type))
		return ERR(ARGUMENT, 3);
	if (!inspectors[what].inspect(&query, &record))
		return ERR(ARGUMENT, 3);
	__builtin_memcpy(self->ipc->recv, &record, sizeof(record));
	return syscall_value(self, query.next);
}
