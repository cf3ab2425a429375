/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - instances that the manifest puts on other CPUs go there last, when everything is in place: on init's own CPU
 * nothing runs before, since init is more urgent and does not block. A CPU that this machine does not have: the one of
 * that number modulo those it has, and a line that says so.
 */
#include <abi/inspect.h>
#include "init.h"

static struct {
	cap_t sched; /* derived, so that it is still init's when the original has been moved */
	uint32_t instance;
	uint64_t cpu;
} later[INSTANCES_MAX];
static uint32_t count;

tss_status_t place_later(const struct build *build, const struct tss_table_object *o, cap_t sched)
{
	uint64_t derived = TSS_CAP_NULL;
	if (o->a == 0 || o->payer == 0 || count == INSTANCES_MAX)
		return TSS_OK;
	tss_status_t status = tss_capability_derive(sched, TSS_RIGHT_CONTROL, &derived);
	later[count].sched = (cap_t)derived;
	later[count].instance = o->payer;
	later[count++].cpu = o->a;
	(void)build;
	return status;
}

void place(const struct build *build)
{
	uint64_t next;
	const struct tss_inspect_counters *counters = (const struct tss_inspect_counters *)tss_ipc()->recv;
	if (count == 0 || tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, &next) != TSS_OK)
		return;
	uint64_t cpus = counters->cpus;
	for (uint32_t i = 0; i < count; i++) {
		const char *name = (const char *)build->table->instances[later[i].instance].name;
		if (later[i].cpu >= cpus)
			say("unit %.16s runs on CPU %lu: this machine has no CPU %lu\n", name, later[i].cpu % cpus,
			    later[i].cpu);
		tss_status_t status = tss_sched_place(TSS_SLOT_SYSTEM, later[i].sched, later[i].cpu % cpus);
		if (status != TSS_OK)
			say("unit %.16s stays on CPU 0: %s\n", name, tss_error_name(status));
		(void)tss_capability_delete(later[i].sched);
	}
}
