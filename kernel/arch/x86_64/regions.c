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

/* Replaces the `old` entries from `at` on by `new` empty places. The caller has checked that they fit. */
static void resize(struct boot_region *list, unsigned *count, unsigned at, unsigned old, unsigned new)
{
	unsigned tail = *count - at - old;
	if (new < old) {
		for (unsigned i = 0; i < tail; i++)
			list[at + new + i] = list[at + old + i];
	} else {
		for (unsigned i = tail; i-- > 0;)
			list[at + new + i] = list[at + old + i];
	}
	*count += new - old;
}

bool region_add(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end)
{
	unsigned first = 0, after;
	if (base >= end)
		return true;
	while (first < *count && end_of(&list[first]) < base)
		first++;
	for (after = first; after < *count && list[after].base.raw <= end; after++) {
		if (list[after].base.raw < base)
			base = list[after].base.raw;
		if (end_of(&list[after]) > end)
			end = end_of(&list[after]);
	}
	if (after == first && *count == BOOT_REGIONS_MAX)
		return false;
	resize(list, count, first, after - first, 1);
	list[first] = (struct boot_region){{base}, end - base};
	return true;
}

/* With a full list a hole in the middle of a region costs the part above it: RAM is lost, never given out twice. */
void region_cut(struct boot_region *list, unsigned *count, uint64_t base, uint64_t end)
{
	for (unsigned i = 0; i < *count && base < end; i++) {
		uint64_t start = list[i].base.raw, stop = end_of(&list[i]);
		if (stop <= base || start >= end)
			continue;
		bool left = start<base, right = stop> end;
		if (left && right && *count == BOOT_REGIONS_MAX)
			right = false;
		resize(list, count, i, 1, (unsigned)left + (unsigned)right);
		if (left)
			list[i++] = (struct boot_region){{start}, base - start};
		if (right)
			list[i++] = (struct boot_region){{end}, stop - end};
		i--;
	}
}
