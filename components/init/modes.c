/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modes.c - what connections declare, and their modes: all declarations first, since a port's floor settles those of
 * its connections. No unit holds memory of another's yet, and nobody runs.
 */
#include "init.h"

static void declare(struct build *build, const struct tss_table_guard *g)
{
	const struct tss_table_object *o = &build->table->objects[g->object];
	cap_t handle = build->handles[g->object];
	if (handle == TSS_CAP_NULL || o->type != TSS_TYPE_CONNECTION)
		return;
	tss_status_t status = tss_connection_declare(handle, g->methods, g->interval_us, g->burst, g->shares);
	if (status != TSS_OK)
		build_fail(build, o->payer, "connection_declare", status);
}

static void raise(struct build *build, const struct tss_table_guard *g)
{
	cap_t handle = build->handles[g->object];
	if (handle == TSS_CAP_NULL || g->mode == TSS_MODE_FAST)
		return;
	tss_status_t status = tss_capability_set_mode(handle, g->mode);
	if (status != TSS_OK)
		build_fail(build, build->table->objects[g->object].payer, "capability_set_mode", status);
}

void set_modes(struct build *build)
{
	const struct tss_table_guard *guards = build->table->guards;
	for (uint32_t i = 0; i < build->table->header->guard_count; i++)
		declare(build, &guards[i]);
	for (uint32_t i = 0; i < build->table->header->guard_count; i++)
		raise(build, &guards[i]);
}
