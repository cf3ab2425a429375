/* SPDX-License-Identifier: BSD-2-Clause */
/* chan.c - chan.h: the server's errors in the words of the kernel's, and the sign of life. */
#include <interfaces/channel.h>
#include <tessera/chan.h>
#include <tessera/ipc.h>

/* A call's time; what does not wait at all waits for the server's answer all the same, and says so in its flags. */
static uint64_t microseconds(uint64_t *flags, uint64_t timeout_ns)
{
	if (timeout_ns == 0)
		*flags |= CHAN_NONBLOCK;
	if (*flags & CHAN_NONBLOCK || timeout_ns == CHAN_FOREVER)
		return TSS_INFINITE;
	return timeout_ns / 1000 + (timeout_ns % 1000 != 0);
}

static tss_status_t status_of(tss_status_t status, unsigned flags_argument)
{
	switch (status) {
	case CHANNEL_ERROR_BAD_FLAGS:
		return TSS_STATUS(TSS_E_ARGUMENT, flags_argument);
	case CHANNEL_ERROR_TOO_LONG:
		return TSS_STATUS(TSS_E_ARGUMENT, 2);
	case CHANNEL_ERROR_FULL:
		return TSS_STATUS(TSS_E_FULL, 1);
	case CHANNEL_ERROR_EMPTY:
		return TSS_STATUS(TSS_E_TIMEOUT, 0);
	case CHANNEL_ERROR_ENDED:
		return TSS_STATUS(TSS_E_PEER_DEAD, 1);
	case CHANNEL_ERROR_ROLE:
		return TSS_STATUS(TSS_E_RIGHTS, 1);
	case CHANNEL_ERROR_BUSY:
		return TSS_STATUS(TSS_E_BUSY, 1);
	default:
		return status;
	}
}

/* A connection to a port of this unit's, which ends with it. Two threads may make two of them: that harms nobody. */
static cap_t sign_of_life(void)
{
	static cap_t life;
	uint64_t port = 0, connection = 0;
	if (life == TSS_CAP_NULL && tss_port_create(TSS_SLOT_UNIT, 0, &port) == TSS_OK &&
	    tss_connection_create((cap_t)port, TSS_SLOT_UNIT, 0, 0, &connection) == TSS_OK)
		life = (cap_t)connection;
	return life;
}

cap_t chan_create(cap_t channels, uint32_t slot, size_t max_bytes)
{
	cap_t life = sign_of_life(), channel = TSS_CAP_NULL;
	if (life == TSS_CAP_NULL || max_bytes > CHAN_BYTES_MAX)
		return TSS_CAP_NULL;
	tss_ipc()->recv_slots[0] = slot;
	tss_status_t status = channel_create(channels, (uint32_t)max_bytes, life, &channel, TSS_INFINITE);
	return status == TSS_OK ? channel : TSS_CAP_NULL;
}

cap_t chan_derive(cap_t ch, uint32_t slot, uint32_t roles)
{
	cap_t channel = TSS_CAP_NULL;
	tss_ipc()->recv_slots[0] = slot;
	return channel_narrow(ch, roles, &channel, TSS_INFINITE) == TSS_OK ? channel : TSS_CAP_NULL;
}

tss_status_t chan_send_timed(cap_t ch, const void *buf, size_t len, uint64_t flags, uint64_t timeout_ns)
{
	uint64_t timeout_us = microseconds(&flags, timeout_ns);
	if (len > CHAN_RECORD_MAX)
		return TSS_STATUS(TSS_E_ARGUMENT, 2);
	if (flags & ~(uint64_t)CHAN_NONBLOCK)
		return TSS_STATUS(TSS_E_ARGUMENT, 4);
	return status_of(channel_put(ch, (uint32_t)flags, buf, len, timeout_us), 4);
}

tss_status_t chan_send(cap_t ch, const void *buf, size_t len, uint64_t flags)
{
	return chan_send_timed(ch, buf, len, flags, CHAN_FOREVER);
}

tss_status_t chan_recv(cap_t ch, void *buf, size_t buf_len, size_t *out_len, uint64_t flags, uint64_t timeout_ns)
{
	uint32_t length = 0, room = (uint32_t)(buf_len < CHAN_RECORD_MAX ? buf_len : CHAN_RECORD_MAX);
	uint64_t timeout_us = microseconds(&flags, timeout_ns);
	size_t size = 0;
	if (flags > UINT32_MAX)
		return TSS_STATUS(TSS_E_ARGUMENT, 5);
	tss_status_t status = channel_take(ch, room, (uint32_t)flags, &length, buf, room, &size, timeout_us);
	if (out_len)
		*out_len = status == TSS_OK ? length : 0;
	return status_of(status, 5);
}

tss_status_t chan_close(cap_t ch)
{
	return status_of(channel_close(ch, TSS_INFINITE), 0);
}
