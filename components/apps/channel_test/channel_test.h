/* SPDX-License-Identifier: BSD-2-Clause */
/* channel_test.h - workers, threads that send or receive once; and what is checked. */
#pragma once
#include <tessera/chan.h>
#include <tessera/tessera.h>
#include "slots.h"

#define ARRIVALS 128u /* empty slots */
#define CHANNELS 4u /* a client's share */
#define WAITERS 6u
#define ABOVE 120u /* a worker's priority: it runs until it waits, or is done */
#define PATIENCE_US 10000000u

struct worker {
	cap_t thread, sched, channel;
	bool sends;
	uint64_t value, timeout_ns; /* of 8 bytes, to send; or received, into */
	size_t room;
	tss_status_t status;
	volatile bool done;
};

/* A thread sends value, or receives into it. One worker each has a place; they are used again when all are done. */
struct worker *work(cap_t channel, bool sends, uint64_t value, uint64_t timeout_ns);
struct worker *work_room(cap_t channel, size_t room);
bool joined(struct worker *worker); /* false: it did not come to an end in time */
void end_worker(struct worker *worker); /* while it waits */
void workers_over(void);

void check(bool good, const char *what, int line);
#define CHECK(what) check((what), #what, __LINE__)
void run_tests(void);
void await_restart(void);
