/* SPDX-License-Identifier: BSD-2-Clause */
/* ends.c - object.c knows how objects of all types end; a test that cares about a type defines its own. */
#include <event.h>

#define OBJECT(number, name, lower, rights, text)                                                                      \
	__attribute__((weak)) void lower##_destroy(void *object)                                                       \
	{                                                                                                              \
		(void)object;                                                                                          \
	}
#include <abi/objects.def>
#undef OBJECT

/* frame.c signals one when a unit's frames run low. */
__attribute__((weak)) void event_signal(struct event *event, uint64_t bits)
{
	(void)event, (void)bits;
}
