/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - the generator's table, checked before it is believed. */
#include "reincarnation.h"

static bool row_good(const struct tss_supervision_row *row, unsigned rows)
{
	if (row->policy > TSS_RESTART_ON_FAILURE || row->then > TSS_THEN_REBOOT)
		return false;
	if (row->max == 0 || row->max > ENDS_MAX || row->backoff_min_us > row->backoff_max_us)
		return false;
	for (unsigned n = rows; n < 64 * TSS_SUPERVISED_WORDS; n++)
		if (row->dependants[n / 64] >> n % 64 & 1)
			return false;
	return row->unit != 0 && row->unit < TSS_SLOTS_MAX && row->name[0] != 0;
}

bool table_take(struct supervisor *s)
{
	const struct tss_supervision_header *header = (const void *)TSS_LAYOUT_DIRECTORY;
	const struct tss_supervision_row *rows = (const void *)(header + 1);
	if (header->magic != TSS_SUPERVISION_MAGIC || header->rows > TSS_SUPERVISED_MAX)
		return false;
	s->count = header->rows;
	for (unsigned n = 0; n < s->count; n++) {
		if (!row_good(&rows[n], s->count))
			return false;
		s->instances[n].row = &rows[n];
	}
	s->administrators = (const void *)(rows + s->count);
	s->administrator_count = header->administrators;
	s->controls = (const void *)(s->administrators + s->administrator_count);
	s->control_count = header->controls;
	s->sections = (const void *)(s->controls + s->control_count);
	s->section_count = header->sections;
	image_remember(s);
	return true;
}
