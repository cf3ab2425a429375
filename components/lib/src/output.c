/* SPDX-License-Identifier: BSD-2-Clause */
/* output.c - printf, and the output that goes nowhere until a component says where. */
#include <tessera/stdio.h>

__attribute__((weak)) void tss_output(const char *text, size_t size)
{
	(void)text;
	(void)size;
}

int printf(const char *format, ...)
{
	char text[TSS_OUTPUT_MAX + 1];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tss_output(text, length > TSS_OUTPUT_MAX ? TSS_OUTPUT_MAX : (size_t)length);
	return length;
}
