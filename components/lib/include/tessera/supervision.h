/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervision.h - what generator, init and servers/reincarnation agree on.
 *
 * The supervisor has one port. Who speaks is told by the badge, and what is said by the type: a client of the interface
 * has a small badge and cannot send the kernel's types; the kernel tells of faults and ends through connections that
 * only init holds, without any right to send through them.
 *
 * The table is the supervisor's directory (TSS_SLOT_DIRECTORY, at TSS_LAYOUT_DIRECTORY, read-only): header, rows,
 * administrators, controls, sections of images (tessera/section.h), back to back. Row n is instance n + TSS_SUPERVISED_FIRST of the init table.
 */
#pragma once
#include <abi/abi.h>
#include <tessera/section.h>

#define TSS_BADGE_SUPERVISE 0x10000u /* + row: FAULT and ENDED of that instance */
#define TSS_BADGE_HEARTBEAT 0x20000u /* + row: its heartbeats */
#define TSS_SUPERVISED_FIRST 2u /* instance 0 is init, 1 the supervisor */
#define TSS_SUPERVISED_MAX 254u
#define TSS_SUPERVISED_WORDS 4u /* of as many bits */
#define TSS_UNIT_SEALED 1u /* field b of a UNIT object in the init table */

#define TSS_SUPERVISION_MAGIC 0x4c425653u /* "SVBL" */

enum tss_restart_policy { TSS_RESTART_NEVER, TSS_RESTART_ALWAYS, TSS_RESTART_ON_FAILURE };
enum tss_restart_then { TSS_THEN_HOLD, TSS_THEN_DEGRADE, TSS_THEN_REBOOT };

struct tss_supervision_header { /* 24 bytes */
	uint32_t magic, rows, administrators, controls;
	uint32_t sections; /* of those whose layout moves and who may be restarted; of others there are none */
	uint32_t reserved; /* 0 */
};

struct tss_supervision_row { /* 96 bytes; times in microseconds */
	uint8_t name[TSS_NAME_SIZE];
	uint32_t unit; /* the supervisor's slot: UNIT with INSTALL */
	uint32_t policy, then;
	uint32_t max; /* so many ends within window_us are answered by restarts */
	uint64_t window_us;
	uint64_t backoff_min_us, backoff_max_us; /* before a restart; doubles from end to end within the window */
	uint64_t heartbeat_us; /* period, 0: none */
	uint64_t dependants[TSS_SUPERVISED_WORDS]; /* bit n: row n is restarted with it */
};

#define TSS_MAY_KILL 1u
#define TSS_MAY_RESTART 2u
#define TSS_MAY_MODE 4u
struct tss_supervision_administrator { /* 32 bytes */
	uint64_t badge;
	uint32_t may; /* TSS_MAY_*, beside looking */
	uint32_t reserved; /* 0 */
	uint8_t client[TSS_NAME_SIZE];
};
struct tss_supervision_control { /* 64 bytes: a connection whose mode can be raised on request */
	uint32_t slot; /* the supervisor's: CONNECTION with CONTROL */
	uint32_t reserved; /* 0 */
	uint64_t reserved2; /* 0 */
	uint8_t client[TSS_NAME_SIZE];
	uint8_t name[32]; /* the client's name for it */
};
_Static_assert(sizeof(struct tss_supervision_control) == 64, "supervision table layout");
_Static_assert(sizeof(struct tss_supervision_row) == 96 && sizeof(struct tss_supervision_administrator) == 32,
	       "supervision table layout");
