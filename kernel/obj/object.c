/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c - object headers: identity, payer, the lists that inspection walks, and how objects of each type end. */
#include <irq.h>
#include <memory.h>
#include <port.h>
#include <trace.h>

struct link object_lists[TSS_TYPE_COUNT];
static uint32_t object_last_id;

/*
 * What happens to it when its original is deleted, and bytes of slab that are given back then (units: whole frames). And
 * what takes long and is done before, in slices.
 */
static const struct {
	uint16_t size;
	void (*end)(void *object);
	bool (*lighten)(void *object, unsigned *left);
} types[TSS_TYPE_COUNT] = {
	[TSS_TYPE_UNIT] = {0, unit_destroy, unit_lighten},
	[TSS_TYPE_THREAD] = {sizeof(struct thread), thread_destroy, thread_lighten},
	[TSS_TYPE_SCHED] = {sizeof(struct sched), sched_destroy, sched_lighten},
	[TSS_TYPE_PORT] = {sizeof(struct port), NULL, port_lighten},
	[TSS_TYPE_CONNECTION] = {sizeof(struct connection), connection_destroy, NULL},
	[TSS_TYPE_REPLY] = {sizeof(struct reply), reply_destroy, NULL},
	[TSS_TYPE_EVENT] = {sizeof(struct event), event_destroy, NULL},
	[TSS_TYPE_MEMORY] = {sizeof(struct memory), memory_destroy, memory_lighten},
	[TSS_TYPE_IRQ] = {sizeof(struct irq), irq_destroy, NULL},
	[TSS_TYPE_IOPORT] = {sizeof(struct ioport), NULL, NULL},
};

void object_init_lists(void)
{
	for (unsigned i = 0; i < TSS_TYPE_COUNT; i++)
		link_init(&object_lists[i]);
}

void object_register(struct object *object, uint8_t type, struct unit *payer)
{
	object->type = type;
	object->id = ++object_last_id;
	object->payer = payer;
	link_append(&object_lists[type], &object->all);
	TRACE(CREATE, object->id, type, payer ? payer->object.id : 0);
}

void *object_alloc(struct unit *payer, uint8_t type)
{
	struct object *object = slab_alloc(payer, types[type].size);
	if (object)
		object_register(object, type, payer);
	return object;
}

bool object_lighten(struct object *object, unsigned *left)
{
	return !types[object->type].lighten || types[object->type].lighten(object, left);
}

void object_destroy(struct object *object)
{
	TRACE(DELETE, object->id, object->type, object->payer ? object->payer->object.id : 0);
	if (types[object->type].end)
		types[object->type].end(object);
	if (!types[object->type].size)
		return;
	link_remove(&object->all);
	slab_free(object->payer, object, types[object->type].size);
}

const struct object *object_at(uint8_t type, uint64_t index)
{
	LINK_FOR_EACH(struct object, object, &object_lists[type], all)
		if (index-- == 0)
			return object;
	return NULL;
}
