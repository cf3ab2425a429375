/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schedule.h - what generator and servers/sched agree on: the table of those that a scheduler schedules. It is the
 * scheduler's directory (TSS_SLOT_DIRECTORY, at TSS_LAYOUT_DIRECTORY, read-only), by name; an entry of zeros ends it.
 */
#pragma once
#include <abi/abi.h>

#define TSS_SCHEDULED_MAX 64u /* each has a bit of an event */

struct tss_scheduled { /* 32 bytes */
	uint8_t name[TSS_NAME_SIZE];
	uint32_t sched; /* the scheduler's slot: SCHED with CONTROL; 0 ends the table */
	uint32_t priority, slice_us; /* as the manifest says */
	uint32_t cpu;
};
_Static_assert(sizeof(struct tss_scheduled) == 32, "schedule layout");
