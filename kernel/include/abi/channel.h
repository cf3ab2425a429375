/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel.h - channels: records of 0 to 256 bytes in a queue that is bounded in bytes, any number of senders and receivers.
 *
 * A record travels through the IPC pages, send[0] to recv[0], and arrives whole. In the queue it takes its length rounded up
 * to 8, and 8 bytes more. Who finds no room, or no record, waits; the most urgent goes first, equals in order of arrival, and
 * no sender overtakes one that is as urgent. When a channel has ended (channel_close, or the unit that paid for it has
 * ended) senders get PEER_DEAD at once, receivers when no record is left.
 */
#pragma once
#include "message.h"

#define TSS_CHANNEL_BYTES_MAX 4096u /* of a channel */
#define TSS_CHANNEL_TAKES(length) (8u + ((length) + 7u) / 8u * 8u)

/* channel_receive */
#define TSS_CHANNEL_PEEK 1u     /* leave the record where it is */
#define TSS_CHANNEL_TRUNCATE 2u /* cut a record that is too long for the room; otherwise ARGUMENT (2), and it stays */
