/* SPDX-License-Identifier: BSD-2-Clause */
/* section.c - the hash of each section before the first unit that uses it is built. */
#include <tessera/section.h>
#include "init.h"

bool section_good(struct build *build, uint32_t section)
{
	const struct tss_bundle_section *s = &build->table->sections[section];
	if (build->sections[section] == SECTION_UNCHECKED) {
		/* table_read() has seen that the bundle is whole pages, mapped at one, and that sections begin at one. */
		bool good = tss_section_good(build->table->bundle + s->offset, s->size, s->hash);
		build->sections[section] = good ? SECTION_GOOD : SECTION_BAD;
		if (!good)
			say("section %.32s does not match its hash\n", (const char *)s->name);
	}
	return build->sections[section] == SECTION_GOOD;
}
