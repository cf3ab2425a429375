/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c - from the entry point to main, and the end of a unit. */
#include <tessera/tessera.h>

_Noreturn void tss_start(uint64_t argument) __attribute__((visibility("hidden")));

uint64_t tss_argument;
uint64_t tss_heartbeat_us;

_Noreturn void tss_start(uint64_t argument)
{
	tss_argument = (uint32_t)argument;
	tss_heartbeat_us = argument >> 32;
	int code = main();
	for (;;)
		(void)tss_self_exit((uint64_t)(unsigned)code);
}

_Noreturn void abort(void)
{
	for (;;)
		(void)tss_self_exit(TSS_EXIT_ABORT);
}

_Noreturn void tss_assert_failed(const char *what, const char *file, int line)
{
	printf("assertion failed: %s (%s:%d)\n", what, file, line);
	abort();
}
