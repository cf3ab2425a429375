/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - from the bundle's bytes to a table that the rest of init may follow blindly.
 *
 * Nothing is believed: every offset, count, index, slot, right and address is compared with its range before anything
 * is built. The arithmetic is on 64-bit values that were bounded first, so it cannot wrap.
 */
#include <abi/hash.h>
#include "init.h"

static const uint16_t valid_rights[TSS_TYPE_COUNT] = {
#define OBJECT(number, name, lower, rights, text) [number] = (rights),
#include <abi/objects.def>
#undef OBJECT
};

static bool zero(const uint8_t *p, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* Is the NUL-padded name of 1 or more characters, printable and followed only by NULs? */
static bool name_good(const uint8_t *name, size_t size)
{
	size_t length = strnlen((const char *)name, size);
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return length > 0 && zero(name + length, size - length);
}

static bool section_in_range(const struct table *t, const struct tss_bundle_section *s, uint64_t after)
{
	if (s->offset % TSS_PAGE_SIZE != 0 || s->memory_size % TSS_PAGE_SIZE != 0 || s->offset < after)
		return false;
	if (s->offset > t->size || s->size > t->size - s->offset)
		return false;
	if (s->kind != TSS_SECTION_TABLE && s->size > s->memory_size)
		return false;
	return s->memory_size < 1ull << 40 && name_good(s->name, sizeof(s->name));
}

static bool sections_good(const struct table *t)
{
	uint64_t after = sizeof(struct tss_bundle_header) + t->section_count * sizeof(struct tss_bundle_section);
	for (uint32_t i = 0; i < t->section_count; i++) {
		const struct tss_bundle_section *s = &t->sections[i];
		if (!section_in_range(t, s, after))
			return false;
		after = s->offset + s->size;
	}
	return true;
}

static bool take_arrays(struct table *t, const struct tss_bundle_section *s)
{
	const struct tss_table_header *h = (const void *)(t->bundle + s->offset);
	if (s->size < sizeof(*h) || h->magic != TSS_TABLE_MAGIC || h->guard_count > h->object_count)
		return false;
	if (h->instance_count == 0 || h->instance_count > INSTANCES_MAX || h->object_count > OBJECTS_MAX ||
	    h->grant_count > GRANTS_MAX || (h->flags & ~TSS_TABLE_DUMP) != 0)
		return false;
	t->header = h;
	t->instances = (const void *)(h + 1);
	t->objects = (const void *)(t->instances + h->instance_count);
	t->grants = (const void *)(t->objects + h->object_count);
	t->guards = (const void *)(t->grants + h->grant_count);
	return s->size == (uint64_t)((const uint8_t *)(t->guards + h->guard_count) - (const uint8_t *)h);
}

bool table_read(struct table *t, const void *bundle, uint64_t size)
{
	const struct tss_bundle_header *h = bundle;
	if (size < sizeof(*h) || size % TSS_PAGE_SIZE != 0 || memcmp(h->magic, TSS_BUNDLE_MAGIC, sizeof(h->magic)) != 0)
		return false;
	if (h->abi_version != TSS_ABI_VERSION || h->size != size || h->section_count > TSS_BUNDLE_SECTIONS_MAX)
		return false;
	if (size - sizeof(*h) < h->section_count * sizeof(struct tss_bundle_section))
		return false;
	*t = (struct table){
		.bundle = bundle, .size = size, .sections = (const void *)(h + 1), .section_count = h->section_count};
	if (!sections_good(t))
		return false;
	for (uint32_t i = 0; i < t->section_count; i++)
		if (t->sections[i].kind == TSS_SECTION_TABLE)
			return take_arrays(t, &t->sections[i]);
	return false;
}

static bool instance_good(const struct tss_table_instance *instance)
{
	return name_good(instance->name, sizeof(instance->name)) &&
	       name_good(instance->component, sizeof(instance->component)) &&
	       (instance->flags & ~(TSS_INSTANCE_VECTORS | TSS_INSTANCE_MOVES)) == 0 && instance->slots > 0 &&
	       instance->slots <= TSS_SLOTS_MAX && instance->reserved == 0;
}

static bool monitor_good(const struct table *t, uint32_t instance)
{
	uint32_t monitor = t->instances[instance].monitor;
	if (monitor == TSS_NO_OBJECT)
		return true;
	return monitor < t->header->object_count && t->objects[monitor].type == TSS_TYPE_CONNECTION &&
	       t->objects[monitor].payer == instance;
}

static bool refers(const struct table *t, uint32_t self, uint64_t index, uint32_t type)
{
	return index < self && t->objects[index].type == type;
}

static bool memory_good(const struct table *t, const struct tss_table_object *o)
{
	if (o->a == TSS_MEMORY_ZERO || o->a == TSS_MEMORY_DEVICE)
		return o->b > 0 && o->b < 1ull << 28 && (o->a == TSS_MEMORY_DEVICE || o->c <= 1);
	if (o->a == TSS_MEMORY_FIRMWARE)
		return o->b > 0 && o->b < 1ull << 28 && o->c >= TSS_FIRMWARE_FACTS && o->c <= TSS_FIRMWARE_DSDT;
	if (o->a == TSS_MEMORY_SECTIONS)
		return o->c > 0 && o->b < t->section_count && o->c <= t->section_count - o->b;
	if (o->a != TSS_MEMORY_MAPPED && o->a != TSS_MEMORY_COPIED)
		return false;
	if (o->b >= t->section_count)
		return false;
	const struct tss_bundle_section *s = &t->sections[o->b];
	if (s->kind == TSS_SECTION_TABLE || s->memory_size == 0)
		return false;
	return o->a == TSS_MEMORY_COPIED || (s->memory_size <= t->size - s->offset && !(s->flags & TSS_SECTION_WRITE));
}

static bool object_good(const struct table *t, uint32_t index)
{
	const struct tss_table_object *o = &t->objects[index];
	if (o->type == TSS_TYPE_NONE || o->type >= TSS_TYPE_COUNT || o->payer >= t->header->instance_count)
		return false;
	switch (o->type) {
	case TSS_TYPE_UNIT:
		return o->a < t->header->instance_count;
	case TSS_TYPE_REPLY:
	case TSS_TYPE_CONNECTION:
		return refers(t, index, o->a, TSS_TYPE_PORT);
	case TSS_TYPE_IOPORT:
		return o->c == 0 || (o->a == 0 && o->c >= TSS_FIRMWARE_PM1A && o->c < TSS_FIRMWARE_COUNT);
	case TSS_TYPE_MEMORY:
		return memory_good(t, o);
	}
	return true;
}

static bool grant_good(const struct table *t, const struct tss_table_grant *g)
{
	if (g->instance >= t->header->instance_count || g->object >= t->header->object_count || g->original > 1)
		return false;
	uint32_t type = t->objects[g->object].type;
	if (g->slot == 0 || g->slot >= t->instances[g->instance].slots ||
	    (g->rights & ~(uint32_t)valid_rights[type]) != 0)
		return false;
	if (type == TSS_TYPE_CONNECTION)
		return (g->address == 0) == (g->protection == 0) && g->address % TSS_PAGE_SIZE == 0;
	if ((g->protection & ~(uint32_t)(TSS_RIGHT_READ | TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE)) != 0 ||
	    (g->protection & (TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE)) == (TSS_RIGHT_WRITE | TSS_RIGHT_EXECUTE))
		return false;
	return g->address == 0 || (type == TSS_TYPE_MEMORY && g->address % TSS_PAGE_SIZE == 0);
}

static bool guard_good(const struct table *t, uint32_t index)
{
	const struct tss_table_guard *g = &t->guards[index];
	if (g->object >= t->header->object_count || g->mode > TSS_MODE_PARANOID || g->shares > 1 || g->reserved != 0)
		return false;
	if (index > 0 && t->guards[index - 1].object >= g->object)
		return false;
	if (t->objects[g->object].type == TSS_TYPE_PORT)
		return g->methods == 0 && g->interval_us == 0 && g->burst == 0 && g->shares == 0;
	return t->objects[g->object].type == TSS_TYPE_CONNECTION;
}

/* Sorted, no two alike. */
static bool grants_ordered(const struct tss_table_grant *a, const struct tss_table_grant *b)
{
	return a->instance < b->instance || (a->instance == b->instance && a->slot < b->slot);
}

const struct tss_table_grant *table_original(const struct table *t, uint32_t object)
{
	for (uint32_t i = 0; i < t->header->grant_count; i++)
		if (t->grants[i].object == object && t->grants[i].original)
			return &t->grants[i];
	return NULL;
}

static bool originals_good(const struct table *t)
{
	bool found[OBJECTS_MAX] = {false};
	for (uint32_t i = 0; i < t->header->grant_count; i++) {
		if (t->grants[i].original && found[t->grants[i].object])
			return false;
		found[t->grants[i].object] |= t->grants[i].original != 0;
	}
	for (uint32_t object = 0; object < t->header->object_count; object++)
		if (!found[object])
			return false;
	return true;
}

bool table_check(const struct table *t)
{
	for (uint32_t i = 0; i < t->header->instance_count; i++)
		if (!instance_good(&t->instances[i]) || !monitor_good(t, i))
			return false;
	for (uint32_t i = 0; i < t->header->object_count; i++)
		if (!object_good(t, i))
			return false;
	for (uint32_t i = 0; i < t->header->grant_count; i++) {
		if (!grant_good(t, &t->grants[i]))
			return false;
		if (i > 0 && !grants_ordered(&t->grants[i - 1], &t->grants[i]))
			return false;
	}
	for (uint32_t i = 0; i < t->header->guard_count; i++)
		if (!guard_good(t, i))
			return false;
	return originals_good(t);
}
