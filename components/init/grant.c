/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant.c - hands out what build.c made: copies first, then the originals, which init does not keep.
 *
 * A capability that is moved keeps its place in the derivation list, so the plan's depths come out right: original 0,
 * copies 1. Threads and scheduling contexts are moved after the threads were started, since starting takes rights that
 * nobody has in the end. A handle in a unit's space is its slot number: no planned slot was ever used before.
 */
#include "init.h"

#define PARKING 12u /* one of the fixed slots without a meaning: 12 to 15 */

/* Does instance 0 have this capability at this slot by now? */
static bool in_place(const struct build *build, const struct tss_table_grant *g)
{
	return g->instance == 0 && build->handles[g->object] == g->slot;
}

static void install(struct build *build, const struct tss_table_grant *g, uint64_t flags)
{
	cap_t unit = build->units[g->instance], handle = build->handles[g->object];
	if (in_place(build, g) || unit == TSS_CAP_NULL || handle == TSS_CAP_NULL)
		return; /* an object that could not be built has been reported; the slot stays empty */
	tss_status_t status = tss_unit_install(unit, g->slot, handle, g->rights, flags);
	if (status != TSS_OK)
		build_fail(build, g->instance, "unit_install", status);
	if (status != TSS_OK || flags != TSS_INSTALL_MOVE)
		return;
	cap_t kept = g->instance == 0 ? g->slot : TSS_CAP_NULL;
	build->handles[g->object] = kept;
	if (build->table->objects[g->object].type == TSS_TYPE_UNIT)
		build->units[build->table->objects[g->object].a] = kept;
}

void grant_copies(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->grant_count; i++)
		if (!build->table->grants[i].original)
			install(build, &build->table->grants[i], TSS_INSTALL_COPY);
}

static enum originals kind_of(uint32_t type)
{
	return type == TSS_TYPE_MEMORY ? ORIGINALS_MEMORY : type == TSS_TYPE_UNIT ? ORIGINALS_UNITS : ORIGINALS_OTHERS;
}

void grant_originals(struct build *build, enum originals which)
{
	for (uint32_t i = 0; i < build->table->header->grant_count; i++) {
		const struct tss_table_grant *g = &build->table->grants[i];
		if (g->original && kind_of(build->table->objects[g->object].type) == which)
			install(build, g, TSS_INSTALL_MOVE);
	}
}

/*
 * Each mapping goes through the unit's own, final capability; what init had from the start is mapped already. A region's
 * connection is still init's.
 */
void map_memory(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->grant_count; i++) {
		const struct tss_table_grant *g = &build->table->grants[i];
		const struct tss_table_object *o = &build->table->objects[g->object];
		if (g->address == 0 || build->failed[g->instance] || build->absent[g->object])
			continue;
		if (g->instance == 0 && o->a != TSS_MEMORY_SECTIONS)
			continue;
		bool region = o->type == TSS_TYPE_CONNECTION;
		cap_t unit = build->units[g->instance];
		tss_status_t status =
			region ? tss_unit_pager(unit, build->handles[g->object], g->address, g->protection)
			       : tss_unit_map(unit, g->slot, placed(build, g->instance, g->address), g->protection);
		if (status != TSS_OK)
			build_fail(build, g->instance, region ? "unit_pager" : "unit_map", status);
	}
}

/* The instance whose end is told through init's connection o; 0: o is for something else. */
static uint32_t told_through(const struct table *table, const struct tss_table_object *o)
{
	uint64_t instance = 0;
	if (o->type != TSS_TYPE_CONNECTION || o->payer != 0)
		return 0;
	if (table->objects[o->a].payer == 0)
		instance = o->b;
	else if (o->b >= TSS_BADGE_SUPERVISE && o->b < TSS_BADGE_HEARTBEAT)
		instance = o->b - TSS_BADGE_SUPERVISE + TSS_SUPERVISED_FIRST;
	return instance < table->header->instance_count ? (uint32_t)instance : 0;
}

/* Instance n's faults arrive with badge n at init's own port, or with the row's badge at the supervisor's. */
void supervise(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		uint32_t instance = told_through(build->table, &build->table->objects[i]);
		if (instance == 0 || build->failed[instance] || build->handles[i] == TSS_CAP_NULL)
			continue;
		tss_status_t status = tss_unit_supervise(build->units[instance], build->handles[i]);
		if (status != TSS_OK)
			build_fail(build, instance, "unit_supervise", status);
	}
}

static cap_t sched_of(const struct build *build, uint32_t instance)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++)
		if (build->table->objects[i].type == TSS_TYPE_SCHED && build->table->objects[i].payer == instance)
			return build->handles[i];
	return TSS_CAP_NULL;
}

/* Ready, not running: init is more urgent and does not block before it is done. */
void start_threads(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		const struct tss_table_object *o = &build->table->objects[i];
		if (o->type != TSS_TYPE_THREAD || o->payer == 0 || build->failed[o->payer])
			continue;
		tss_status_t status = tss_thread_start(build->handles[i], sched_of(build, o->payer));
		if (status != TSS_OK)
			build_fail(build, o->payer, "thread_start", status);
	}
}

/* Who calls a unit that does not start shall hear so, not wait. */
void end_failed(struct build *build)
{
	for (uint32_t i = 1; i < build->table->header->instance_count; i++)
		if (build->failed[i] && build->units[i] != TSS_CAP_NULL)
			(void)tss_unit_kill(build->units[i], 1);
}

/*
 * With a supervisor, what an instance holds by now is what a restart gives it back, and what no restart of another takes
 * away from it. Without one nothing is sealed: the ports of a sealed unit wait for its return, and there would be none.
 * init's own turn comes when it has dropped what it does not keep.
 */
void seal(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		const struct tss_table_object *o = &build->table->objects[i];
		if (o->type != TSS_TYPE_UNIT || o->b != TSS_UNIT_SEALED || build->failed[o->a])
			continue;
		if (build->failed[TSS_SUPERVISED_FIRST - 1])
			continue;
		if (o->a == 0) {
			build->sealed = true;
			continue;
		}
		tss_status_t status = tss_unit_seal(build->units[o->a]);
		if (status != TSS_OK)
			build_fail(build, (uint32_t)o->a, "unit_seal", status);
	}
}

static void delete (cap_t cap)
{
	while (TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

/*
 * Takes rights off a capability that stays in its slot: out into PARKING, which the plan never uses, and back with
 * fewer. PARKING's generation goes up each time it is emptied, and this is the only code that does so. Mapped memory
 * cannot be moved and stays as it is.
 */
static void reduce(uint32_t slot, uint32_t rights)
{
	static uint32_t generation;
	cap_t parked = PARKING | generation << 16, unit = slot == TSS_SLOT_UNIT ? parked : TSS_SLOT_UNIT;
	uint64_t state;
	if (tss_capability_inspect(slot, &state) != TSS_OK || (state >> 8 & 0xffff) == rights)
		return;
	if (tss_unit_install(TSS_SLOT_UNIT, PARKING, slot, rights, TSS_INSTALL_MOVE) != TSS_OK)
		return;
	(void)tss_unit_install(unit, slot, parked, rights, TSS_INSTALL_MOVE);
	generation++;
}

/* The plan's rights for init's slot; NULL if the plan leaves it empty. Instance 0's grants are the first. */
static const struct tss_table_grant *planned(const struct build *build, uint32_t slot)
{
	const struct tss_table_grant *g = build->table->grants, *end = g + build->table->header->grant_count;
	for (; g < end && g->instance == 0; g++)
		if (g->slot == slot)
			return g;
	return NULL;
}

/* Handles that no grant has moved: what failed instances would have had. */
static void drop_handles(struct build *build)
{
	for (uint32_t i = 0; i < build->table->header->object_count; i++) {
		cap_t handle = build->handles[i];
		const struct tss_table_grant *g = handle < TSS_SLOTS_MAX ? planned(build, handle) : NULL;
		if (handle != TSS_CAP_NULL && (g == NULL || g->object != i))
			delete (handle);
	}
}

/* Ends with the bundle, and so with the table: nothing may look at either afterwards. */
void drop_authority(struct build *build)
{
	drop_handles(build);
	bool keep_bundle = planned(build, TSS_SLOT_BUNDLE) != NULL;
	for (uint32_t slot = TSS_SLOT_FIRST - 1; slot >= TSS_SLOT_UNIT; slot--) {
		const struct tss_table_grant *g = planned(build, slot);
		if (g != NULL)
			reduce(slot, g->rights);
		else if (slot != TSS_SLOT_BUNDLE)
			delete (slot);
	}
	build->table = NULL;
	if (!keep_bundle)
		delete (TSS_SLOT_BUNDLE);
}
