/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - who does what: the parent (fuzz.c, child.c) makes one child after the other and outlives them; a child runs
 * hostile_main() in some threads until it has made its calls, or has come to grief.
 */
#pragma once
#include <tessera/table.h>
#include <abi/inspect.h>
#include <tessera/tessera.h>

#define SELF TSS_SLOT_UNIT
#define SYSTEM TSS_SLOT_SYSTEM
#define GIVEN_FIRST 16u /* where a child finds what it is given; below lies what it stands on */
#define GIVEN_MAX 16u
#define CHILD_SLOTS 128u
#define CHILD_PRIORITY 80u
#define SLICE_US 1000u

/* The parent says what the child shall do; both have it in their data, each its own. */
struct order {
	uint64_t seed, calls; /* as many calls of all threads together */
	uint64_t trace; /* from this call on each is printed; ~0: none is */
};
extern struct order order;
extern volatile uint64_t calls_made[3]; /* how many; and bit n from the second word on: call 0x1000 + n has succeeded */

void hostile_start(void); /* where threads of a child begin; argument: number of the thread */

struct child {
	cap_t unit, thread, sched[2], data, stack;
};
/* A new child with a copy of our data as it is now, not running yet. False: something is missing. */
bool child_new(struct child *child);
/* An empty slot from GIVEN_FIRST on gets a copy, with the same rights. Not, if we may not. */
void child_give(const struct child *child, unsigned place, cap_t cap);
void child_end(const struct child *child); /* the unit and all it had are gone */
void children_init(void);
/* Address of what is at `ours` in the child's data, for us to read. */
const volatile uint64_t *child_view(const struct child *child, const volatile uint64_t *ours);
void child_blind(void);

extern cap_t output_port; /* COM2, where printf goes */
