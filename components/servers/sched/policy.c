/* SPDX-License-Identifier: BSD-2-Clause */
/* policy.c - see policy.h. */
#include <abi/abi.h>
#include "policy.h"

static bool is_first_of_its_priority(const struct task tasks[], unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (tasks[k].priority == tasks[i].priority)
			return false;
	return true;
}

void policy_rank(struct task tasks[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		tasks[i].rank = 0;
		for (unsigned k = 0; k < count; k++)
			tasks[i].rank += tasks[k].priority > tasks[i].priority && is_first_of_its_priority(tasks, k);
	}
}

static uint32_t at_most(uint64_t value, uint32_t most)
{
	return value < most ? (uint32_t)value : most;
}

static uint32_t top_priority(const struct task tasks[], unsigned count)
{
	uint32_t top = 0;
	for (unsigned i = 0; i < count; i++)
		top = tasks[i].priority > top ? tasks[i].priority : top;
	return top;
}

static struct setting feedback(const struct task *task, uint32_t top, uint32_t quantum)
{
	uint32_t priority = top > task->level + 1 ? top - task->level : 1;
	uint32_t time = at_most((uint64_t)quantum << task->level, TSS_PERIOD_MAX_US / FEEDBACK_WINDOW);
	bool last = task->level == FEEDBACK_LEVELS - 1;
	return (struct setting){priority, time, last ? 0 : time, last ? 0 : time * FEEDBACK_WINDOW};
}

static struct setting proportional(const struct task tasks[], unsigned count, const struct task *task, uint32_t quantum)
{
	uint32_t last = 0;
	uint64_t turn = quantum;
	for (unsigned i = 0; i < count; i++)
		last = tasks[i].rank > last ? tasks[i].rank : last;
	for (uint32_t rank = last; rank > task->rank && turn < TSS_SLICE_MAX_US; rank--)
		turn *= CONFIG_SCHED_PRIO_FACTOR;
	return (struct setting){top_priority(tasks, count), at_most(turn, TSS_SLICE_MAX_US), 0, 0};
}

struct setting policy_setting(enum policy policy, const struct task tasks[], unsigned count, const struct task *task,
			      uint32_t quantum)
{
	if (policy == POLICY_FEEDBACK)
		return feedback(task, top_priority(tasks, count), quantum);
	if (policy == POLICY_PROPORTIONAL)
		return proportional(tasks, count, task, quantum);
	return (struct setting){task->priority, task->slice_us, 0, 0};
}

bool policy_overrun(enum policy policy, struct task *task)
{
	if (policy != POLICY_FEEDBACK || task->level == FEEDBACK_LEVELS - 1)
		return false;
	task->level++;
	return true;
}
