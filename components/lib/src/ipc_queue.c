/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipc_queue.c - ipc_queue.h.
 *
 * tail - head is the number of messages in the ring, modulo 2^32; more than the ring holds means that the peer wrote
 * nonsense, and the queue is emptied. Who is about to sleep says so in the queue, looks once more, then sleeps; who
 * changes the queue wakes after the change: whatever the order, one of the two notices.
 */
#include <stddef.h>
#include <tessera/ipc_queue.h>
#include <tessera/wait.h>

#define LOCK_SPINS 10000u
#define YIELDS 64u
#define SLEEP_FIRST_US 100u
#define SLEEP_MOST_US 10000u

_Static_assert((IPC_QUEUE_SIZE & (IPC_QUEUE_SIZE - 1)) == 0, "the ring's size is a power of two");

/* This unit's events, by queue. */
static struct {
	struct ipc_queue *queue;
	cap_t wait, wake;
} users[IPC_QUEUE_USERS];

static int user_of(const struct ipc_queue *q)
{
	for (int i = 0; i < (int)IPC_QUEUE_USERS; i++)
		if (users[i].queue == q)
			return i;
	return -1;
}

static void wake(const struct ipc_queue *q, const uint32_t *waiting)
{
	int user = user_of(q);
	if (user >= 0 && __atomic_load_n(waiting, __ATOMIC_SEQ_CST) != 0)
		tss_wait_wake(users[user].wake);
}

void ipc_queue_init(struct ipc_queue *q)
{
	*q = (struct ipc_queue){.head = 0};
	spinlock_init(&q->lock);
}

bool ipc_queue_use_events(struct ipc_queue *q, cap_t wait_for, cap_t wake_by)
{
	int user = user_of(q);
	if (user < 0)
		user = user_of(NULL);
	if (user < 0)
		return false;
	users[user].queue = q;
	users[user].wait = wait_for;
	users[user].wake = wake_by;
	return true;
}

/* Messages in the ring. The caller has the lock and reads each index once: a peer may change them at any time. */
static uint32_t count_locked(struct ipc_queue *q, uint32_t *head)
{
	uint32_t h = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE), t = __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
	if (t - h > IPC_QUEUE_SIZE) {
		h = t;
		__atomic_store_n(&q->head, h, __ATOMIC_RELEASE);
	}
	*head = h;
	return t - h;
}

bool ipc_queue_send(struct ipc_queue *q, const struct ipc_message *m)
{
	uint32_t head, count;
	if (!spinlock_lock(&q->lock, LOCK_SPINS))
		return false;
	count = count_locked(q, &head);
	if (count < IPC_QUEUE_SIZE) {
		q->ring[(head + count) & (IPC_QUEUE_SIZE - 1)] = *m;
		__atomic_store_n(&q->tail, head + count + 1, __ATOMIC_RELEASE);
	}
	spinlock_unlock(&q->lock);
	if (count < IPC_QUEUE_SIZE)
		wake(q, &q->receivers_wait);
	return count < IPC_QUEUE_SIZE;
}

bool ipc_queue_recv(struct ipc_queue *q, struct ipc_message *m)
{
	uint32_t head, count;
	if (!spinlock_lock(&q->lock, LOCK_SPINS))
		return false;
	count = count_locked(q, &head);
	if (count > 0) {
		*m = q->ring[head & (IPC_QUEUE_SIZE - 1)];
		__atomic_store_n(&q->head, head + 1, __ATOMIC_RELEASE);
	}
	spinlock_unlock(&q->lock);
	if (count > 0)
		wake(q, &q->senders_wait);
	return count > 0;
}

/* One round of waiting without an event: yields first, then sleeps of growing length. */
static void back_off(unsigned round)
{
	if (round < YIELDS) {
		tss_wait_yield();
		return;
	}
	unsigned shift = round - YIELDS;
	uint64_t us = shift < 7 ? (uint64_t)SLEEP_FIRST_US << shift : SLEEP_MOST_US;
	tss_wait_sleep(us < SLEEP_MOST_US ? us : SLEEP_MOST_US);
}

void ipc_queue_send_blocking(struct ipc_queue *q, const struct ipc_message *m)
{
	int user = user_of(q);
	for (unsigned round = 0; !ipc_queue_send(q, m); round++) {
		if (user < 0) {
			back_off(round);
			continue;
		}
		__atomic_add_fetch(&q->senders_wait, 1, __ATOMIC_SEQ_CST);
		bool sent = ipc_queue_send(q, m);
		if (!sent)
			tss_wait_event(users[user].wait);
		__atomic_sub_fetch(&q->senders_wait, 1, __ATOMIC_SEQ_CST);
		if (sent)
			return;
	}
}

void ipc_queue_recv_blocking(struct ipc_queue *q, struct ipc_message *m)
{
	int user = user_of(q);
	for (unsigned round = 0; !ipc_queue_recv(q, m); round++) {
		if (user < 0) {
			back_off(round);
			continue;
		}
		__atomic_add_fetch(&q->receivers_wait, 1, __ATOMIC_SEQ_CST);
		bool received = ipc_queue_recv(q, m);
		if (!received)
			tss_wait_event(users[user].wait);
		__atomic_sub_fetch(&q->receivers_wait, 1, __ATOMIC_SEQ_CST);
		if (received)
			return;
	}
}

void ipc_send(struct ipc_queue *q, const struct ipc_message *m)
{
	ipc_queue_send_blocking(q, m);
}

void ipc_recv(struct ipc_queue *q, struct ipc_message *m)
{
	ipc_queue_recv_blocking(q, m);
}
