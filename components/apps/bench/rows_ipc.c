/* SPDX-License-Identifier: BSD-2-Clause */
/* rows_ipc.c - messages: round trips to another unit and within this one, and the asynchronous queue. */
#include <interfaces/bench.h>
#include <interfaces/echo.h>
#include <tessera/chan.h>
#include <tessera/mailbox.h>
#include "bench.h"

#define SECOND_US 1000000u
#define PORT_DEPTH 4u
#define ARRIVAL 500u /* an empty slot */
#define MAILBOX_AT 0x300000000000ull

static uint8_t data[ECHO_LARGE_DATA_MAX], back[ECHO_LARGE_DATA_MAX];
static size_t back_size;

static void call_registers(cap_t connection, const char *name, uint64_t timeout_us)
{
	uint64_t a, b, c, d;
	MEASURE(name, (void)echo_registers(connection, 1, 2, 3, 4, &a, &b, &c, &d, timeout_us));
}

static void calls_cross(void)
{
	uint64_t gift;
	call_registers(SLOT_ECHO, "ipc_rt_register_cross", TSS_INFINITE);
	call_registers(SLOT_ECHO, "ipc_rt_register_cross_timeout", SECOND_US);
	MEASURE("ipc_rt_64_cross",
		(void)echo_small(SLOT_ECHO, data, ECHO_SMALL_DATA_MAX, back, sizeof(back), &back_size, TSS_INFINITE));
	MEASURE("ipc_rt_80_cross",
		(void)echo_middle(SLOT_ECHO, data, ECHO_MIDDLE_DATA_MAX, back, sizeof(back), &back_size, TSS_INFINITE));
	MEASURE("ipc_rt_256_cross",
		(void)echo_large(SLOT_ECHO, data, ECHO_LARGE_DATA_MAX, back, sizeof(back), &back_size, TSS_INFINITE));
	if (tss_event_create(TSS_SLOT_UNIT, &gift) != TSS_OK)
		return;
	MEASURE("ipc_rt_256_cap_cross", (void)echo_grant(SLOT_ECHO, data, ECHO_GRANT_DATA_MAX, (cap_t)gift, back,
							 sizeof(back), &back_size, TSS_INFINITE));
	(void)tss_capability_delete((cap_t)gift);
}

static void modes(cap_t connection, const char *const names[3])
{
	uint64_t a, b, c, d;
	MEASURE_AFTER(names[0], (void)bench_yields(SLOT_ECHO, 0, TSS_INFINITE),
		      (void)echo_registers(connection, 1, 2, 3, 4, &a, &b, &c, &d, TSS_INFINITE));
	MEASURE_AFTER(
		names[1], (void)bench_yields(SLOT_ECHO, 0, TSS_INFINITE),
		(void)echo_small(connection, data, ECHO_SMALL_DATA_MAX, back, sizeof(back), &back_size, TSS_INFINITE));
	MEASURE_AFTER(
		names[2], (void)bench_yields(SLOT_ECHO, 0, TSS_INFINITE),
		(void)echo_large(connection, data, ECHO_LARGE_DATA_MAX, back, sizeof(back), &back_size, TSS_INFINITE));
}

/* What the modes cost: the rows above without a suffix are the FAST ones. */
static void calls_guarded(void)
{
	static const char *const hardened[] = {"ipc_rt_register_cross_hardened", "ipc_rt_64_cross_hardened",
					       "ipc_rt_256_cross_hardened"};
	static const char *const paranoid[] = {"ipc_rt_register_cross_paranoid", "ipc_rt_64_cross_paranoid",
					       "ipc_rt_256_cross_paranoid"};
	modes(SLOT_HARDENED, hardened);
	modes(SLOT_PARANOID, paranoid);
}

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

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct echo_operations operations = {.registers = on_registers};
	return echo_dispatch(&operations, state, request);
}

static void serve(void *port)
{
	static const struct tss_server server = {.request = on_request};
	(void)tss_serve((cap_t)(uintptr_t)port, &server, NULL);
}

/* A port of our own; connection 0 if the kernel refuses. */
static cap_t own_port(uint64_t *port)
{
	uint64_t reply, connection;
	if (tss_port_create(TSS_SLOT_UNIT, PORT_DEPTH, port) != TSS_OK ||
	    tss_reply_create((cap_t)*port, TSS_SLOT_UNIT, &reply) != TSS_OK ||
	    tss_connection_create((cap_t)*port, TSS_SLOT_UNIT, 1, 0, &connection) != TSS_OK)
		return TSS_CAP_NULL;
	return (cap_t)connection;
}

static void calls_same(void)
{
	uint64_t port;
	cap_t connection = own_port(&port);
	if (connection != TSS_CAP_NULL && thread_run(serve, (void *)(uintptr_t)port, PRIORITY))
		call_registers(connection, "ipc_rt_register_same", TSS_INFINITE);
}

static void send_and_receive(cap_t connection, cap_t port)
{
	const uint64_t words[4] = {1, 2, 3, 4};
	struct tss_request request;
	(void)tss_connection_send(connection, TSS_TAG(1, 32, 0), words);
	(void)tss_port_receive(port, &request, 0);
}

static void send_and_take(cap_t connection, struct mailbox *box)
{
	const uint64_t words[4] = {1, 2, 3, 4};
	struct tss_request request;
	(void)tss_connection_send(connection, TSS_TAG(1, 32, 0), words);
	(void)mailbox_receive(box, &request);
}

static void row_mailbox(void)
{
	uint64_t port, memory;
	struct mailbox box;
	cap_t connection = own_port(&port);
	if (connection == TSS_CAP_NULL ||
	    tss_memory_create(TSS_SLOT_UNIT, TSS_MAILBOX_PAGES(PORT_DEPTH), &memory) != TSS_OK ||
	    tss_unit_map(TSS_SLOT_UNIT, (cap_t)memory, MAILBOX_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE) != TSS_OK ||
	    mailbox_open(&box, (cap_t)port, (cap_t)memory, (void *)MAILBOX_AT, PORT_DEPTH) != TSS_OK)
		return;
	MEASURE("mailbox_send_receive", send_and_take(connection, &box));
}

static void through(cap_t channel)
{
	(void)chan_send(channel, data, 32, 0);
	(void)chan_recv(channel, back, 32, &back_size, 0, CHAN_FOREVER);
}

void rows_ipc(void)
{
	uint64_t port;
	calls_cross();
	calls_guarded();
	calls_same();
	cap_t connection = own_port(&port);
	if (connection != TSS_CAP_NULL)
		MEASURE("ipc_send_receive_async", send_and_receive(connection, (cap_t)port));
	row_mailbox();
	cap_t channel = chan_create(SLOT_CHANNELS, ARRIVAL, CHAN_TAKES(32));
	if (channel != TSS_CAP_NULL)
		MEASURE("channel_send_receive", through(channel));
}
