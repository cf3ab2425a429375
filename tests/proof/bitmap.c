/* SPDX-License-Identifier: BSD-2-Clause */
/* bitmap.c - the bitmap of kernel/mm/frame.c: */
#include "stand_ins.h"
#include "words.h"
#include <types.h>

/*@ assigns \nothing; ensures \false; */
void panic(const char *format, ...);
/*@ axiomatic memory { logic uint64_t physical(void *at); } */
/*@ assigns \nothing; ensures \result.raw == physical((void *)address); */
static inline paddr_t virt_to_phys(const void *address);

#include "kernel/mm/frame.c"

/*@ predicate mapped = frames.bitmap_frames <= 0x100000000 && frames.bitmap_base <= 0x10000000000 &&
	\valid(frames.bitmap + (0 .. frames.bitmap_frames / 64)) ;
	predicate listed(integer i) = has(frames.bitmap[i / 64], i % 64);
	logic integer number(void *frame) = (uint64_t)(physical(frame) / 4096 - frames.bitmap_base); */

/*@ requires mapped && \separated(&frames, frames.bitmap + (0 .. frames.bitmap_frames / 64));
	assigns frames.bitmap[number((void *)frame) / 64];
	ensures 0 <= number((void *)frame) < frames.bitmap_frames;
	ensures \forall integer i; 0 <= i < frames.bitmap_frames ==>
		(listed(i) <==> (i == number((void *)frame) ? !\old(listed(i)) : \old(listed(i))));
	ensures \result <==> listed(number((void *)frame));
*/
bool frame_bitmap_flip(const void *frame);
