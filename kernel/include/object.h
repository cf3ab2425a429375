/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.h - what every kernel object begins with, and the slabs they are made from.
 *
 * An object is paid for by one unit and named by capabilities. Exactly one of these is the original; the object lives
 * until its original is deleted, which first deletes everything derived from it. No reference counts.
 */
#pragma once
#include <link.h>

struct unit;
struct capability;

struct object {
	uint8_t type;     /* enum tss_type */
	uint8_t revoking; /* not 0: a revoke in slices is under way, copies are refused; how often yet, or REVOKE_SEALED (capability.h) */
	uint32_t id;  /* from 1, never reused */
	struct unit *payer;
	struct link all; /* in object_lists[type] */
	struct capability *original;
};

extern struct link object_lists[TSS_TYPE_COUNT];
/* Every object of a type, in order of creation: OBJECTS_OF(PORT, port, each). */
#define OBJECTS_OF(TYPE, type, each) LINK_FOR_EACH(struct type, each, &object_lists[TSS_TYPE_##TYPE], object.all)

void object_init_lists(void);
/* Zeroed, from payer's slabs, header filled and listed. NULL: payer's budget is used up. */
void *object_alloc(struct unit *payer, uint8_t type);
bool object_lighten(struct object *object, unsigned *left); /* a slice before that; false: there is more to do */
/* Its original has been deleted: what ends with an object of its type, then its memory. */
void object_destroy(struct object *object);
#define OBJECT(number, name, lower, rights, text) \
	void lower##_destroy(void *object);                                                                            \
	bool lower##_lighten(void *object, unsigned *left);
#include <abi/objects.def>
#undef OBJECT
/* For objects that bring their own memory (units, the system object). */
void object_register(struct object *object, uint8_t type, struct unit *payer);
const struct object *object_at(uint8_t type, uint64_t index);   /* in order of creation; for inspection only */

#define SLAB_CLASSES 7
struct slab { /* at the start of the page; items follow at the end, so that they are aligned to 64 */
	struct link link; /* in the class's partial list while there is room */
	struct slab_item *free;
	uint32_t magic;
	uint16_t used, untouched;
	uint16_t class_index;
	uint16_t seen; /* used items that an audit has found; 0 between audits */
};
struct slab_class {
	struct link partial; /* pages with room */
};
void slab_init(struct slab_class classes[SLAB_CLASSES]);
void *slab_alloc(struct unit *payer, size_t size); /* zeroed; NULL: payer's budget is used up */
void slab_free(struct unit *payer, void *pointer, size_t size);
