/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - the channels, their records and those who wait. Pure: who waits is a number, answered through a function.
 *
 * Everything belongs to the client that made the channel, and comes out of its share. Who waits is served in the order of
 * arrival, and nobody overtakes: a record for which there is room waits behind one for which there is none. In the queue a
 * record takes its length rounded up to 8, and 8 bytes more.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENTS_MAX 8u
#define QUEUES_SHARE 4u /* of one client */
#define WAITERS_SHARE 6u /* at all its channels together */
#define BYTES_SHARE 16384u /* of all its channels together */
#define QUEUES_MAX (CLIENTS_MAX * QUEUES_SHARE)
#define RECORD_MAX 240u

#define QUEUE_PEEK 1u
#define QUEUE_TRUNCATE 2u
#define QUEUE_NONBLOCK 4u

enum queue_result { QUEUE_OK, QUEUE_TOO_LONG, QUEUE_FULL, QUEUE_EMPTY, QUEUE_ENDED, QUEUE_BUSY, QUEUE_WAIT };

struct record {
	uint32_t length; /* of the record; no more than `size` of its bytes are here */
	uint32_t size;
	uint64_t words[RECORD_MAX / sizeof(uint64_t)];
};

struct waiter {
	uint64_t who; /* for answer() */
	uint64_t queue; /* id */
	bool sends;
	uint32_t flags;
	struct record record; /* sender: what; receiver: size is the room */
};

struct queue {
	uint64_t id; /* 0: none; its low bits are its place */
	uint64_t life;
	uint32_t base, words; /* of its client's */
	uint32_t first, used;
	bool ended;
	bool lost; /* its maker is no more: it may go with what is in it */
};

struct client {
	uint64_t badge;
	uint32_t waiting;
	struct queue queues[QUEUES_SHARE];
	struct waiter waiters[WAITERS_SHARE]; /* in the order of arrival */
	uint64_t words[BYTES_SHARE / sizeof(uint64_t)];
};

struct queues {
	uint64_t count; /* that were ever made */
	/* Tells who waits what became of it; false: it has given up, and what it would have got is the next one's. */
	bool (*answer)(const struct waiter *waiter, enum queue_result result, const struct record *record);
	void (*drop)(unsigned place, uint64_t life); /* the channel in this place is no more */
	struct client clients[CLIENTS_MAX];
};

/* NULL: the size is none that a channel can have, or the share is used up by channels that are not at their end. */
struct queue *queue_create(struct queues *all, uint64_t badge, uint32_t bytes, uint64_t life);
struct queue *queue_find(struct queues *all, uint64_t id);
unsigned queue_place(uint64_t id); /* 0 to QUEUES_MAX - 1, of a living one its own */
void queue_free(struct queues *all, struct queue *queue);

/* waiter->queue says which. WAIT: waiter was copied and will be answered. */
enum queue_result queue_send(struct queues *all, const struct waiter *waiter);
enum queue_result queue_receive(struct queues *all, const struct waiter *waiter, struct record *record);
void queue_end(struct queues *all, struct queue *queue);

/* Those who wait no more are forgotten, and what they were in the way of goes on. */
void queues_forget(struct queues *all, bool (*waits)(uint64_t who));
/* The channels whose makers are no more end. */
void queues_look(struct queues *all, bool (*lives)(uint64_t life));
