/* SPDX-License-Identifier: BSD-2-Clause */
/* section.c - the hash of a section, and what follows it on its last page. */
#include <tessera/section.h>
#include <tessera/table.h>

/* What follows the section on its last page is mapped with it, so it must be the zeros that it is said to be. */
static bool tail_good(const uint8_t *at, uint64_t size)
{
	uint64_t i = size, page_end = (i + TSS_PAGE_SIZE - 1) & ~(TSS_PAGE_SIZE - 1), found = 0;
	for (; i % sizeof(found) != 0; i++)
		found |= at[i];
	/* Safety: whole pages, the first beginning at `at`, are readable, so says the header. */
	for (const uint64_t *word = (const void *)(at + i); i < page_end; i += sizeof(found))
		found |= *word++;
	return found == 0;
}

__attribute__((noinline)) void tss_section_hash(const void *at, uint64_t size, uint8_t hash[TSS_HASH_SIZE])
{
	tss_hash(at, size, hash);
}

bool tss_section_good(const void *at, uint64_t size, const uint8_t hash[TSS_HASH_SIZE])
{
	uint8_t found[TSS_HASH_SIZE];
	tss_section_hash(at, size, found);
	return tss_hash_equal(found, hash) && tail_good(at, size);
}

const char *tss_image_damaged(const struct tss_image_section *sections, unsigned count, uint32_t row)
{
	for (const struct tss_image_section *s = sections; s < sections + count; s++) {
		/* Safety: the plan maps all pages of all these sections there, for who has them in a table. */
		const void *at = (const void *)(TSS_LAYOUT_IMAGES + (uint64_t)s->page * TSS_PAGE_SIZE);
		if (s->row == row && !tss_section_good(at, s->size, s->hash))
			return (const char *)s->name;
	}
	return NULL;
}
