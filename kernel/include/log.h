/* SPDX-License-Identifier: BSD-2-Clause */
/* log.h - the kernel's own log: a ring that system_inspect reads, and COM1 until the serial driver owns it. */
#pragma once
#include <stdarg.h>
#include <types.h>

/* %s %.16s %u %x %lu %lx %#lx %%. Returns bytes written, NUL excluded. */
size_t format_text(char *out, size_t size, const char *format, va_list arguments);
size_t format_print(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t log_read(uint64_t offset, char *out, size_t size);   /* bytes from that offset in the log's life; 0 at the end */
uint64_t log_first(void);                                   /* oldest offset still there */
