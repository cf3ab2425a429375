/* SPDX-License-Identifier: BSD-2-Clause */
/* linux_hello.h - what the files of this component share. */
#pragma once
#include <tessera/tessera.h>

#define PAGE TSS_PAGE_SIZE

/* A loaded program: where it begins, and what its auxiliary vector says of its headers. */
struct program {
	uint64_t entry, headers, header_size, header_count;
};

/* load.c: maps fresh memory, readable and writable, at a page address. False: no budget, no slot, or it is taken. */
bool memory_at(uint64_t address, uint64_t pages, cap_t *memory);
/* Maps the segments of the static ELF executable of `size` bytes at `file`. NULL, or what is wrong with it. */
const char *program_load(const uint8_t *file, uint64_t size, struct program *program);

/* calls.c: the handler. */
uint64_t linux_call(uint64_t number, uint64_t arguments[6]);
