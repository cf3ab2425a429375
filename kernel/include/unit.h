/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - the protection domain: one address space, one capability space, one memory budget, its threads. */
#pragma once
#include <arch.h>
#include <capability.h>

struct syscall_table;
struct thread;
struct connection;
struct region;
struct event;

enum { TALLY_FRAMES, TALLY_MAPPED, TALLY_THREADS };
enum unit_state { UNIT_BUILDING = 0, UNIT_RUNNING = 1, UNIT_ENDED = 2, UNIT_DEAD = 3 };

struct unit {
	struct object object;
	const struct syscall_table *table; /* hot: what its system calls do */
	struct cspace caps;
	struct arch_space space;
	char name[TSS_NAME_SIZE];
	uint8_t state; /* enum unit_state */
	uint32_t threads;                /* not ended */
	uint64_t budget, used;           /* frames; `used` includes the budgets of child units */
	struct unit *parent;
	struct connection *supervisor;   /* where faults and the end are told; NULL: nobody */
	struct connection *fault_port;   /* where its threads' faults are calls; NULL: nowhere */
	struct event *low_event;         /* gets low_bits whenever fewer than `low` frames are left; 0: nobody cares */
	uint64_t low_bits, low;
	uint64_t kept;                   /* the last frames, not for memory objects but for kernel objects and tables */
	struct region *regions;          /* whose pages a pager supplies (pager.h) */
	bool vectors;                    /* its next threads have vector registers */
	struct connection *monitor;      /* who is asked about some of its calls; NULL: they all fail */
	const struct syscall_table *sealed_table; /* NULL, or what a restart gives back */
	bool sealed;
	uint64_t restarts;
	uint64_t refill_slot, refill_page; /* how far a restart has come with the memory */
	struct slab_class slabs[SLAB_CLASSES];
	uint64_t tally[3];                 /* TALLY_*: what an audit has found to be the unit's */
};
_Static_assert(sizeof(struct unit) <= PAGE_SIZE, "a unit is one frame");

struct bundle;
void init_build(const struct bundle *bundle); /* the first unit, its thread ready; panics if it cannot */
/* Panics if the pages are too few for what every unit has; parent has been charged, NULL: it is the first. */
struct unit *unit_build(struct unit *parent, uint64_t pages, uint64_t slots);
/*
 * End every thread; the supervisor is told the code. Ports of a sealed unit are down until it is restarted, those of
 * others dead.
 */
void unit_end(struct unit *unit, uint64_t code);
/*
 * One slice of deleting `unit`: TSS_OK when it is empty and its original may be deleted, AGAIN while there is more to
 * do, BUSY (argument 1) if self runs in it or below it or it is the first unit, SLOTS if self has no slot for the
 * original of another unit that it held. With `strip`, for a restart: what is sealed in it stays, and nothing is told;
 * child units go whole.
 */
MUST_CHECK status_t unit_clear_slice(struct thread *self, struct unit *unit, bool strip);
/* ---- table.c: tables are counted, and shared by units of one parent, who pays ---- */
const struct syscall_table *table_keep(const struct syscall_table *table); /* used once more; returns it */
void table_put(const struct syscall_table *table);                         /* once less; NULL is fine */
void table_use(struct unit *unit, const struct syscall_table *table);      /* kept for this */
#define UNIT_CODE_KILLED 0x200u       /* what the supervisor is told: exit codes are below 0x100, faults 0x100 | kind */
#define UNIT_CODE_FAULT 0x100u
bool unit_range_valid(uint64_t address, uint64_t size); /* page-aligned and in user space */
