/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.c - a server that does what it should not. With a terminal it is the console that gives the orders. Orders name
 * capabilities by number; it holds one of each kind for them: TSS_SLOT_UNIT, TSS_SLOT_SYSTEM, SLOT_EVENT_SPARE beside
 * its port, connections and devices.
 */
#include <interfaces/probe.h>
#include "probe.h"
#include "slots.h"

static tss_status_t serve_system_call(void *state, struct tss_request *request, uint64_t call, uint64_t a, uint64_t b,
				      uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t *result, uint64_t *value)
{
	(void)state, (void)request;
	raw_call(call, (const uint64_t[6]){a, b, c, d, e, f}, result, value);
	return TSS_OK;
}

static tss_status_t serve_fault(void *state, struct tss_request *request, uint64_t kind)
{
	(void)state, (void)request;
	fault_do(kind);
	return TSS_OK;
}

static tss_status_t serve_sleep(void *state, struct tss_request *request, uint64_t time_us, uint64_t *elapsed_us)
{
	(void)state, (void)request;
	*elapsed_us = sleep_measured(time_us);
	return TSS_OK;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct probe_operations operations = {
		.system_call = serve_system_call,
		.fault = serve_fault,
		.sleep = serve_sleep,
	};
	return probe_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	uint64_t what;
	if (tss_capability_inspect(SLOT_TERMINAL, &what) == TSS_OK)
		console_run();
	return (int)tss_serve(SLOT_PORT_PROBE, &server, NULL);
}
