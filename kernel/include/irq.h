/* SPDX-License-Identifier: BSD-2-Clause */
/* irq.h - interrupt lines, messages that interrupt, and I/O-port ranges. */
#pragma once
#include <event.h>

struct irq {
	struct object object;
	uint32_t line; /* from TSS_IRQ_MESSAGES up: a message's */
	struct event *event;
	uint64_t bits, count;
	struct cpu *cpu; /* that gets the interrupt: its driver's */
	bool in_service; /* signalled and not yet acknowledged by the driver */
	bool again;      /* an edge came meanwhile; the line is masked until the acknowledgement */
};
struct ioport {
	struct object object;
	uint16_t base;
	uint32_t count;
};

void irq_forget_events(const struct event *event, const struct unit *payer); /* that one, or all that payer has paid for */
