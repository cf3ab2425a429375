/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heartbeat.h - signs of life for the supervisor (servers/reincarnation).
 *
 * `heartbeat: 500ms` in a manifest gives the instance a connection at TSS_SLOT_HEARTBEAT and the period in bits 32-63
 * of its argument. Two periods without a heartbeat count as hung: the instance is killed and restarted as its contract
 * says. tss_serve sends heartbeats by itself; a program with a loop of its own calls tss_heartbeat() in it and waits no
 * longer than tss_heartbeat_timeout(). Without a heartbeat in the manifest both cost nothing and do nothing.
 */
#pragma once
#include <tessera/ipc.h>

#define TSS_SLOT_HEARTBEAT 12u /* one of the fixed slots that abi.h leaves without a meaning */
#define TSS_MSG_HEARTBEAT 0xfffe0001u /* no interface's method, and not one of the kernel's own types */

extern uint64_t tss_heartbeat_us; /* the period, 0: none is wanted */

/* Sends a heartbeat unless the last one is less than half a period old. Never blocks. */
void tss_heartbeat(void);

/* The longest wait between two calls of tss_heartbeat(): half the period, or TSS_INFINITE. */
TSS_INLINE uint64_t tss_heartbeat_timeout(void)
{
	return tss_heartbeat_us == 0 ? TSS_INFINITE : tss_heartbeat_us / 2;
}
