/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * section.h - are sections of the bundle, where they lie in memory, still what the plan says? init asks of all of them at
 * boot; init and the supervisor ask again of a unit's image before they restart it (tessera/supervision.h says whose).
 */
#pragma once
#include <abi/hash.h>
#include <stdbool.h>

/* hash.h's tss_hash, once a component and not wherever it is asked for. */
void tss_section_hash(const void *at, uint64_t size, uint8_t hash[TSS_HASH_SIZE]);

/* Does it have the hash, and is what follows it on its last page zero? `at` begins a page; whole pages are readable. */
bool tss_section_good(const void *at, uint64_t size, const uint8_t hash[TSS_HASH_SIZE]);

struct tss_image_section { /* 80 bytes: a part of the image of a unit that is looked at before each restart */
	uint32_t row; /* of the supervision table; whose it is */
	uint32_t page; /* from TSS_LAYOUT_IMAGES */
	uint64_t size; /* bytes, never 0 */
	uint8_t name[32];
	uint8_t hash[TSS_HASH_SIZE];
};
_Static_assert(sizeof(struct tss_image_section) == 80, "supervision table layout");

/* The name of the first damaged section of that row's image, NUL-padded as in the bundle; NULL: the image is good. */
const char *tss_image_damaged(const struct tss_image_section *sections, unsigned count, uint32_t row);
