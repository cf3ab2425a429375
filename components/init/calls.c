/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - each instance may make the system calls that the plan has worked out from its program and the manifest, and
 * no others; some of them go by way of its monitor. init's own turn comes last.
 */
#include "init.h"

static tss_status_t restrict_one(const struct build *build, uint32_t index)
{
	const struct tss_table_instance *i = &build->table->instances[index];
	tss_status_t status = tss_unit_restrict(build->units[index], i->allowed[0], i->allowed[1]);
	if (status != TSS_OK || i->monitor == TSS_NO_OBJECT)
		return status;
	return tss_unit_interpose(build->units[index], build->handles[i->monitor], i->asked[0], i->asked[1]);
}

/* Before any of them runs, and before what it holds is sealed. */
void restrict_calls(struct build *build)
{
	for (uint32_t i = 1; i < build->table->header->instance_count; i++) {
		tss_status_t status = build->failed[i] ? TSS_OK : restrict_one(build, i);
		if (status != TSS_OK)
			build_fail(build, i, "its system calls", status);
	}
}

void restrict_init(struct build *build)
{
	tss_status_t status = restrict_one(build, 0);
	if (status != TSS_OK)
		say("init keeps all system calls: %s\n", tss_error_name(status));
}
