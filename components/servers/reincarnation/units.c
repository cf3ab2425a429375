/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.c - the kernel's word about units, which is what counts: messages can be late or lost.
 *
 * A unit may build child units and call them what it likes, so a name alone proves nothing: ours have init as parent.
 */
#include <abi/inspect.h>
#include <interfaces/entropy.h>
#include <tessera/draw.h>
#include "reincarnation.h"

#define ENTROPY_US 20000

static uint64_t init_id; /* 0: not known yet */

static bool next_unit(uint64_t *index, struct tss_inspect_unit *unit)
{
	uint64_t next = 0;
	if (tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_UNIT, *index, 0, &next) != TSS_OK)
		return false;
	memcpy(unit, tss_ipc()->recv, sizeof(*unit));
	*index = next;
	return true;
}

enum unit_state unit_state(const struct instance *i, uint64_t *restarts)
{
	struct tss_inspect_unit unit;
	uint64_t index = 0;
	do {
		if (!next_unit(&index, &unit))
			break;
		if (unit.parent == 0)
			init_id = unit.id;
		if (unit.parent != init_id || memcmp(unit.name, i->row->name, sizeof(unit.name)) != 0)
			continue;
		if (restarts != NULL)
			*restarts = unit.restarts;
		return unit.state <= UNIT_DEAD ? (enum unit_state)unit.state : UNIT_UNKNOWN;
	} while (index != 0);
	return UNIT_UNKNOWN;
}

tss_status_t unit_end(const struct instance *i, bool for_good)
{
	return tss_unit_kill(i->row->unit, for_good);
}

/* From the source of random bytes, if the manifest names one and it answers soon: it may be what has ended. */
static uint64_t entropy(void)
{
	uint64_t drawn = 0;
	size_t size;
	if (entropy_read(SLOT_ENTROPY, sizeof(drawn), &drawn, sizeof(drawn), &size, ENTROPY_US) != TSS_OK)
		return 0;
	return drawn;
}

tss_status_t unit_begin(const struct instance *i)
{
	tss_status_t status;
	uint64_t place = tss_draw_place(entropy());
	do
		status = tss_unit_restart(i->row->unit, place);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	return status;
}
