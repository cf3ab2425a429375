/* SPDX-License-Identifier: BSD-2-Clause */
/* section.c - the hash of each section before the first unit that uses it is built. */
#include <abi/hash.h>
#include "init.h"

static bool hash_good(const struct table *t, const struct tss_bundle_section *s)
{
	uint8_t hash[TSS_HASH_SIZE];
	tss_hash(t->bundle + s->offset, s->size, hash);
	return tss_hash_equal(hash, s->hash);
}

/* What follows the section on its last page is mapped with it, so it must be the zeros that it is said to be. */
static bool tail_good(const struct table *t, const struct tss_bundle_section *s)
{
	uint64_t i = s->offset + s->size, page_end = (i + TSS_PAGE_SIZE - 1) & ~(TSS_PAGE_SIZE - 1), found = 0;
	for (; i % sizeof(found) != 0; i++)
		found |= t->bundle[i];
	/* Safety: table_read() has seen that the bundle is whole pages, mapped at one. */
	for (const uint64_t *word = (const void *)(t->bundle + i); i < page_end; i += sizeof(found))
		found |= *word++;
	return found == 0;
}

bool section_good(struct build *build, uint32_t section)
{
	const struct tss_bundle_section *s = &build->table->sections[section];
	if (build->sections[section] == SECTION_UNCHECKED) {
		bool good = hash_good(build->table, s) && tail_good(build->table, s);
		build->sections[section] = good ? SECTION_GOOD : SECTION_BAD;
		if (!good)
			say("section %.32s does not match its hash\n", (const char *)s->name);
	}
	return build->sections[section] == SECTION_GOOD;
}
