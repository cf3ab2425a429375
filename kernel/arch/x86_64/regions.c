/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * regions.c - lists of physical ranges as boot_info holds them. Invariant: sorted, no two overlap or touch, at most
 * BOOT_REGIONS_MAX. Pure: a host test can run it.
 */
#include "x86.h"

static uint64_t end_of(const struct boot_region *region)
{
	return region->base.raw + region->size;
}

static void remove_at(struct boot_region *list, unsigned *count, unsigned at)
{
	for (--*count; at < *count; at++)
		list[at] = list[at + 1];
}

/* The range neither overlaps nor touches one of the list; it may be empty. False: list full. */
static bool insert(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end)
{
	unsigned at;
	if (base >= end)
		return true;
	if (*count == BOOT_REGIONS_MAX)
		return false;
	for (at = (*count)++; at > 0 && list[at - 1].base.raw > base; at--)
		list[at] = list[at - 1];
	list[at] = (struct boot_region){{base}, end - base};
	return true;
}

bool region_add(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end)
{
	for (unsigned i = *count; i-- > 0 && base < end;) {
		uint64_t start = list[i].base.raw, stop = end_of(&list[i]);
		if (start > end || stop < base)
			continue;
		base = start < base ? start : base;
		end = stop > end ? stop : end;
		remove_at(list, count, i);
	}
	return insert(list, count, base, end);
}

/* With a full list a hole in the middle of a region costs the part above it: RAM is lost, never given out twice. */
void region_cut(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end)
{
	for (unsigned i = *count; i-- > 0 && base < end;) {
		uint64_t start = list[i].base.raw, stop = end_of(&list[i]);
		if (start >= end || stop <= base)
			continue;
		remove_at(list, count, i);
		(void)insert(list, count, start, base);
		(void)insert(list, count, end, stop);
	}
}
