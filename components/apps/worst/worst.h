/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worst.h - what scenes are made of. What a scene makes is given back behind it, the last first; its threads are
 * scripts of up to three system calls, in this unit or in others.
 */
#pragma once
#include <abi/audit.h>
#include <abi/inspect.h>
#include <abi/mailbox.h>
#include <abi/trace.h>
#include <tessera/tessera.h>
#include "slots.h"

#define SELF TSS_SLOT_UNIT
#define SYSTEM TSS_SLOT_SYSTEM
#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)
#define RX (TSS_RIGHT_READ | TSS_RIGHT_EXECUTE)
#define URGENT 210u /* more than the first thread */
#define PATIENT 100u
#define FOREVER TSS_INFINITE
#define MAP_AT 0x0000000540000000ull /* whole 2 MiB, with no table of 4 KiB pages */
#define CREW 200u /* threads */
#define LARGEST 8192u /* pages of one memory object */
#define DEEPEST 256u /* places of a queue */

struct step {
	uint64_t number, arguments[6]; /* number 0: that was the last one; STEP_TOUCH: arguments[0] is written to */
};
#define STEPS 4u
#define STEP_TOUCH 1u

#define DO(call, ...) ((struct step){TSS_SYS_##call, {__VA_ARGS__}})

/* Remembers what a scene has made, to be given back behind it. Says so if it was not made. */
cap_t made(tss_status_t status, const uint64_t *handle, const char *what);
void scene_over(void);
void destroy(cap_t cap); /* deletes, as often as it takes */

void jobs_init(void);
cap_t thread_of(cap_t unit, unsigned priority, struct step first, struct step second, struct step third);
#define NOTHING ((struct step){0, {0}})
void pause_us(uint64_t us); /* the others' turn */

cap_t port_of(cap_t unit, unsigned depth);
cap_t reply_of(cap_t port, cap_t unit);
cap_t connection_of(cap_t port, cap_t unit);
cap_t event_of(cap_t unit);
cap_t memory_of(cap_t unit, uint64_t pages);
cap_t unit_of(uint64_t pages, uint64_t slots); /* a child that can run jobs */
cap_t copy_of(cap_t cap, uint64_t rights);
/* A copy in that slot of another unit; what cannot be is said. */
void give(cap_t unit, unsigned slot, cap_t cap, uint64_t rights);
