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
/* NONE: it is built, or runs. END, of one that has ended: not yet with all it has; CLEAR: that is done. The rest are a restart's. */
enum unit_stage { UNIT_STAGE_NONE, UNIT_STAGE_END, UNIT_STAGE_CLEAR, UNIT_STAGE_RENEW, UNIT_STAGE_START };
enum unit_state { UNIT_BUILDING = 0, UNIT_RUNNING = 1, UNIT_ENDED = 2, UNIT_DEAD = 3 };

struct unit {
	struct object object;
	const struct syscall_table *table; /* hot: what its system calls do */
	struct cspace caps;
	struct arch_space space;
	char name[TSS_NAME_SIZE];
	uint8_t state;   /* enum unit_state */
	bool scrubs;     /* it has, or had, a connection that is not FAST, at either end: what it frees is filled */
	bool closed;     /* it is not whole yet, or being deleted: it pays for nothing, and gets no capabilities */
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
	uint64_t memories;               /* capabilities to memory that it ever got */
	bool sealed;
	uint64_t restarts;
	uint8_t stage;                     /* enum unit_stage: what is under way, slice by slice */
	uint64_t slot, page;               /* how far a seal, a restart or a deletion has come with the slots; of its memory */
	unsigned type;                     /* and with what it has paid for */
	uint32_t seen;                     /* id of the last reply or event that was seen to; 0: none yet */
	uint64_t code;                     /* that it ends with */
	bool told;                         /* its supervisor has been */
	struct thread *last;               /* while it ends: of its own, who began that and ends last; or NULL */
	struct slab_class slabs[SLAB_CLASSES];
	uint64_t tally[3];                 /* TALLY_*: what an audit has found to be the unit's */
};
_Static_assert(sizeof(struct unit) <= PAGE_SIZE, "a unit is one frame");

struct bundle;
void init_build(const struct bundle *bundle); /* the first unit, its thread ready; panics if it cannot */
/* Closed, with the first slots. Panics if the pages are too few for that; parent has been charged, NULL: it is the first. */
struct unit *unit_build(struct unit *parent, uint64_t pages);
/* ---- unit_end.c: in slices of `left` things of a few hundred instructions each; false: there are more ---- */
/*
 * From now on it ends, with that code for its supervisor: every thread, then what clients wait for. Ports of a sealed unit
 * are down until it is restarted, those of others dead; `for_good`: those, too. Harmless if it ends already. `by`: one of
 * its own threads, which does not run any more, but sees to it that the end goes on; or NULL.
 */
void unit_end(struct unit *unit, uint64_t code, bool for_good, struct thread *by);
bool unit_ended(struct unit *unit, unsigned *left); /* a slice of that */
/* ---- unit_delete.c ---- */
/*
 * One slice of deleting `unit`: TSS_OK when it is empty and its original may be deleted, AGAIN while there is more to
 * do, BUSY (argument 1) if self runs in it or below it or it is the first unit, SLOTS if self has no slot for the
 * original of another unit that it held. With `strip`, for a restart: what is sealed in it stays, and nothing is told;
 * child units go whole.
 */
MUST_CHECK status_t unit_clear_slice(struct thread *self, struct unit *unit, bool strip, unsigned *left);
ALWAYS_INLINE void unit_stage(struct unit *unit, enum unit_stage stage)
{
	unit->stage = (uint8_t)stage;
	unit->slot = unit->type = 1;
	unit->page = unit->seen = 0;
}
/* ---- table.c: tables are counted, and shared by units of one parent, who pays ---- */
const struct syscall_table *table_keep(const struct syscall_table *table); /* used once more; returns it */
void table_put(const struct syscall_table *table);                         /* once less; NULL is fine */
void table_use(struct unit *unit, const struct syscall_table *table);      /* kept for this */
#define UNIT_CODE_KILLED 0x200u       /* what the supervisor is told: exit codes are below 0x100, faults 0x100 | kind */
#define UNIT_CODE_FAULT 0x100u
bool unit_range_valid(uint64_t address, uint64_t size); /* page-aligned and in user space */
