/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.c - the kernel tells what is: records for system_inspect. It walks
 * the tables themselves and shares nothing with whoever filled them.
 */
#include <audit.h>
#include <enabled.h>
#include <frame.h>
#include <irq.h>
#include <log.h>
#include <memory.h>
#include <port.h>
#include <syscall.h>

_Static_assert(sizeof(struct tss_inspect_log) <= TSS_MESSAGE_WORDS * sizeof(uint64_t), "the longest record");

struct query {
	const void *object; /* that the record is about, for inspectors of a type of objects */
	uint64_t index, detail, next;
};

/* Records are filled in the order of inspect.h, and each field, so that one that is new there is not forgotten here. */
static bool inspect_unit(struct query *query, void *record)
{
	const struct unit *unit = query->object;
	const struct syscall_table *table = unit->table;
	const uint64_t parent = unit->parent ? unit->parent->object.id : 0;
	const uint64_t monitor = unit->monitor ? unit->monitor->object.id : 0;
	struct tss_inspect_unit *out = record;
	*out = (struct tss_inspect_unit){
		unit->object.id, {0},    unit->state,  unit->budget,   unit->used,   unit->threads, unit->caps.slots,
		unit->caps.used, parent, unit->sealed, unit->restarts, table->calls, monitor,       table->id};
	__builtin_memcpy(out->name, unit->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_thread(struct query *query, void *record)
{
	const struct thread *thread = query->object;
	const struct sched *home = thread->home;
	struct tss_inspect_thread *out = record;
	*out = (struct tss_inspect_thread){
		thread->object.id, thread->unit->object.id, {0}, thread->state, 0, 0, 0, thread->switches,
		thread->frame.rip, thread->cpu->index,      {0}};
	if (thread->cpu->current == thread)
		out->state = TSS_THREAD_RUNNING;
	if (home) {
		uint64_t per_ms = arch_tsc_per_ms(), charged = sched_charged(home);
		out->priority = home->priority;
		out->slice_us = home->slice_us;
		out->time_us = charged / per_ms * 1000 + charged % per_ms * 1000 / per_ms;
		if (home->budget)
			out->budget = home->budget->told;
	}
	__builtin_memcpy(out->unit_name, thread->unit->name, TSS_NAME_SIZE);
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
		return (struct detail){AS(memory)->pages, memory_frame(AS(memory), 0).raw,
				       arch_space_placed(&cap->space->space, cap->mapped_at)};
	case TSS_TYPE_IRQ:
		return (struct detail){AS(irq)->line, 0, 0};
	case TSS_TYPE_IOPORT:
		return (struct detail){AS(ioport)->base, AS(ioport)->count, 0};
	}
	return (struct detail){0};
#undef AS
}

static bool inspect_capability(struct query *query, void *record)
{
	const struct capability *cap = NULL;
	OBJECTS_OF(UNIT, unit, unit)
		if (unit->object.id == query->detail)
			cap = cspace_next(unit, query->index ? query->index : 1);
	if (!cap)
		return false;
	const struct detail detail = detail_of(cap);
	*(struct tss_inspect_capability *)record = (struct tss_inspect_capability){
		cap->slot, cap->generation, cap->type, cap->rights,     cap->depth,    cap->object->id,
		detail.a,  detail.b,        detail.c,  cap->protection, cap->exercised};
	const struct capability *next = cspace_next(cap->space, cap->slot + 1u);
	query->next = next ? next->slot : 0;
	return true;
}

static bool inspect_connection(struct query *query, void *record)
{
	const struct connection *from = query->object;
	const struct port *to = from->target;
	struct tss_inspect_connection *out = record;
	*out = (struct tss_inspect_connection){
		from->object.id,  to->object.id, from->badge,     {0}, {0}, from->calls, from->sends, from->refused,
		from->guard.mode, from->methods, from->violations};
	__builtin_memcpy(out->client, from->object.payer->name, TSS_NAME_SIZE);
	__builtin_memcpy(out->server, to->object.payer->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_memory(struct query *query, void *record)
{
	*(struct tss_inspect_memory *)record =
		(struct tss_inspect_memory){frame_count.total, frame_count.available, boot_info.image_size / PAGE_SIZE,
					    boot_info.bundle_size / PAGE_SIZE};
	return query->index == 0;
}

static bool inspect_irq(struct query *query, void *record)
{
	const struct irq *irq = query->object;
	struct tss_inspect_irq *out = record;
	*out = (struct tss_inspect_irq){.line = irq->line, .count = irq->count};
	if (irq->event)
		__builtin_memcpy(out->unit, irq->event->object.payer->name, TSS_NAME_SIZE);
	return true;
}

static bool inspect_log(struct query *query, void *record)
{
	uint64_t at = query->index;
	size_t size = log_read(&at, record, sizeof(struct tss_inspect_log));
	query->next = at;
	if (!log_read(&at, &(char){0}, 1))
		query->next = 0;
	return size != 0;
}

static bool inspect_counters(struct query *query, void *record)
{
	struct tss_inspect_counters *out = record;
	*out = (struct tss_inspect_counters){.uptime_us = arch_clock_us(),
					     .tsc_per_ms = arch_tsc_per_ms(),
					     .entry_tsc = boot_info.entry_tsc,
					     .init_tsc = boot_info.init_tsc,
					     .cpus = cpu_count};
	EACH_CPU(cpu) {
		out->syscalls_denied += cpu->syscalls_denied;
		out->interrupts += cpu->interrupts;
		out->fast_calls += cpu->fast_calls;
		out->slow_calls += cpu->slow_calls;
		out->faults += cpu->faults;
		out->timer_interrupts += cpu->timer_interrupts;
		out->exclusives += cpu->exclusives;
	}
	OBJECTS_OF(THREAD, thread, thread)
		out->switches += thread->switches;
	return query->index == 0;
}

static bool inspect_config(struct query *query, void *record)
{
	query->next = config_text(query->index, record, sizeof(struct tss_inspect_config));
	return query->next != CONFIG_TEXT_NONE;
}

static bool inspect_machine(struct query *query, void *record)
{
	__builtin_memcpy(record, &boot_info.machine, sizeof(boot_info.machine));
	return query->index == 0;
}

static bool inspect_audit(struct query *query, void *record)
{
	struct tss_inspect_audit *out = record;
	bool walked = query->index == 0 && audit_walk(out, query->detail);
	query->next = out->what[0] != 0;
	return walked;
}

/* Records about all objects of a type come in the order of these; otherwise `inspect` finds the record by itself. */
static const struct {
	uint8_t type;
	bool (*inspect)(struct query *query, void *record); /* false: there is none of that index */
} inspectors[] = {
	[TSS_INSPECT_UNIT] = {TSS_TYPE_UNIT, inspect_unit},
	[TSS_INSPECT_THREAD] = {TSS_TYPE_THREAD, inspect_thread},
	[TSS_INSPECT_CAPABILITY] = {.inspect = inspect_capability},
	[TSS_INSPECT_CONNECTION] = {TSS_TYPE_CONNECTION, inspect_connection},
	[TSS_INSPECT_MEMORY] = {.inspect = inspect_memory},
	[TSS_INSPECT_IRQ] = {TSS_TYPE_IRQ, inspect_irq},
	[TSS_INSPECT_CONFIG] = {.inspect = inspect_config},
	[TSS_INSPECT_LOG] = {.inspect = inspect_log},
	[TSS_INSPECT_COUNTERS] = {.inspect = inspect_counters},
	[TSS_INSPECT_MACHINE] = {.inspect = inspect_machine},
	[TSS_INSPECT_AUDIT] = {.inspect = IS_ENABLED(CONFIG_AUDIT) ? inspect_audit : NULL},
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
	uint64_t record[TSS_MESSAGE_WORDS] = {0};
	struct query query = {.index = ARG3(self), .detail = ARG4(self)};
	uint64_t what = ARG2(self);
	if (what >= COUNT_OF(inspectors) || !inspectors[what].inspect)
		return ERR(ARGUMENT, 2);
	if ((inspectors[what].type && !find_object(&query, inspectors[what].type)) ||
	    !inspectors[what].inspect(&query, record))
		return ERR(ARGUMENT, 3);
	__builtin_memcpy(self->ipc->recv, record, sizeof(record));
	return syscall_value(self, query.next);
}
