/* SPDX-License-Identifier: BSD-2-Clause */
/* serial.h - the driver's state: two rings and two queues of callers who wait for them. */
#pragma once
#include <interfaces/terminal.h>
#include <tessera/tessera.h>
#include "slots.h"

#define RING_SIZE 4096u /* a power of two */

struct ring {
	uint32_t head, tail; /* count up; masked on use */
	uint8_t bytes[RING_SIZE];
};

static inline uint32_t ring_used(const struct ring *ring)
{
	return ring->tail - ring->head;
}

static inline uint32_t ring_free(const struct ring *ring)
{
	return RING_SIZE - ring_used(ring);
}

static inline void ring_put(struct ring *ring, uint8_t byte)
{
	ring->bytes[ring->tail++ % RING_SIZE] = byte;
}

static inline uint8_t ring_get(struct ring *ring)
{
	return ring->bytes[ring->head++ % RING_SIZE];
}

/* Callers whose reply is due later, oldest first. A client has at most one place in each queue. */
#define WAITERS_MAX (REPLIES_TERMINAL / 2 - 1)
struct waiter {
	uint64_t badge;
	cap_t reply;
	uint32_t size; /* writer: bytes in text; reader: most it takes */
	uint8_t text[TERMINAL_WRITE_TEXT_MAX];
};
struct waiters {
	uint32_t count;
	struct waiter list[WAITERS_MAX];
};

struct serial {
	struct ring input, output;
	struct waiters readers, writers;
	bool transmitting; /* the transmitter's interrupt is on */
	uint8_t last; /* byte before the next one to be written, for \n -> \r\n */
	uint64_t lost_hardware, lost_ring; /* input that came too fast */
};

/* A place for a caller, NULL if there is none. A client that calls again has given up its older call. */
struct waiter *waiters_add(struct waiters *waiters, uint64_t badge, cap_t reply);
void waiters_remove_first(struct waiters *waiters);
