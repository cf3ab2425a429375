/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.c - a complete server: a table of operations and a loop. */
#include <interfaces/echo.h>
#include <interfaces/log.h>
#include <interfaces/name.h>
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

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct echo_operations operations = {
		.registers = on_registers,
		.small = on_bytes,
		.middle = on_bytes,
		.large = on_bytes,
		.grant = on_grant,
	};
	return echo_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	static const char ready[] = "ready\n";
	(void)log_write_send(SLOT_LOG, ready, sizeof(ready) - 1);
	(void)name_enter(SLOT_NAMES, "echo", 4, SLOT_SELF, TSS_INFINITE); /* where the manifest connects both */
	tss_ipc()->recv_slots[0] = SLOT_ARRIVALS;
	return (int)tss_serve(SLOT_PORT_ECHO, &server, NULL);
}
