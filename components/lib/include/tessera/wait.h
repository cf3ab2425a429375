/* SPDX-License-Identifier: BSD-2-Clause */
/* wait.h - the ways the library waits, in one place, so that host tests can put their own in. */
#pragma once
#include <stdint.h>
#include <abi/abi.h>

void tss_wait_yield(void);
void tss_wait_sleep(uint64_t us);
void tss_wait_event(cap_t event);
void tss_wait_wake(cap_t event);
