/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_echo.c - the server of the measurements: what apps/echo does, and yields. */
#include <abi/audit.h>
#include <interfaces/bench.h>
#include <interfaces/echo.h>
#include <tessera/tessera.h>
#include "slots.h"

#define SLOT_ARRIVALS 12u /* an empty slot for capabilities that come with a message */

static tss_status_t on_registers(void *state, struct tss_request *request, uint64_t a, uint64_t b, uint64_t c,
				 uint64_t d, uint64_t *e, uint64_t *f, uint64_t *g, uint64_t *h)
{
	(void)state, (void)request;
	*e = a;
	*f = b;
	*g = c;
	*h = d;
	return TSS_OK;
}

static tss_status_t on_bytes(void *state, struct tss_request *request, const void *data, size_t size, void *back,
			     size_t *back_size)
{
	(void)state, (void)request;
	memcpy(back, data, size);
	*back_size = size;
	return TSS_OK;
}

static tss_status_t on_grant(void *state, struct tss_request *request, const void *data, size_t size, cap_t thing,
			     void *back, size_t *back_size)
{
	(void)tss_capability_delete(thing);
	return on_bytes(state, request, data, size, back, back_size);
}

static __attribute__((noinline)) void drain(void)
{
	const struct tss_audit_batch *batch = (const struct tss_audit_batch *)tss_ipc()->recv;
	uint64_t count = 0, last = 0;
	while (tss_system_audit(TSS_SLOT_SYSTEM, SLOT_EVENT_RECORDS, last, &count) == TSS_OK && count > 0)
		last = batch->records[count - 1].number;
}

static tss_status_t on_yields(void *state, struct tss_request *request, uint32_t count)
{
	(void)state, (void)request;
	if (count == 0)
		drain();
	for (uint32_t i = 0; i < count; i++)
		(void)tss_self_yield();
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct echo_operations operations = {
		.registers = on_registers,
		.small = on_bytes,
		.middle = on_bytes,
		.large = on_bytes,
		.grant = on_grant,
	};
	static const struct bench_operations more = {.yields = on_yields};
	if (__builtin_expect(TSS_TAG_TYPE(request->tag) == BENCH_METHOD_YIELDS, 0))
		return bench_dispatch(&more, state, request);
	return echo_dispatch(&operations, state, request);
}

/* A breakpoint: the thread stands behind it and can go on as it is. */
static void on_fault(void *state, struct tss_request *request)
{
	(void)state;
	request->tag = TSS_TAG(TSS_FAULT_RESUME, 0, 0);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request, .fault = on_fault};
	tss_ipc()->recv_slots[0] = SLOT_ARRIVALS;
	return (int)tss_serve(SLOT_PORT_ECHO, &server, NULL);
}
