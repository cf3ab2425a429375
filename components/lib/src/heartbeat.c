/* SPDX-License-Identifier: BSD-2-Clause */
/* heartbeat.c - a message without contents every half period. */
#include <tessera/heartbeat.h>

void tss_heartbeat(void)
{
	static uint64_t next_us;
	const uint64_t none[4] = {0, 0, 0, 0};
	uint64_t now = 0;
	if (tss_heartbeat_us == 0)
		return;
	(void)tss_self_clock(&now);
	if (now < next_us)
		return;
	next_us = now + tss_heartbeat_us / 2;
	tss_status_t status = tss_connection_send(TSS_SLOT_HEARTBEAT, TSS_TAG(TSS_MSG_HEARTBEAT, 0, 0), none);
	if (TSS_CODE(status) == TSS_E_PEER_RESTARTED)
		(void)tss_connection_send(TSS_SLOT_HEARTBEAT, TSS_TAG(TSS_MSG_HEARTBEAT, 0, 0), none);
}
