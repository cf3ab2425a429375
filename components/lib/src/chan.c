/* SPDX-License-Identifier: BSD-2-Clause */
/* chan.c - chan.h: records to and from the IPC page. */
#include <tessera/chan.h>
#include <tessera/ipc.h>

static uint64_t microseconds(uint64_t flags, uint64_t timeout_ns)
{
	if (flags & CHAN_NONBLOCK)
		return 0;
	if (timeout_ns == CHAN_FOREVER)
		return TSS_INFINITE;
	return timeout_ns / 1000 + (timeout_ns % 1000 != 0);
}

cap_t chan_create(size_t max_bytes)
{
	uint64_t handle = 0;
	return tss_channel_create(TSS_SLOT_UNIT, max_bytes, &handle) == TSS_OK ? (cap_t)handle : TSS_CAP_NULL;
}

tss_status_t chan_send_timed(cap_t ch, const void *buf, size_t len, uint64_t flags, uint64_t timeout_ns)
{
	if (len > CHAN_RECORD_MAX)
		return TSS_STATUS(TSS_E_ARGUMENT, 2);
	if (flags & ~(uint64_t)CHAN_NONBLOCK)
		return TSS_STATUS(TSS_E_ARGUMENT, 4);
	memcpy(tss_ipc()->send, buf, len);
	return tss_channel_send(ch, len, microseconds(flags, timeout_ns));
}

tss_status_t chan_send(cap_t ch, const void *buf, size_t len, uint64_t flags)
{
	return chan_send_timed(ch, buf, len, flags, CHAN_FOREVER);
}

tss_status_t chan_recv(cap_t ch, void *buf, size_t buf_len, size_t *out_len, uint64_t flags, uint64_t timeout_ns)
{
	uint64_t length = 0, room = buf_len < CHAN_RECORD_MAX ? buf_len : CHAN_RECORD_MAX;
	tss_status_t status = tss_channel_receive(ch, room, flags & ~(uint64_t)CHAN_NONBLOCK,
						  microseconds(flags, timeout_ns), &length);
	if (status == TSS_OK)
		memcpy(buf, tss_ipc()->recv, length < room ? length : room);
	if (out_len)
		*out_len = length;
	return status;
}

tss_status_t chan_close(cap_t ch)
{
	return tss_channel_close(ch);
}
