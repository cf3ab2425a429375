/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.c - kernel objects from pages of one size class that belong to one unit. Pages are never shared between units,
 * so what a unit made can be given back as whole frames, and one unit's objects never lie beside another's.
 */
#include <frame.h>
#include <unit.h>

#define SLAB_MAGIC 0x51ab51abu

static const uint16_t slab_sizes[SLAB_CLASSES] = {64, 128, 192, 320, 576, 1344, 1984};

struct slab_item {
	struct slab_item *next;
};

static unsigned slab_class(size_t size)
{
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		if (size <= slab_sizes[i])
			return i;
	panic("no slab class for %lu bytes", size);
}

static uint16_t slab_capacity(unsigned class_index)
{
	return (uint16_t)((PAGE_SIZE - sizeof(struct slab)) / slab_sizes[class_index]);
}

void slab_init(struct slab_class classes[SLAB_CLASSES])
{
	for (unsigned i = 0; i < SLAB_CLASSES; i++)
		link_init(&classes[i].partial);
}

static struct slab *slab_grow(struct unit *payer, unsigned class_index)
{
	struct slab *slab = frame_alloc(payer);
	if (!slab)
		return NULL;
	slab->magic = SLAB_MAGIC;
	slab->class_index = (uint16_t)class_index;
	slab->untouched = slab_capacity(class_index);
	link_append(&payer->slabs[class_index].partial, &slab->link);
	return slab;
}

/* Zeroed: what nobody has used yet is so since frame_alloc(). */
static void *slab_take(struct slab *slab)
{
	struct slab_item *item = slab->free;
	uint64_t size = slab_sizes[slab->class_index];
	slab->used++;
	if (slab->used == slab_capacity(slab->class_index))
		link_remove(&slab->link);
	if (!item)
		return (char *)slab + PAGE_SIZE - size * slab->untouched--;
	slab->free = item->next;
	return __builtin_memset(item, 0, size);
}

void *slab_alloc(struct unit *payer, size_t size)
{
	unsigned class_index = slab_class(size);
	if (payer->closed)
		return NULL;
	struct slab *slab = LINK_FIRST(&payer->slabs[class_index].partial, struct slab, link);
	if (!slab)
		slab = slab_grow(payer, class_index);
	return slab ? slab_take(slab) : NULL;
}

void slab_free(struct unit *payer, void *pointer, size_t size)
{
	struct slab *slab = (struct slab *)((uint64_t)pointer & ~PAGE_MASK);
	unsigned class_index = slab_class(size);
	if (slab->magic != SLAB_MAGIC || slab->class_index != class_index || slab->used == 0)
		panic("slab of %#lx is damaged", (uint64_t)pointer);
	struct slab_item *item = pointer;
	item->next = slab->free;
	slab->free = item;
	if (slab->used == slab_capacity(class_index))
		link_append(&payer->slabs[class_index].partial, &slab->link);
	if (--slab->used == 0) {
		link_remove(&slab->link);
		slab->magic = 0;
		frame_free(payer, slab);
	}
}
