/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit.h - the record of what passes through PARANOID connections, and how system_audit hands it out.
 *
 * The kernel numbers records from 1 without gaps and keeps each until it is acknowledged. While there is no room for a
 * message's record the message is refused (AUDIT_FULL); a call has room for its answer from the start.
 */
#pragma once
#include "abi.h"

enum tss_audit_what {
	TSS_AUDIT_CALL = 1,
	TSS_AUDIT_SEND = 2,
	TSS_AUDIT_REPLY = 3,     /* the answer to a call; tag: the reply's */
	TSS_AUDIT_VIOLATION = 4, /* refused, and its sender stopped; tag: what it tried to send */
	TSS_AUDIT_MODE = 5,      /* the connection is PARANOID from here on; tag: its mode before */
};

struct tss_audit_record {        /* 64 bytes, little endian: hashed as they are */
	uint64_t number, time_us;
	uint32_t what;           /* enum tss_audit_what */
	uint32_t connection;     /* object id */
	uint64_t tag;            /* type, length and capabilities of the message: message.h */
	uint8_t client[TSS_NAME_SIZE]; /* who sent; the unit that a REPLY is for */
	uint8_t server[TSS_NAME_SIZE]; /* the unit behind the port */
};

#define TSS_AUDIT_RECORDS 256u /* places in the ring */
#define TSS_AUDIT_BATCH 3u     /* records that one call hands out at most */

/* In recv[] of the caller's IPC page; send[0..3] is the head that goes with an acknowledgement. */
struct tss_audit_batch {
	uint64_t head[4];        /* what came with the last acknowledgement: the reader's hash, which outlives the reader */
	struct tss_audit_record records[TSS_AUDIT_BATCH];
};
_Static_assert(sizeof(struct tss_audit_record) == 64 && sizeof(struct tss_audit_batch) == 224, "audit layout");
