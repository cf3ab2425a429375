/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.c - is what a unit would begin again from still what the plan says? Only units whose layout moves are looked at.
 *
 * The sections lie in the bundle, where the kernel maps text from and fills .data from; the supervisor can read those of
 * these units there, and no more. What their hashes are to be says its table, which lies in the bundle as well: so the
 * table is vouched for by its own hash, taken when the supervisor starts. By whom until then: README.md.
 */
#include "reincarnation.h"

static uint8_t table_hash[TSS_HASH_SIZE];

static void hash_table(const struct supervisor *s, uint8_t hash[TSS_HASH_SIZE])
{
	const uint8_t *from = (const void *)TSS_LAYOUT_DIRECTORY, *end = (const void *)(s->sections + s->section_count);
	tss_section_hash(from, (uint64_t)(end - from), hash);
}

void image_remember(const struct supervisor *s)
{
	if (s->section_count > 0)
		hash_table(s, table_hash);
}

const char *image_damaged(const struct supervisor *s, const struct instance *i)
{
	uint32_t row = (uint32_t)(i - s->instances);
	uint8_t hash[TSS_HASH_SIZE];
	bool looked_at = false;
	for (unsigned n = 0; n < s->section_count; n++)
		looked_at |= s->sections[n].row == row;
	if (!looked_at)
		return NULL;
	hash_table(s, hash);
	if (!tss_hash_equal(hash, table_hash))
		return "the supervisor's table";
	return tss_image_damaged(s->sections, s->section_count, row);
}
