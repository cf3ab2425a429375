/* SPDX-License-Identifier: BSD-2-Clause */
/* queue_source.c - the writing side of the system queues; whoever reads checks numbers and bytes. */
#include <interfaces/log.h>
#include <interfaces/meeting.h>
#include <interfaces/note.h>
#include <tessera/chan.h>
#include <tessera/ipc_queue.h>
#include <tessera/tessera.h>
#include "slots.h"

#define RING_AT 0x400000000ull
#define ARRIVALS 200u /* empty slots for four capabilities */
#define LATER_US 500u

TSS_OUTPUT_TO_LOG(SLOT_LOG)

/* Sends one note; a full mailbox is tried again, a restarted owner is told the same. */
static tss_status_t post(uint64_t n, const void *text, size_t size)
{
	tss_status_t status;
	for (;;) {
		status = note_post_send(SLOT_INBOX, n, text, size);
		if (TSS_CODE(status) != TSS_E_FULL)
			return status;
		(void)tss_self_sleep(LATER_US);
	}
}

static void write_notes(void)
{
	uint8_t text[NOTE_POST_TEXT_MAX];
	tss_status_t status = TSS_OK;
	uint64_t n = 0;
	for (; n < PARAMETERS->notes && status == TSS_OK; n++) {
		memset(text, (int)(uint8_t)n, sizeof(text));
		status = post(n, text, 1 + n % sizeof(text));
	}
	if (status == TSS_OK)
		status = post(n, text, 0);
	printf("%lu notes, %s\n", n, tss_error_name(status));
}

static void send_ring(struct ipc_queue *ring)
{
	for (uint64_t n = 0; n < PARAMETERS->notes; n++)
		ipc_send(ring, &(struct ipc_message){.type = IPC_MSG_OPEN, .a = n, .b = n * n});
	ipc_send(ring, &(struct ipc_message){.type = IPC_MSG_NONE});
}

static tss_status_t send_channel(cap_t channel)
{
	uint8_t record[CHAN_RECORD_MAX];
	tss_status_t status = TSS_OK;
	for (uint64_t n = 0; n < PARAMETERS->notes && status == TSS_OK; n++) {
		memset(record, (int)(uint8_t)n, sizeof(record));
		status = chan_send(channel, record, 1 + n % sizeof(record), 0);
	}
	return status == TSS_OK ? chan_send(channel, record, 0, 0) : status;
}

static void meet(void)
{
	cap_t memory = TSS_CAP_NULL, room = TSS_CAP_NULL, mail = TSS_CAP_NULL, channel = TSS_CAP_NULL;
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		tss_ipc()->recv_slots[i] = ARRIVALS + i;
	if (meeting_meet(SLOT_PEER, &memory, &room, &mail, &channel, TSS_INFINITE) != TSS_OK ||
	    tss_unit_map(TSS_SLOT_UNIT, memory, RING_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE) != TSS_OK ||
	    !ipc_queue_use_events((struct ipc_queue *)RING_AT, room, mail)) {
		printf("no meeting\n");
		return;
	}
	send_ring((struct ipc_queue *)RING_AT);
	printf("ring and channel: %s\n", tss_error_name(send_channel(channel)));
}

int main(void)
{
	uint64_t kind;
	if (tss_capability_inspect(SLOT_INBOX, &kind) == TSS_OK)
		write_notes();
	if (tss_capability_inspect(SLOT_PEER, &kind) == TSS_OK)
		meet();
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
