/* SPDX-License-Identifier: BSD-2-Clause */
/* stress.h - what watching, working and building children share. */
#pragma once
#include <abi/inspect.h>
#include <tessera/tessera.h>
#include "slots.h"

#define SELF TSS_SLOT_UNIT
#define SYSTEM TSS_SLOT_SYSTEM
#define PORTS 4u
#define PER_PORT 3u /* connections */
#define REPLIES 2u
#define EVENTS 4u
#define WORKERS_MAX 16u
#define RW (TSS_RIGHT_READ | TSS_RIGHT_WRITE)

struct worker {
	unsigned index;
	uint64_t random; /* state of its generator */
	uint64_t steps; /* main looks whether it grows */
	cap_t thread, sched;
	struct tss_request held; /* a question it has not answered yet */
	bool ended;
};

/* One port with what belongs to it; `busy` while somebody makes it anew. */
struct service {
	bool busy;
	cap_t port, connections[PER_PORT];
};

extern struct worker workers[WORKERS_MAX];
extern struct service services[PORTS];
extern cap_t events[EVENTS];
extern unsigned worker_count;
extern uint64_t cpu_count;
extern volatile bool stop;

uint64_t draw(struct worker *worker, uint64_t limit); /* below limit */
cap_t derive(cap_t cap, uint64_t rights);
void destroy(cap_t cap); /* delete, again as long as it says AGAIN */
/* The first thing that is wrong ends the run. */
void fail(const char *what, uint64_t got, uint64_t want);

void service_make(struct service *service);
void service_end(const struct service *service);
void worker_main(struct worker *self); /* until `stop` */

void child_init(void);
void child_step(struct worker *self); /* a unit's whole life */
