/* SPDX-License-Identifier: BSD-2-Clause */
/* syscalls.h - in the place of the generated one: test_buffer.c makes these calls itself. */
#pragma once
#include <stddef.h>
#include <abi/abi.h>

tss_status_t tss_memory_slice(cap_t memory, uint64_t first_page, uint64_t pages, uint64_t *value);
tss_status_t tss_unit_map(cap_t unit, cap_t memory, uint64_t address, uint64_t protection);
tss_status_t tss_capability_delete(cap_t cap);
