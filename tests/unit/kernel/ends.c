/* SPDX-License-Identifier: BSD-2-Clause */
/* ends.c - object.c knows how objects of all types end, and traces it; a test that cares about a type defines its own. */
#include <event.h>
#include <stdlib.h>
#include <trace.h>

uint64_t trace_mask; /* 0: nothing is recorded, so nobody calls this */
void trace_record(const struct thread *who, enum tss_trace event, const uint64_t arguments[4])
{
	(void)who;
	(void)event;
	(void)arguments;
	abort();
}

#define OBJECT(number, name, lower, rights, text)                                                                      \
	__attribute__((weak)) void lower##_destroy(void *object)                                                       \
	{                                                                                                              \
		(void)object;                                                                                          \
	}                                                                                                              \
	__attribute__((weak)) bool lower##_lighten(void *object, unsigned *left)                                       \
	{                                                                                                              \
		(void)object, (void)left;                                                                              \
		return true;                                                                                           \
	}
#include <abi/objects.def>
#undef OBJECT

/* frame.c signals one when a unit's frames run low. */
__attribute__((weak)) void event_signal(struct event *event, uint64_t bits)
{
	(void)event, (void)bits;
}
