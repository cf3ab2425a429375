/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capability.h - a slot of a capability space, and what can be done with it.
 *
 * Life of a slot: empty -> (place, derive) full -> (delete, move away) empty with generation + 1. Full slots that
 * descend from one original form a list in pre-order: the descendants of a capability are the entries that follow it
 * with a greater depth.
 */
#pragma once
#include <enabled.h>
#include <object.h>

/* A sealed capability belongs to what a restart of its unit gives back (unit_seal); its holder cannot give it up. */
enum capability_seal { SEAL_NONE = 0, SEAL_PLAIN = 1, SEAL_MAPPED = 2 };

struct capability {
	struct object *object; /* NULL: empty */
	struct link derivation;
	union {
		struct {
			uint16_t slot, generation; /* slot 0: it is in a queued message or in a region */
		};
		cap_t handle;  /* both */
	};
	union {
		struct {
			uint16_t denied, not_types; /* ~rights, ~(1 << type) */
		};
		uint32_t refused; /* both: what CAP_NEEDS() is compared with at once */
	};
	uint16_t rights;
	uint8_t type;          /* NONE: empty */
	uint8_t depth;
	uint8_t protection;    /* MEMORY: how it is mapped */
	bool original;
	uint8_t sealed;        /* enum capability_seal */
	bool exercised;        /* CONFIG_TRACK_GRANTS: its handle has been used */
	struct unit *space;    /* whose capability space this slot is in; NULL: it lies in a queued message */
	uint64_t mapped_at;    /* MEMORY: where it is mapped in `space`; 0: not */
	uint32_t mapped;       /* MEMORY: how many pages of it are, from the first */
	uint8_t failed;        /* MEMORY: what (enum tss_error) no more can be mapped for; those that are go again */
	uint8_t padding[3];
};
_Static_assert(sizeof(struct capability) == 64, "64 slots a page, one cache line each");

#define CAPS_PER_PAGE 64u
#define CSPACE_PAGES (TSS_SLOTS_MAX / CAPS_PER_PAGE)
/* Bits of `refused` that are clear in a capability of that type with that right. */
#define CAP_NEEDS(type, right) ((uint32_t)(right) | 0x10000u << (type))
#define CAP_NEEDS_ANY(right) ((uint32_t)(right) | 0x80000000u) /* of any type: what only an empty slot refuses */
#define CAP_NOT_TYPES(type) ((uint16_t)(0x7fffu & ~(1u << (type))))

/*
 * Slots are found without a comparison: whatever 16 bits a handle has there lead to some slot, and only the right one
 * has that number. Entries of pages[] that the space does not have lead to its first page.
 */
#define CSPACE_REACH 256u

struct cspace {
	uint32_t slots; /* multiple of CAPS_PER_PAGE */
	uint32_t used;
	struct capability *pages[CSPACE_REACH];
	uint64_t summary;            /* bit i: free[i] is not 0 */
	uint64_t free[CSPACE_PAGES]; /* bit j of word i: slot 64 i + j is empty (slot 0 never) */
};

/* So that there are at least so many slots; the unit pays, and is not closed any more. A slice, AGAIN: not the last. */
MUST_CHECK status_t cspace_grow(void *unit, uint64_t slots);
struct capability *cspace_slot(const struct unit *unit, uint64_t slot); /* any slot, empty or not; NULL out of range */
struct capability *cspace_next(const struct unit *unit, uint64_t slot); /* the first full one from there; NULL: none */
struct capability *cspace_find_free(struct unit *unit);           /* topmost empty slot; NULL: none. Does not take it */

ALWAYS_INLINE struct capability *cspace_at(const struct cspace *space, cap_t handle)
{
	return &space->pages[handle / CAPS_PER_PAGE % CSPACE_REACH][handle % CAPS_PER_PAGE];
}

/* The live capability under a handle, or NULL (out of range, empty, stale). O(1), the hot path of every call. */
ALWAYS_INLINE struct capability *cspace_lookup_in(const struct cspace *space, uint64_t handle)
{
	struct capability *cap = cspace_at(space, (uint32_t)handle);
	if (UNLIKELY(cap->handle != handle || !cap->object))
		return NULL;
	cap->exercised |= IS_ENABLED(CONFIG_TRACK_GRANTS);
	return cap;
}

/* The same with what it needs to be, CAP_NEEDS(), in one comparison. */
ALWAYS_INLINE struct capability *cspace_lookup_needed(const struct cspace *space, cap_t handle, uint32_t needs)
{
	struct capability *cap = cspace_at(space, handle);
	if (UNLIKELY(cap->handle != handle || cap->refused & needs))
		return NULL;
	cap->exercised |= IS_ENABLED(CONFIG_TRACK_GRANTS);
	return cap;
}

ALWAYS_INLINE void capability_set_rights(struct capability *cap, uint16_t rights)
{
	cap->rights = rights;
	cap->denied = (uint16_t)~rights;
}

static inline cap_t capability_handle(const struct capability *cap)
{
	return cap->handle;
}

/* Fill an empty slot with the original of a new object: a root, or a child of parent. */
void capability_place(struct capability *slot, struct object *object, uint16_t rights, struct capability *parent);
/*
 * May something be derived from source? DEPTH, or AGAIN while its object is being revoked, with that argument to blame.
 * Each AGAIN wears the mark down: one left by a revoker that died or gave up is gone after REVOKE_PATIENCE of them,
 * while one that goes on sets it anew with each slice.
 */
MUST_CHECK status_t capability_copyable(const struct capability *source, unsigned argument);
/* Fill an empty slot with a copy of source that has fewer rights. source must be capability_copyable(). */
void capability_derive(struct capability *slot, struct capability *source, uint16_t rights);
void capability_move(struct capability *slot, struct capability *source); /* mapped: only within one space */
bool capability_has_children(const struct capability *cap);
/*
 * Delete up to *left descendants, the deepest first, and count *left down. True when none is left; if not, the object is
 * marked. With `spare`, sealed children of cap and what descends from those stay: they are the plan's, not the
 * holder's of cap.
 */
bool capability_revoke(struct capability *cap, unsigned *left, bool spare);
/*
 * cap has no children; ends the object if it is the original. Its mapping goes before it, and with an original the pages,
 * in slices. False: *left is used up, and cap is still there.
 */
bool capability_delete(struct capability *cap, unsigned *left);
#define CAPABILITY_DELETE_SMALL(cap) ((void)capability_delete(cap, &(unsigned){1})) /* nothing is mapped */

#define CAP_DEPTH_MAX 255
#define REVOKE_SLICE 16
#define REVOKE_PATIENCE 100
#define REVOKE_SEALED 255 /* memory: no copies and no other mappings for good; a revoke goes on as ever */
