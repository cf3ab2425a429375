/* SPDX-License-Identifier: BSD-2-Clause */
/* acpi.h - finds in ACPI's tables what drivers/power needs. Pure: memory is read through a function of the caller's. */
#pragma once
#include <tessera/firmware.h>

#define ACPI_TABLE_MAX (1u << 20)

/* `size` bytes of physical memory, readable until the next call; NULL: not to be had. */
typedef const uint8_t *acpi_map_t(uint64_t address, uint64_t size);

/* Fills dsdt to reset_value of `facts` from the tables behind `rsdp`, of 36 bytes; what is absent or unsound stays 0. */
void acpi_read(const uint8_t *rsdp, acpi_map_t *map, struct tss_firmware_facts *facts);
