/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/servers/sched/policy.c
// flags: -Icomponents/servers/sched -Ikernel/include
/* test_sched_policy.c - what each policy gives whom. */
#include <string.h>
#include <abi/abi.h>
#include "../lib/tap.h"
#include "policy.h"

#define QUANTUM 1000u

static struct task tasks[] = {{.priority = 50, .slice_us = 700},
			      {.priority = 52, .slice_us = 500},
			      {.priority = 51, .slice_us = 600},
			      {.priority = 52, .slice_us = 800}};
#define COUNT (sizeof(tasks) / sizeof(tasks[0]))

static struct setting given(enum policy policy, unsigned i)
{
	return policy_setting(policy, tasks, COUNT, &tasks[i], QUANTUM);
}

static void test_ranks(void)
{
	static const uint32_t ranks[] = {2, 0, 1, 0};
	policy_rank(tasks, COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		CHECK(tasks[i].rank == ranks[i]);
}

static void test_fixed(void)
{
	for (unsigned i = 0; i < COUNT; i++) {
		struct setting set = given(POLICY_FIXED, i);
		CHECK(set.priority == tasks[i].priority && set.slice == tasks[i].slice_us);
		CHECK(set.budget == 0 && set.period == 0);
	}
}

/* Each level's turn is the factor times the next's; the lowest has the quantum. */
static void test_proportional(void)
{
	uint64_t turn = QUANTUM;
	for (uint32_t rank = 3; rank-- > 0;) {
		for (unsigned i = 0; i < COUNT; i++)
			if (tasks[i].rank == rank)
				CHECK(given(POLICY_PROPORTIONAL, i).slice == turn);
		turn *= CONFIG_SCHED_PRIO_FACTOR;
	}
	for (unsigned i = 0; i < COUNT; i++)
		CHECK(given(POLICY_PROPORTIONAL, i).priority == 52 && given(POLICY_PROPORTIONAL, i).period == 0);
}

static void test_feedback(void)
{
	struct task *task = &tasks[0];
	for (unsigned level = 0; level < FEEDBACK_LEVELS; level++) {
		struct setting set = given(POLICY_FEEDBACK, 0);
		bool last = level == FEEDBACK_LEVELS - 1;
		CHECK(set.priority == 52 - level && set.slice == QUANTUM << level);
		CHECK(set.budget == (last ? 0 : QUANTUM << level));
		CHECK(set.period == set.budget * FEEDBACK_WINDOW);
		CHECK(policy_overrun(POLICY_FEEDBACK, task) == !last);
	}
	CHECK(!policy_overrun(POLICY_PROPORTIONAL, &tasks[1]) && tasks[1].level == 0);
}

/* Whatever the manifest says, the kernel takes it. */
static void test_within_the_kernels_ranges(void)
{
	for (unsigned policy = 0; policy < POLICIES; policy++)
		for (uint32_t level = 0; level < FEEDBACK_LEVELS; level++)
			for (uint32_t priority = 1; priority < 255; priority += 23)
				for (uint32_t quantum = 100; quantum <= 100000; quantum *= 10) {
					struct task one = {priority, 100, 0, level};
					struct setting set = policy_setting(policy, &one, 1, &one, quantum);
					CHECK(set.priority >= 1 && set.priority <= priority);
					CHECK(set.slice >= TSS_SLICE_MIN_US && set.slice <= TSS_SLICE_MAX_US);
					CHECK(set.period <= TSS_PERIOD_MAX_US && set.budget <= set.period);
				}
}

int main(void)
{
	RUN(test_ranks);
	RUN(test_fixed);
	RUN(test_proportional);
	RUN(test_feedback);
	RUN(test_within_the_kernels_ranges);
	return tap_end();
}
