/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c - object headers: identity, payer, and the lists that inspection walks. */
#include <object.h>
#include <unit.h>

struct link object_lists[TSS_TYPE_COUNT];
static uint32_t object_last_id;

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
}

status_t object_alloc(struct unit *payer, uint8_t type, size_t size, void **out)
{
	status_t status = slab_alloc(payer, size, out);
	if (status == TSS_OK)
		object_register(*out, type, payer);
	return status;
}

void object_free(struct object *object, size_t size)
{
	link_remove(&object->all);
	slab_free(object->payer, object, size);
}

struct object *object_find(uint8_t type, uint64_t id)
{
	LINK_FOR_EACH(at, &object_lists[type])
	{
		struct object *object = LINK_ENTRY(at, struct object, all);
		if (object->id == id)
			return object;
	}
	return NULL;
}

struct object *object_at(uint8_t type, uint64_t index)
{
	LINK_FOR_EACH(at, &object_lists[type])
	if (index-- == 0)
		return LINK_ENTRY(at, struct object, all);
	return NULL;
}
