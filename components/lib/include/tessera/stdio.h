/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stdio.h - formatted text.
 *
 * Conversions: %s %c %d %i %u %x %X %p %%, lengths hh h l ll z, flags - 0 +, a width and a precision (also *). No
 * floating point. An unknown conversion is printed as it stands.
 *
 * printf goes to tss_output, which does nothing until the component defines it; TSS_OUTPUT_TO_LOG(SLOT_LOG) after
 * including <interfaces/log.h> defines it as a line writer to that connection, TSS_OUTPUT_SENT_TO_LOG as one that does not
 * wait for it; what the log has no room for is then lost. TSS_OUTPUT_TO_UART(SLOT_REGS) writes to the ports of a 16550.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/* All three return the length the whole text has or would have had, without the NUL. */
int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Where printf goes: called once a printf with at most TSS_OUTPUT_MAX bytes (longer texts are cut). */
#define TSS_OUTPUT_MAX 224
void tss_output(const char *text, size_t size);

#define TSS_OUTPUT_TO_LOG(slot)                                                                                        \
	void tss_output(const char *text, size_t size)                                                                 \
	{                                                                                                              \
		(void)log_write((slot), text, size, TSS_INFINITE);                                                     \
	}

#define TSS_OUTPUT_SENT_TO_LOG(slot)                                                                                   \
	void tss_output(const char *text, size_t size)                                                                 \
	{                                                                                                              \
		(void)log_write_send((slot), text, size);                                                              \
	}

#define TSS_OUTPUT_TO_UART(regs)                                                                                       \
	void tss_output(const char *text, size_t size)                                                                 \
	{                                                                                                              \
		tss_uart_write((regs), text, size);                                                                    \
	}

/* Writes the bytes to the data register of a 16550 as it becomes empty; yields until then. `regs`: its eight ports, WRITE. */
void tss_uart_write(unsigned regs, const char *text, size_t size);
