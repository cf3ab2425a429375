/* SPDX-License-Identifier: BSD-2-Clause */
/* event.h - 64 notification bits: signal sets, wait takes all. One thread waits at a time; or a port is bound. */
#pragma once
#include <object.h>

struct thread;
struct port;

struct event {
	struct object object;
	uint64_t bits;
	struct thread *waiter;
	struct port *port; /* bound */
};

void event_signal(struct event *event, uint64_t bits);
