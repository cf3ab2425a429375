/* SPDX-License-Identifier: BSD-2-Clause */
/* bundle_check.h - is this a bundle the kernel may boot? Pure code: compiled on the host too, for tests and fuzzing. */
#pragma once
#include <abi/bundle.h>
#include <types.h>

struct bundle {
	const uint8_t *bytes;
	uint64_t size;
	const struct tss_bundle_header *header;
	const struct tss_bundle_section *sections;
	const struct tss_bundle_section *table; /* the one section of kind TABLE */
};

/*
 * Checks header, section table, root hash (against `root`, 32 bytes, if not NULL), the hashes of init's sections and
 * of the init table, and the table's header. NULL if all is well, else what is wrong; *section names the section then.
 */
const char *bundle_check(const uint8_t *bytes, uint64_t size, const uint8_t *root, struct bundle *out, const char **section);

/* Parses the 64 hexadecimal digits behind "tessera.root=" in a command line. -1: malformed, 0: absent, 1: found. */
int bundle_root_option(const char *cmdline, uint8_t root[32]);

/* Instance 0 of the init table. */
const struct tss_table_instance *bundle_init_instance(const struct bundle *bundle);
