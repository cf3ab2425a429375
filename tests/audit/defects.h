/* SPDX-License-Identifier: BSD-2-Clause */
/* defects.h - something that does not add up, for the time of one audit. */
#pragma once
#include <types.h>

/* Plants defect `number`, from 1 up. False: there is no such defect, or nothing here to plant it in. */
bool defect_plant(uint64_t number);
#define ATTACK_FIRST 2000
bool attack(uint64_t number); /* attacks.c: from ATTACK_FIRST up; false: there is none of that number */
void defect_undo(void); /* puts back what the last one changed; harmless if there was none */

/* space.c: every page that is mapped (level 0), every table (from 1 on). */
void arch_space_each(const struct arch_space *space, struct unit *payer, each_frame *each);
void frame_each_free(each_frame *each); /* no payer, level 1; without those that never were in use */
