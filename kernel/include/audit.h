/* SPDX-License-Identifier: BSD-2-Clause */
/* audit.h - with CONFIG_AUDIT, everything is counted again. */
#pragma once
#include <abi/inspect.h>
#include <types.h>

/*
 * *wrong, which was zero, tells the first thing that does not add up. With a defect (from 1 up), that one is planted for
 * the time of the walk; false if there is no such defect.
 */
bool audit_walk(struct tss_inspect_audit *wrong, uint64_t defect);
