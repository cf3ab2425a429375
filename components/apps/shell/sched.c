/* SPDX-License-Identifier: BSD-2-Clause */
/* sched.c - the command `sched`, for which servers/sched is asked. */
#include <interfaces/sched.h>
#include "shell.h"
#include "slots.h"

static const char *const policies[] = {"fixed", "feedback", "proportional"};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

static void show(void)
{
	uint32_t policy = 0, count = 0;
	uint64_t overruns = 0, lifts = 0;
	tss_status_t status = sched_tell(SLOT_SCHED, &policy, &count, &overruns, &lifts, TSS_INFINITE);
	if (status != TSS_OK)
		return complain("sched: %s\n", reason(status));
	printf("sched: %s, %u instances, %lu overruns, lifted %lu times\n", policy < POLICIES ? policies[policy] : "?",
	       count, overruns, lifts);
}

void sched(const char *argument)
{
	uint32_t policy = 0;
	if (*argument == '\0')
		return show();
	while (policy < POLICIES && strcmp(argument, policies[policy]) != 0)
		policy++;
	if (policy == POLICIES)
		return complain("usage: sched [fixed|feedback|proportional]\n");
	tss_status_t status = sched_choose(SLOT_SCHED, policy, TSS_INFINITE);
	if (status != TSS_OK)
		complain("sched: %s\n", reason(status));
}
