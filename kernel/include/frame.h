/* SPDX-License-Identifier: BSD-2-Clause */
/* frame.h - page frames: O(1), zeroed, each accounted to the unit that pays. */
#pragma once
#include <arch.h>

struct unit;

/* Takes over boot_info.ram. Returns the number of frames it manages. */
uint64_t frame_init(void);

/* One zeroed frame. NULL when payer's budget is used up; a NULL payer is the kernel itself, whose never is. */
void *frame_alloc(struct unit *payer);
/*
 * So many zeroed frames in a row, the first at a multiple of `alignment` bytes; NULL: too few are left that nobody has used
 * since boot, or in the budget. They are freed one by one.
 */
void *frame_alloc_run(struct unit *payer, uint64_t pages, uint64_t alignment);
void frame_free(struct unit *payer, void *frame);
/* With this CPU's lock alone: clears as many of its free frames as may be wanted soon, if it has them. */
void frame_prepare(uint64_t wanted);

bool frame_is_ram(paddr_t start, uint64_t size); /* does any byte of the range belong to RAM, free or reserved? */
/* For audits. Whether the frame's bit, set while it is on the free list, is set now that it has been flipped. */
bool frame_bitmap_flip(const void *frame);
extern struct frames {
	struct free_frame {
		struct free_frame *next;
	} *free;
	unsigned region; /* the region that untouched frames come from */
	uint64_t taken; /* bytes at its start that are not untouched any more */
	uint64_t *bitmap; /* bit: this frame is on the free list; indexed by physical frame number - base */
	uint64_t bitmap_base, bitmap_frames;
} frames;
extern struct frame_count {
	uint64_t total, available;
} frame_count;
