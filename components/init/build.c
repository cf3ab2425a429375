/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - makes the table's objects; each handle is init's own until grant.c moves it.
 *
 * What belongs to init already (its thread, segments, SYSTEM) is not made again: its handle is the slot the plan names,
 * where the kernel has put it. An object that cannot be made costs the instance that pays for it, and nobody else.
 */
#include <tessera/draw.h>
#include "init.h"

#define SCRATCH 0x0000002000000000ull /* where init maps what it fills; nothing else is near */

/* One maker for each type: makes object o for unit `unit`. */
typedef tss_status_t maker_t(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle);

void build_fail(struct build *build, uint32_t instance, const char *what, tss_status_t status)
{
	const char *name = (const char *)build->table->instances[instance].name;
	if (!build->failed[instance] && status == TSS_OK)
		say("unit %.16s does not start: %s\n", name, what);
	else if (!build->failed[instance])
		say("unit %.16s does not start: %s: %s, argument %u\n", name, what, tss_error_name(status),
		    TSS_ARGUMENT(status));
	build->failed[instance] = true;
}

/* Does init have this object from the start? */
static bool is_inherited(const struct tss_table_object *o)
{
	if (o->payer != 0)
		return false;
	if (o->type == TSS_TYPE_MEMORY)
		return o->a != TSS_MEMORY_SECTIONS;
	return o->type == TSS_TYPE_THREAD || o->type == TSS_TYPE_SCHED || o->type == TSS_TYPE_SYSTEM;
}

uint64_t placed(const struct build *build, uint32_t instance, uint64_t address)
{
	return address < TSS_LAYOUT_MOVED ? address + build->moved[instance] : address;
}

static void build_unit(struct build *build, uint32_t object)
{
	uint32_t instance = (uint32_t)build->table->objects[object].a;
	const struct tss_table_instance *i = &build->table->instances[instance];
	uint64_t name[2], handle = TSS_CAP_NULL;
	memcpy(name, i->name, sizeof(name));
	if (i->flags & TSS_INSTANCE_MOVES)
		build->moved[instance] = tss_draw_place(0) * TSS_LAYOUT_MOVED;
	if (instance == 0) {
		handle = TSS_SLOT_UNIT;
	} else {
		const char *what = "unit_create";
		tss_status_t status =
			tss_unit_create(TSS_SLOT_UNIT, i->memory_pages, i->slots, name[0], name[1], &handle);
		if (status == TSS_OK && i->flags & TSS_INSTANCE_VECTORS) {
			what = "unit_vectors";
			status = tss_unit_vectors((cap_t)handle);
		}
		if (status != TSS_OK)
			build_fail(build, instance, what, status);
	}
	build->units[instance] = build->handles[object] = (cap_t)handle;
}

void build_units(struct build *build)
{
	build->units[0] = TSS_SLOT_UNIT;
	for (uint32_t i = 0; i < build->table->header->object_count; i++)
		if (build->table->objects[i].type == TSS_TYPE_UNIT)
			build_unit(build, i);
	for (uint32_t i = 0; i < build->table->header->instance_count; i++)
		if (build->units[i] == TSS_CAP_NULL)
			build_fail(build, i, "the table makes no unit", TSS_OK);
}

static tss_status_t make_thread(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	const struct tss_table_instance *i = &build->table->instances[o->payer];
	return tss_thread_create(unit, placed(build, o->payer, i->entry), placed(build, o->payer, i->stack_top),
				 i->ipc_page, i->argument, handle);
}

static tss_status_t make_sched(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	const struct tss_table_instance *i = &build->table->instances[o->payer];
	tss_status_t status = tss_sched_create(TSS_SLOT_SYSTEM, unit, i->priority, i->slice_us, handle);
	if (status == TSS_OK && o->b != 0)
		status = tss_sched_configure(TSS_SLOT_SYSTEM, (cap_t)*handle, i->priority | (uint64_t)i->slice_us << 32,
					     o->b, o->c);
	return status == TSS_OK ? place_later(build, o, (cap_t)*handle) : status;
}

static tss_status_t make_port(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	(void)build;
	return tss_port_create(unit, o->a, handle);
}

static tss_status_t make_reply(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	return tss_reply_create(build->handles[o->a], unit, handle);
}

static tss_status_t make_connection(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	return tss_connection_create(build->handles[o->a], unit, o->b, o->c, handle);
}

static tss_status_t make_event(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	(void)build, (void)o;
	return tss_event_create(unit, handle);
}

static tss_status_t make_irq(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	(void)build, (void)unit;
	return tss_irq_create(TSS_SLOT_SYSTEM, o->a, handle);
}

static tss_status_t make_ioport(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	(void)unit;
	if (o->c != 0)
		return firmware_ioport(build, o, handle);
	return tss_ioport_create(TSS_SLOT_SYSTEM, o->a, o->b, handle);
}

/* Fresh frames with the section's bytes in them; they are the unit's, but mapped in init while it fills them. */
static tss_status_t copy_section(struct build *build, uint32_t section, cap_t unit, uint64_t *handle)
{
	const struct tss_bundle_section *s = &build->table->sections[section];
	tss_status_t status = tss_memory_create(unit, s->memory_size / TSS_PAGE_SIZE, handle);
	if (status != TSS_OK || s->size == 0)
		return status;
	status = tss_unit_map(TSS_SLOT_UNIT, (cap_t)*handle, SCRATCH, TSS_RIGHT_READ | TSS_RIGHT_WRITE);
	if (status != TSS_OK)
		return status;
	memcpy((void *)SCRATCH, build->table->bundle + s->offset, s->size);
	status = tss_unit_unmap(TSS_SLOT_UNIT, (cap_t)*handle);
	if (status != TSS_OK)
		return status;
	/* What a restart fills it with. */
	return tss_memory_template((cap_t)*handle, TSS_SLOT_BUNDLE, s->offset, s->size);
}

/* Whatever is in them: who reads them is to find out, and a damaged section costs only the unit whose it is. */
static tss_status_t slice_sections(const struct table *t, const struct tss_table_object *o, uint64_t *handle)
{
	const struct tss_bundle_section *first = &t->sections[o->b], *last = first + o->c - 1;
	uint64_t bytes = last->offset + last->size - first->offset;
	return tss_memory_slice(TSS_SLOT_BUNDLE, first->offset / TSS_PAGE_SIZE,
				(bytes + TSS_PAGE_SIZE - 1) / TSS_PAGE_SIZE, handle);
}

static tss_status_t make_memory(struct build *build, const struct tss_table_object *o, cap_t unit, uint64_t *handle)
{
	if (o->a == TSS_MEMORY_ZERO)
		return tss_memory_create(unit, o->b | (o->c != 0 ? TSS_MEMORY_IN_A_ROW : 0), handle);
	if (o->a == TSS_MEMORY_DEVICE)
		return tss_memory_device(TSS_SLOT_SYSTEM, o->c, o->b, handle);
	if (o->a == TSS_MEMORY_FIRMWARE)
		return firmware_memory(build, o, unit, handle);
	if (o->a == TSS_MEMORY_SECTIONS)
		return slice_sections(build->table, o, handle);
	if (!section_good(build, (uint32_t)o->b)) {
		build_fail(build, o->payer, "a section of it is damaged", TSS_OK);
		return TSS_STATUS(TSS_E_ARGUMENT, 0);
	}
	if (o->a == TSS_MEMORY_COPIED)
		return copy_section(build, (uint32_t)o->b, unit, handle);
	const struct tss_bundle_section *s = &build->table->sections[o->b];
	return tss_memory_slice(TSS_SLOT_BUNDLE, s->offset / TSS_PAGE_SIZE, s->memory_size / TSS_PAGE_SIZE, handle);
}

static void build_object(struct build *build, uint32_t object)
{
	static maker_t *const makers[TSS_TYPE_COUNT] = {
		[TSS_TYPE_THREAD] = make_thread,
		[TSS_TYPE_SCHED] = make_sched,
		[TSS_TYPE_PORT] = make_port,
		[TSS_TYPE_REPLY] = make_reply,
		[TSS_TYPE_CONNECTION] = make_connection,
		[TSS_TYPE_EVENT] = make_event,
		[TSS_TYPE_MEMORY] = make_memory,
		[TSS_TYPE_IRQ] = make_irq,
		[TSS_TYPE_IOPORT] = make_ioport,
	};
	const struct tss_table_object *o = &build->table->objects[object];
	if (is_inherited(o)) {
		build->handles[object] = table_original(build->table, object)->slot;
		return;
	}
	uint64_t handle = TSS_CAP_NULL;
	if (makers[o->type] == NULL || build->units[o->payer] == TSS_CAP_NULL)
		return;
	tss_status_t status = makers[o->type](build, o, build->units[o->payer], &handle);
	build->handles[object] = (cap_t)handle;
	build->absent[object] = status == TSS_OK && handle == TSS_CAP_NULL;
	if (status != TSS_OK)
		build_fail(build, o->payer, tss_type_name(o->type), status);
}

void build_objects(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++)
		if (build->table->objects[i].type != TSS_TYPE_UNIT)
			build_object(build, i);
}
