/* SPDX-License-Identifier: BSD-2-Clause */
/* pool.c - pages of the memory that devices reach, first fit. */
#include "pci.h"
#include "slots.h"

static bool used[POOL_PAGES];

uint32_t pool_take(uint32_t pages)
{
	uint32_t free = 0;
	for (uint32_t i = 0; pages > 0 && i < POOL_PAGES; i++) {
		free = used[i] ? 0 : free + 1;
		if (free < pages)
			continue;
		for (uint32_t page = i + 1 - pages; page <= i; page++)
			used[page] = true;
		return i + 1 - pages;
	}
	return POOL_NONE;
}

void pool_give(uint32_t first, uint32_t pages)
{
	for (uint32_t i = first; i < first + pages; i++)
		used[i] = false;
}
