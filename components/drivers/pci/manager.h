/* SPDX-License-Identifier: BSD-2-Clause */
/* manager.h - give.c: what clients are given of a device, and how it is taken back. Errors are those of the interface. */
#pragma once
#include <tessera/tessera.h>
#include "pci.h"

tss_status_t give_region(struct owner *o, uint32_t bar, uint32_t first, uint32_t pages, cap_t *memory);
tss_status_t give_vector(struct owner *o, uint32_t number, cap_t *irq);
tss_status_t arm_vector(struct owner *o, uint32_t number);
tss_status_t give_run(struct owner *o, uint32_t pages, uint64_t *physical, cap_t *memory);
tss_status_t take_run(struct owner *o, uint64_t physical);
void take_back(struct owner *o); /* all of it; the device must have been stopped */
