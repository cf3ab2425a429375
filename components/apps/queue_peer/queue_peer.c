/* SPDX-License-Identifier: BSD-2-Clause */
/* queue_peer.c - one side of an ipc_queue and of a channel: each that asks gets them, and is then listened to. */
#include <interfaces/log.h>
#include <interfaces/meeting.h>
#include <tessera/chan.h>
#include <tessera/ipc_queue.h>
#include <tessera/tessera.h>
#include "slots.h"

#define RING_AT 0x400000000ull
#define RING_PAGES ((sizeof(struct ipc_queue) + TSS_PAGE_SIZE - 1) / TSS_PAGE_SIZE)
#define CHANNEL_BYTES 600u
#define ARRIVALS 24u /* empty slots: of the channel, and of what of it is handed out */

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static struct ipc_queue *const ring = (struct ipc_queue *)RING_AT;
static cap_t memory, channel, sending, room, mail;

static cap_t event_new(void)
{
	uint64_t handle = 0;
	return tss_event_create(TSS_SLOT_UNIT, &handle) == TSS_OK ? (cap_t)handle : TSS_CAP_NULL;
}

/* Until a message whose type is not OPEN: each has the next number, and its square. */
static void listen_ring(void)
{
	struct ipc_message m;
	uint64_t count = 0, wrong = 0;
	for (ipc_recv(ring, &m); m.type == IPC_MSG_OPEN; ipc_recv(ring, &m)) {
		wrong += m.a != count || m.b != count * count;
		count++;
	}
	printf("ring: %lu messages, %lu wrong\n", count, wrong);
}

/* Until a record of no bytes: number n has 1 + n % CHAN_RECORD_MAX bytes, each of them n's lowest. */
static void listen_channel(void)
{
	uint8_t record[CHAN_RECORD_MAX];
	uint64_t count = 0, wrong = 0;
	size_t size = 0;
	while (chan_recv(channel, record, sizeof(record), &size, 0, CHAN_FOREVER) == TSS_OK && size > 0) {
		wrong += size != 1 + count % CHAN_RECORD_MAX || record[0] != (uint8_t)count ||
			 record[size - 1] != (uint8_t)count;
		count++;
	}
	printf("channel: %lu records, %lu wrong\n", count, wrong);
}

static tss_status_t on_meet(void *state, struct tss_request *request, cap_t *to_memory, cap_t *to_room, cap_t *to_mail,
			    cap_t *to_channel)
{
	(void)state, (void)request;
	*to_memory = memory;
	*to_room = room;
	*to_mail = mail;
	*to_channel = sending;
	return TSS_OK;
}

int main(void)
{
	static const struct meeting_operations operations = {.meet = on_meet};
	struct tss_request request;
	uint64_t handle = 0;
	if (tss_memory_create(TSS_SLOT_UNIT, RING_PAGES, &handle) != TSS_OK ||
	    tss_unit_map(TSS_SLOT_UNIT, (cap_t)handle, RING_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE) != TSS_OK)
		return 1;
	memory = (cap_t)handle;
	channel = chan_create(SLOT_CHANNELS, ARRIVALS, CHANNEL_BYTES);
	sending = chan_derive(channel, ARRIVALS + 1, CHAN_SENDS);
	mail = event_new();
	room = event_new();
	ipc_queue_init(ring);
	if (sending == TSS_CAP_NULL || !ipc_queue_use_events(ring, mail, room))
		return 1;
	printf("ready\n");
	while (tss_port_receive(SLOT_PORT_MEETING, &request, TSS_INFINITE) == TSS_OK) {
		(void)meeting_dispatch(&operations, NULL, &request);
		if (tss_reply_send(request.reply, request.tag, request.words) != TSS_OK)
			continue;
		listen_ring();
		listen_channel();
	}
	return 1;
}
