/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chan.h - channels of servers/channel under the names of the founding document: records of up to CHAN_RECORD_MAX bytes,
 * bounded in bytes together, any number of senders and receivers.
 *
 * A channel is a capability, a connection to the server, and is handed on in messages. It has roles, of which chan_derive
 * leaves some away (a capability's rights do not say who may receive). Who waits is served in the order of arrival.
 * A channel ends with chan_close, with the unit that made it, and with the server, which knows nothing of it after a
 * restart: then its capabilities are gone (CAPABILITY; PEER_DEAD until then), and who was waiting hears PEER_RESTARTED.
 *
 * What the server keeps for one client is bounded: servers/channel/README.md. Its messages are of 256 bytes, hence the
 * length of a record.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>
#include <tessera/syscalls.h>

#define CHAN_RECORD_MAX 240u
#define CHAN_BYTES_MAX 16384u /* of all channels that a client has made together */
#define CHAN_TAKES(length) (8u + ((length) + 7u) / 8u * 8u) /* bytes of a record in the queue */

/* flags */
#define CHAN_PEEK 1u /* receive: leave the record where it is */
#define CHAN_TRUNCATE 2u /* receive: cut a record that is longer than the buffer */
#define CHAN_NONBLOCK 4u /* do not wait: FULL, or TIMEOUT if there is no record */

/* roles */
#define CHAN_SENDS 1u
#define CHAN_RECEIVES 2u
#define CHAN_CONTROLS 4u /* may close it */

#define CHAN_FOREVER UINT64_MAX

/*
 * A channel whose records may take max_bytes (CHAN_TAKES each), made by the server that `channels` is a connection to. It
 * arrives in `slot`, which is empty. Needs `self: true` in component.yaml: the channel ends with a port of this unit's.
 * TSS_CAP_NULL: there is none; a share is used up, or max_bytes is below 8 or above CHAN_BYTES_MAX.
 */
cap_t chan_create(cap_t channels, uint32_t slot, size_t max_bytes);

/* The same channel, in an empty slot, with some of the roles that ch has; TSS_CAP_NULL: it has not all of them. */
cap_t chan_derive(cap_t ch, uint32_t slot, uint32_t roles);

/*
 * Sends a record of len bytes and waits for room as long as that takes (NONBLOCK or 0: not at all; _timed: so many ns,
 * rounded up to microseconds). ARGUMENT (2): it is longer than CHAN_RECORD_MAX or than the channel; PEER_DEAD: the channel
 * has ended; RIGHTS: ch has not the role; BUSY: as many wait at the channels of its maker as may.
 */
tss_status_t chan_send(cap_t ch, const void *buf, size_t len, uint64_t flags);
tss_status_t chan_send_timed(cap_t ch, const void *buf, size_t len, uint64_t flags, uint64_t timeout_ns);

/*
 * Receives the oldest record into buf, of buf_len bytes. *out_len is the record's length, also of one that was cut. ARGUMENT
 * (2): it is longer than buf, and stays; TIMEOUT; PEER_DEAD: the channel has ended and no record is left; RIGHTS, BUSY.
 */
tss_status_t chan_recv(cap_t ch, void *buf, size_t buf_len, size_t *out_len, uint64_t flags, uint64_t timeout_ns);

/* No more records: senders get PEER_DEAD at once, receivers when none is left. Needs CONTROLS. */
tss_status_t chan_close(cap_t ch);
