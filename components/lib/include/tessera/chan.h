/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chan.h - channels (abi/channel.h) under the names of the founding document: records of up to CHAN_RECORD_MAX bytes,
 * bounded in bytes together, any number of senders and receivers.
 *
 * A channel is a capability. Who makes one needs its own unit (`self: true` in component.yaml) and hands it on in messages,
 * with as few of the rights SEND, RECEIVE and CONTROL as will do (tss_capability_derive).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <abi/channel.h>

#define CHAN_RECORD_MAX TSS_MESSAGE_MAX

/* flags */
#define CHAN_PEEK 1u /* receive: leave the record where it is */
#define CHAN_TRUNCATE 2u /* receive: cut a record that is longer than the buffer */
#define CHAN_NONBLOCK 4u /* do not wait: FULL, or TIMEOUT if there is no record */

#define CHAN_FOREVER UINT64_MAX

/* A channel whose records may take max_bytes (TSS_CHANNEL_TAKES each), which this unit pays for; TSS_CAP_NULL: none. */
cap_t chan_create(size_t max_bytes);

/*
 * Sends a record of len bytes and waits for room as long as that takes (NONBLOCK: not at all; _timed: so many ns, rounded
 * up to microseconds). ARGUMENT (2): it is longer than CHAN_RECORD_MAX or than the channel; PEER_DEAD: the channel has ended.
 */
tss_status_t chan_send(cap_t ch, const void *buf, size_t len, uint64_t flags);
tss_status_t chan_send_timed(cap_t ch, const void *buf, size_t len, uint64_t flags, uint64_t timeout_ns);

/*
 * Receives the oldest record into buf, of buf_len bytes. *out_len is the record's length, also of one that was cut. ARGUMENT
 * (2): it is longer than buf, and stays; TIMEOUT; PEER_DEAD: the channel has ended and no record is left.
 */
tss_status_t chan_recv(cap_t ch, void *buf, size_t buf_len, size_t *out_len, uint64_t flags, uint64_t timeout_ns);

/* No more records: senders get PEER_DEAD at once, receivers when none is left. Needs CONTROL. */
tss_status_t chan_close(cap_t ch);
