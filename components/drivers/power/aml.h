/* SPDX-License-Identifier: BSD-2-Clause */
/* aml.h - the one thing that power management needs of ACPI's byte code. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is this a whole DSDT: signature, length within `size`, checksum? */
bool aml_table_good(const uint8_t *table, size_t size);

/* SLP_TYP for PM1a and PM1b of the soft-off state, from the table's package _S5_; false if it has none that is sound. */
bool aml_soft_off(const uint8_t *table, size_t size, uint8_t types[2]);
