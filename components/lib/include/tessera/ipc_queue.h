/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc_queue.h - a ring of fixed-size messages in memory that two units share.
 *
 * Any number of senders and receivers on both sides. Nothing that lies in the queue is believed: indexes are masked
 * before use and their distance checked, the lock is only tried for a bounded time, a message is copied before it is
 * looked at. The worst a hostile peer can do is to lose or invent messages, which it could do anyhow.
 *
 * Blocking variants wait on an event if this unit has named one for the queue (ipc_queue_use_events), else they spin
 * for a bounded number of rounds for the lock, then yield, and after some yields sleep for growing times.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>
#include <tessera/spinlock.h>

#define IPC_QUEUE_SIZE 64u /* messages; a power of two */
#define IPC_QUEUE_USERS 8u /* queues of one unit that can have events */

/* Types below 0x1000 are the library's and the servers'; a program's own start there. */
enum ipc_message_type { IPC_MSG_NONE, IPC_MSG_OPEN, IPC_MSG_FORK, IPC_MSG_EXEC, IPC_MSG_HEARTBEAT };

struct ipc_message {
	uint32_t type;
	uint32_t reserved;
	uintptr_t a, b, c, d;
};

struct ipc_queue {
	struct spinlock lock;
	uint32_t head; /* next to be received; grows without bound, masked on use */
	uint32_t tail; /* next to be sent */
	uint32_t receivers_wait, senders_wait; /* somebody sleeps on its event */
	uint32_t reserved[3];
	struct ipc_message ring[IPC_QUEUE_SIZE];
};

/* Empties the queue. One side does this before the other uses it; all-zero memory is an empty queue too. */
void ipc_queue_init(struct ipc_queue *q);

/* False: the queue is full (empty), or the peer does not let go of the lock. */
bool ipc_queue_send(struct ipc_queue *q, const struct ipc_message *m);
bool ipc_queue_recv(struct ipc_queue *q, struct ipc_message *m);

/* Wait until there is room (a message). */
void ipc_queue_send_blocking(struct ipc_queue *q, const struct ipc_message *m);
void ipc_queue_recv_blocking(struct ipc_queue *q, struct ipc_message *m);

/* The same under the names that programs use. */
void ipc_send(struct ipc_queue *q, const struct ipc_message *m);
void ipc_recv(struct ipc_queue *q, struct ipc_message *m);

/*
 * From now on this unit's blocking calls on q wait on event `wait` (WAIT), and what it does wakes the other side by
 * event `wake` (SIGNAL). Handles differ between the units, so each names its own. False: IPC_QUEUE_USERS are taken.
 */
bool ipc_queue_use_events(struct ipc_queue *q, cap_t wait, cap_t wake);
