/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h - a file that the manifest puts into the image for an instance: mapped read-only at FILE_NAME (slots.h), each
 * `files:` name of component.yaml at an address of its own.
 */
#pragma once
#include <stdint.h>
#include <abi/abi.h>

struct tss_file {
	uint64_t size; /* bytes in the file */
	uint8_t padding[TSS_PAGE_SIZE - 8];
	uint8_t bytes[]; /* at a page; zeros from `size` to the end of the last page */
};
