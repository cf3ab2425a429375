/* SPDX-License-Identifier: BSD-2-Clause */
/* config_text.h - how this kernel was configured, as text, one setting an index. */
#pragma once
#include <types.h>

#define CONFIG_TEXT_NONE UINT64_MAX
/* Writes "name=value"; returns the next index, 0 after the last, CONFIG_TEXT_NONE if there is no such index. */
uint64_t config_text(uint64_t index, char *out, size_t size);
