/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - the policies: what each of those that are scheduled gets. Pure: no system call, no state but the tasks'.
 *
 * fixed         what the manifest says.
 * feedback      everybody begins on level 0. A level has quantum << level of time in each WINDOW times that; who overruns
 *               it falls a level. On the last level there is no limit. From time to time all are lifted to level 0.
 * proportional  all have one priority and take turns; a turn of each level is CONFIG_SCHED_PRIO_FACTOR times as long as
 *               one of the next. Levels are the different priorities of the manifest, the most urgent first.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum policy { POLICY_FIXED, POLICY_FEEDBACK, POLICY_PROPORTIONAL, POLICIES };

#define FEEDBACK_LEVELS 4u
#define FEEDBACK_WINDOW 8u /* who takes less than one part in so many stays where he is */

struct task {
	uint32_t priority, slice_us; /* as the manifest says */
	uint32_t rank; /* how many different priorities are higher */
	uint32_t level; /* feedback */
};

struct setting { /* of sched_configure; times in microseconds, budget and period 0: no limit */
	uint32_t priority, slice, budget, period;
};

void policy_rank(struct task tasks[], unsigned count);
/* What `task`, one of `count`, gets. `quantum`: of the highest level, or the turn of the lowest in `proportional`. */
struct setting policy_setting(enum policy policy, const struct task tasks[], unsigned count, const struct task *task,
			      uint32_t quantum);
/* It has overrun its budget. False: it stays where it is. */
bool policy_overrun(enum policy policy, struct task *task);
