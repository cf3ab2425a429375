/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.h - memory objects: frames of RAM that the payer's budget paid for, a slice of such, or a device's range.
 *
 * Frames of a created object are scattered and listed in table pages, unless it was to have them in a row; those of the
 * bundle and of devices are one run too.
 * A slice borrows its parent's frames: its capability descends from the parent's, so it dies first.
 */
#pragma once
#include <arch.h>
#include <capability.h>

struct port;

#define MEMORY_TABLES 16
#define MEMORY_PAGES_MAX (MEMORY_TABLES * (PAGE_SIZE / sizeof(paddr_t))) /* 8192 pages, 32 MiB */

struct memory {
	struct object object;
	uint64_t pages;           /* that are there */
	uint64_t clear;           /* of them: what is there of a table of frames in a row is cleared page by page */
	uint64_t wanted;          /* that it is to have, while it is made; those it had, while it goes */
	struct memory *parent;    /* slice of it, or NULL */
	uint64_t first;           /* slice: page of the parent it starts at */
	paddr_t base;             /* run: physical start (tables unused) */
	bool run, device, immortal;
	uint16_t large;           /* bit i: the frames of tables[i] are in a row, aligned */
	paddr_t template;         /* what memory_refill() puts there: template_size bytes of the bundle, then zeros */
	uint64_t template_size;
	struct port *written;     /* whose mailbox it is; NULL: it is none */
	union {                   /* by where the direct map has them */
		void **tables[MEMORY_TABLES]; /* of frames */
		void *frames[MEMORY_TABLES];  /* the frames themselves, if there are no more than so many */
	};
};

static inline bool memory_has_tables(const struct memory *memory)
{
	return memory->wanted > MEMORY_TABLES && !memory->run;
}

/* The bundle: a run of frames that belong to nobody's budget. */
struct memory *memory_create_run(struct unit *payer, paddr_t base, uint64_t pages, bool device); /* NULL: MEMORY */
/* Without pages yet; each memory_fill() makes up to `left` of them, AGAIN: not the last. */
MUST_CHECK status_t memory_create(struct unit *payer, uint64_t wanted, struct memory **out);
MUST_CHECK status_t memory_fill(void *memory, uint64_t left);
void memory_refill(const struct memory *memory, uint64_t page);
paddr_t memory_frame(const struct memory *memory, uint64_t page);
/* May cap be mapped so? ARGUMENT or RIGHTS: what is wrong with `protection`, argument `argument`. */
MUST_CHECK status_t memory_protection(const struct capability *cap, uint64_t protection, unsigned argument);
/* Map a slice of the object that cap (in its own space) names. AGAIN: not the last. In the end all or nothing. */
MUST_CHECK status_t memory_map(struct capability *cap, uint64_t address, unsigned protection);
bool memory_unmap(struct capability *cap, unsigned *left); /* eight pages for one of *left; false: there are more */
