/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - the kernel's own log: a ring that system_inspect reads, and COM1 until the serial driver owns it. */
#pragma once
#include <stdarg.h>
#include <types.h>

/* %s %.16s %u %x %lu %lx %#lx %%. Returns bytes written, NUL excluded. */
size_t format_text(char *out, size_t size, const char *format, va_list arguments);
size_t format_print(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Bytes from that offset in the log's life on, or from the oldest that is kept; *offset is moved behind them. 0: the end. */
size_t log_read(uint64_t *offset, char *out, size_t size);
/* config.c: how this kernel was configured, one "name=value" an index. Returns the next index, 0 after the last. */
#define CONFIG_TEXT_NONE UINT64_MAX /* there is no such index */
uint64_t config_text(uint64_t index, char *out, size_t size);
