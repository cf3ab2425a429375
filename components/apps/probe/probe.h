/* SPDX-License-Identifier: BSD-2-Clause */
/* probe.h - what the parts of the probe share. */
#pragma once
#include <tessera/tessera.h>

/* Any number, any six arguments in the registers of a system call (bytes 24-31 zero); rax and rdx that come back. */
void raw_call(uint64_t number, const uint64_t arguments[6], uint64_t *result, uint64_t *value);

/* Does the forbidden thing `kind`; returns if the machine let it, or if there is no such kind. */
void fault_do(uint64_t kind);

/* Sleeps; microseconds it took by the kernel's clock. */
uint64_t sleep_measured(uint64_t time_us);

/* Reads orders from the terminal for ever. */
void console_run(void);
