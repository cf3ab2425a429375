/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pager.h - regions of a unit whose missing pages somebody else supplies (doc/adr/0007-memory.md).
 *
 * A fault in a region is a call through its connection, like one at a fault port, but the unit never knows. The answer
 * carries a memory capability, which the kernel derives into the region and maps there. These capabilities are in the
 * derivation lists like any other, so a revoke unmaps, but have no slot that the unit could name: it can neither keep
 * nor give away what its pager takes back.
 */
#pragma once
#include <thread.h>

struct connection;

#define REGION_TABLES (PAGE_SIZE / sizeof(struct capability *))
#define REGION_PAGES_MAX (REGION_TABLES * CAPS_PER_PAGE) /* 32768 pages, 128 MiB */
#define PAGE_FAULT_PRESENT 0x1u /* in the CPU's error code: something is mapped there (SDM vol. 3, 4.7) */

struct region {
	struct region *next;     /* of the same unit */
	uint64_t base, pages;
	struct connection *connection; /* NULL: it has ended, nobody is asked */
	struct capability **tables; /* a frame; of frames with a capability for each page, NULL: none is there. The unit pays */
	bool sealed;             /* a restart empties it and leaves it there */
};

/* Who is asked for a page at address; NULL: nobody. */
struct connection *pager_of(const struct unit *unit, uint64_t address);
/* The answer to a page call: maps what it brings. Errors (argument 2: the tag) leave the fault waiting. */
MUST_CHECK status_t pager_reply(struct thread *self, struct reply *reply, uint64_t tag);
void pager_forget(const struct connection *connection); /* it ends */
void regions_seal(const struct unit *unit);
/* Empty all regions and remove them; with `keep`, leave those that are sealed. False: the slice is used up. */
bool regions_clear(struct unit *unit, bool keep, unsigned *left);
