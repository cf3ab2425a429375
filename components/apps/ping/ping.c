/* SPDX-License-Identifier: BSD-2-Clause */
/* ping.c - a complete client: calls, compares what comes back, reports, and is done. */
#include <interfaces/echo.h>
#include <interfaces/log.h>
#include <tessera/tessera.h>
#include "slots.h"

#define PINGS 4u

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static bool ping_registers(uint64_t n)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	tss_status_t status = echo_registers(SLOT_ECHO, n, ~n, n * n, 42, &a, &b, &c, &d, TSS_INFINITE);
	return status == TSS_OK && a == n && b == ~n && c == n * n && d == 42;
}

static bool ping_bytes(uint8_t n)
{
	uint8_t there[ECHO_LARGE_DATA_MAX], back[ECHO_LARGE_DATA_MAX];
	size_t size = 0;
	memset(there, n, sizeof(there));
	tss_status_t status = echo_large(SLOT_ECHO, there, sizeof(there), back, sizeof(back), &size, TSS_INFINITE);
	return status == TSS_OK && size == sizeof(there) && memcmp(there, back, size) == 0;
}

int main(void)
{
	unsigned replies = 0;
	for (uint8_t n = 0; n < PINGS; n++)
		replies += (unsigned)ping_registers(n) + (unsigned)ping_bytes(n);
	printf("%u replies\n", replies);
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
