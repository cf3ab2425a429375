/* SPDX-License-Identifier: BSD-2-Clause */
/* event.h - 64 notification bits: signal sets, wait takes all. One thread waits at a time; or a port is bound. */
#pragma once
#include <object.h>

struct thread;
struct port;

struct event {
	struct object object;
	uint64_t bits;
	struct cpu *cpu;       /* where it is at home: that of the thread that waits or waited for it, or of the port */
	struct thread *waiter;
	struct port *port; /* bound */
};

bool event_at_home(const struct event *event); /* event_signal() needs no lock but this CPU's */
void event_signal(struct event *event, uint64_t bits);
