/* SPDX-License-Identifier: BSD-2-Clause */
/* rows_trace.c - what being recorded costs: the null call, the round trip, and one event. */
#include <abi/trace.h>
#include <interfaces/echo.h>
#include "bench.h"

#define RING_PAGES 9u

/* The sum of SAMPLES null calls while those categories are recorded. */
static uint64_t null_calls(cap_t ring, uint64_t categories)
{
	if (tss_system_trace(TSS_SLOT_SYSTEM, ring, categories) != TSS_OK)
		return 0;
	uint64_t start = ticks();
	for (int i = 0; i < SAMPLES; i++)
		(void)tss_self_version(NULL);
	return ticks() - start;
}

void rows_trace(void)
{
	uint64_t ring, a, b, c, d;
	if (tss_memory_create(TSS_SLOT_UNIT, RING_PAGES, &ring) != TSS_OK)
		return;
	uint64_t none = null_calls((cap_t)ring, TSS_TRACING_VIOLATION);
	uint64_t two = null_calls((cap_t)ring, TSS_TRACING_SYSCALL);
	report_one("trace_event", (two - none) / SAMPLES / 2);
	MEASURE("null_syscall_traced", (void)tss_self_version(NULL));
	(void)tss_system_trace(TSS_SLOT_SYSTEM, (cap_t)ring, TSS_TRACING_ALL);
	MEASURE("ipc_rt_register_cross_traced",
		(void)echo_registers(SLOT_ECHO, 1, 2, 3, 4, &a, &b, &c, &d, TSS_INFINITE));
	(void)tss_system_trace(TSS_SLOT_SYSTEM, (cap_t)ring, 0);
	(void)tss_capability_delete((cap_t)ring);
}
