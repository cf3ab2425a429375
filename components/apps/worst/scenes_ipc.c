/* SPDX-License-Identifier: BSD-2-Clause */
/* scenes_ipc.c - long queues, deep chains, many who wait for the same thing. */
#include "scenes.h"

#define FOUR_CAPS TSS_TAG(1, 0, 4)
#define LINKS 16u

static const uint64_t none[4];

/* A message with four capabilities of ours. */
static tss_status_t send_four(cap_t connection, cap_t what)
{
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		tss_ipc()->send_caps[i] = what;
	return tss_connection_send(connection, FOUR_CAPS, none);
}

static cap_t full_port(cap_t unit, cap_t connection_to[1])
{
	cap_t port = port_of(unit, DEEPEST), event = event_of(SELF);
	*connection_to = connection_of(port, SELF);
	for (unsigned i = 0; i < DEEPEST; i++)
		(void)send_four(*connection_to, event);
	return port;
}

/* Dropped when the port ends, taken one by one, and when the connection ends, forgotten one by one. */
void scene_queue(void)
{
	struct tss_request request;
	cap_t connection, port = full_port(SELF, &connection);
	if (send_four(connection, port) == TSS_OK)
		printf("worst: the queue is not full\n");
	(void)tss_port_receive(port, &request, 0);
	destroy(connection);
	destroy(full_port(SELF, &connection));
	cap_t unit = unit_of(200, 64);
	(void)full_port(unit, &connection);
	(void)tss_unit_kill(unit, 1);
}

void scene_mailbox(void)
{
	cap_t connection, full = full_port(SELF, &connection), memory = memory_of(SELF, TSS_MAILBOX_PAGES(DEEPEST));
	cap_t port = port_of(SELF, DEEPEST);
	volatile struct tss_mailbox *box = (volatile struct tss_mailbox *)MAP_AT;
	(void)tss_unit_map(SELF, memory, MAP_AT, RW);
	if (TSS_CODE(tss_port_mailbox(full, memory)) != TSS_E_AGAIN || tss_port_mailbox(port, memory) != TSS_OK)
		printf("worst: no mailbox\n");
	connection = connection_of(port, SELF);
	for (unsigned i = 0; i < DEEPEST; i++) {
		box->head = i * 0x9e3779b97f4a7c15ull;
		(void)tss_connection_send(connection, TSS_TAG(1, 256, 0), none);
	}
	box->head = box->tail;
	(void)tss_connection_send(connection, TSS_TAG(1, 256, 0), none);
	destroy(memory);
}

static void callers(cap_t connection, uint64_t timeout)
{
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connection, TSS_TAG(1, 0, 0), timeout), NOTHING,
				NOTHING);
	pause_us(20000);
}

void scene_callers(void)
{
	struct tss_request request;
	cap_t port = port_of(SELF, 0), connection = connection_of(port, SELF);
	callers(connection, FOREVER);
	(void)reply_of(port, SELF);
	(void)tss_port_receive(port, &request, 0);
	destroy(port);
	pause_us(20000);
}

void scene_answers(void)
{
	struct tss_request request;
	cap_t port = port_of(SELF, 0), connection = connection_of(port, SELF);
	for (unsigned i = 0; i < CREW; i++)
		(void)reply_of(port, SELF);
	callers(connection, FOREVER);
	for (unsigned i = 0; i < CREW; i++)
		(void)tss_port_receive(port, &request, 0);
	(void)tss_reply_send(request.reply, TSS_TAG(0, 256, 0), none);
	(void)tss_port_receive(port, &request, 0);
	destroy(port);
	pause_us(20000);
}

static void givers(cap_t port)
{
	cap_t connection = connection_of(port, SELF);
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connection, FOUR_CAPS, FOREVER), NOTHING, NOTHING);
	pause_us(20000);
}

/*
 * The receiver has declared no slots, so each caller in turn is refused until none is left; and again by one that waits
 * already, when there is a reply object at last.
 */
void scene_undeliverable(void)
{
	struct tss_request request;
	cap_t port = port_of(SELF, 0);
	(void)reply_of(port, SELF);
	givers(port);
	(void)tss_port_receive(port, &request, 0);
	port = port_of(SELF, 0);
	(void)thread_of(SELF, PATIENT, DO(port_receive, port, FOREVER), NOTHING, NOTHING);
	pause_us(5000);
	givers(port);
	(void)reply_of(port, SELF);
	pause_us(20000);
	(void)tss_port_receive(port, &request, 0);
}

/* Each link receives, then calls the next; the last one sleeps with the rest of the crew in its queue. */
void scene_chain(void)
{
	cap_t ports[LINKS + 1], connections[LINKS + 1], last = TSS_CAP_NULL;
	for (unsigned i = 0; i <= LINKS; i++) {
		ports[i] = port_of(SELF, 0);
		(void)reply_of(ports[i], SELF);
		connections[i] = connection_of(ports[i], SELF);
	}
	for (unsigned i = 0; i < LINKS; i++) {
		struct step next = DO(connection_call, connections[i + 1], TSS_TAG(1, 0, 0), 100000 + i);
		last = thread_of(SELF, PATIENT, DO(port_receive, ports[i], FOREVER), next, NOTHING);
	}
	pause_us(5000);
	for (unsigned i = 0; i < CREW / 2; i++)
		(void)thread_of(SELF, PATIENT, DO(connection_call, connections[i % LINKS], TSS_TAG(1, 0, 0), 50000),
				NOTHING, NOTHING);
	pause_us(20000);
	destroy(last);
	destroy(ports[LINKS - 1]);
	destroy(ports[0]);
	pause_us(200000);
}

/* Started one after the other, due in the same tick of the wheel. */
void scene_timeouts(void)
{
	uint64_t now = 0;
	cap_t port = port_of(SELF, 0), connection = connection_of(port, SELF), event = event_of(SELF);
	callers(connection, 300000);
	for (unsigned i = 0; i < CREW; i++)
		(void)thread_of(SELF, URGENT, DO(event_wait, event, 1), DO(self_sleep, 16777216), NOTHING);
	pause_us(500000);
	(void)tss_self_clock(&now);
	scene_over();
	uint64_t due = now + 1000000;
	for (unsigned i = 0; i < CREW; i++) {
		(void)tss_self_clock(&now);
		(void)thread_of(SELF, URGENT, DO(self_sleep, due - now), NOTHING, NOTHING);
	}
	pause_us(2000000);
}
