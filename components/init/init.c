/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init.c - the first unit: builds the system that the init table describes, then holds nothing but what watching takes.
 *
 * It starts with all authority there is. It works through the table once: units, objects, copies of capabilities,
 * memory maps, supervision, threads; then the originals are moved to where the plan has them and units that may be
 * restarted are sealed, so that at the end its own capability space is instance 0 of the plan. No instance runs before that: init is more urgent than all of them
 * and does not block.
 *
 * The table was checked by the kernel's hash and is checked again here, entry by entry. A section whose hash is wrong
 * costs only the instances that use it; a table that is wrong ends init, and with it the boot.
 */
#include "init.h"

static struct table table;
static struct build build; /* all zero, so that nothing of it is in the image, whose bytes are hashed at boot */

/* The handle of init's own object of this kind: its port, or its connection to somebody else's. */
static cap_t own(uint32_t type)
{
	for (uint32_t i = 0; i < table.header->object_count; i++) {
		const struct tss_table_object *object = &table.objects[i];
		if (object->payer != 0 || object->type != type)
			continue;
		if (type == TSS_TYPE_CONNECTION && table.objects[object->a].payer == 0)
			continue;
		const struct tss_table_grant *grant = table_original(&table, i);
		if (grant != NULL && grant->instance == 0)
			return grant->slot;
	}
	return TSS_CAP_NULL;
}

/* Drops all that the plan does not have. A dump shows the final spaces and, in init's, what dumping takes. */
static void finish(void)
{
	restrict_init(&build);
	drop_authority(&build);
	dump();
	if (build.sealed && tss_unit_seal(TSS_SLOT_UNIT) != TSS_OK)
		say("init could not be sealed: a restart of the log or the supervisor will cut it off\n");
}

int main(void)
{
	if (!table_read(&table, (const void *)TSS_LAYOUT_BUNDLE, tss_argument))
		return EXIT_BUNDLE;
	if (!table_check(&table))
		return EXIT_TABLE;
	build.table = &table;
	firmware_read();
	build_units(&build);
	build_objects(&build);
	set_modes(&build);
	grant_copies(&build);
	grant_originals(&build, ORIGINALS_MEMORY);
	map_memory(&build);
	supervise(&build);
	restrict_calls(&build);
	start_threads(&build);
	dump_prepare(&build);
	grant_originals(&build, ORIGINALS_OTHERS);
	seal(&build);
	end_failed(&build);
	grant_originals(&build, ORIGINALS_UNITS);
	cap_t port = own(TSS_TYPE_PORT), log = own(TSS_TYPE_CONNECTION);
	watch_remember(&table);
	guard_remember(&table);
	place(&build);
	finish();
	if (port == TSS_CAP_NULL)
		return EXIT_FAULT_PORT;
	say_to(log);
	watch(port);
}
