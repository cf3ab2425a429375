/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/lib/src/ipc_queue.c
/* test_ipc_queue.c - order, bounds, a hostile peer, two processes with and without events. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../../components/lib/include/tessera/ipc_queue.h"
#include "../../../components/lib/include/tessera/wait.h"
#include "tap.h"

/* Event n is binary: waking it twice wakes one wait. */
static struct shared {
	struct ipc_queue q;
	sem_t events[3];
} * shared;
static unsigned yields, sleeps;

void tss_wait_yield(void)
{
	__atomic_add_fetch(&yields, 1, __ATOMIC_RELAXED);
	syscall(SYS_sched_yield); /* <sched.h> may be the kernel's */
}

void tss_wait_sleep(uint64_t us)
{
	(void)us;
	__atomic_add_fetch(&sleeps, 1, __ATOMIC_RELAXED);
	syscall(SYS_sched_yield); /* <sched.h> may be the kernel's */
}

void tss_wait_event(cap_t event)
{
	sem_wait(&shared->events[event]);
}

void tss_wait_wake(cap_t event)
{
	int value;
	sem_getvalue(&shared->events[event], &value);
	if (value == 0)
		sem_post(&shared->events[event]);
}

static void test_order(void)
{
	struct ipc_queue q;
	struct ipc_message m = {.type = IPC_MSG_OPEN}, got;
	ipc_queue_init(&q);
	CHECK(!ipc_queue_recv(&q, &got));
	for (uintptr_t lap = 0; lap < 5; lap++) {
		for (m.a = 0; m.a < IPC_QUEUE_SIZE; m.a++)
			CHECK(ipc_queue_send(&q, &m));
		CHECK(!ipc_queue_send(&q, &m));
		for (uintptr_t i = 0; i < IPC_QUEUE_SIZE; i++)
			CHECK(ipc_queue_recv(&q, &got) && got.a == i && got.type == IPC_MSG_OPEN);
		CHECK(!ipc_queue_recv(&q, &got));
	}
}

static void test_wrap(void)
{
	struct ipc_queue q;
	struct ipc_message m = {.a = 7}, got;
	ipc_queue_init(&q);
	q.head = q.tail = 0xffffffffu - 3;
	for (int i = 0; i < 100; i++) {
		m.a = (uintptr_t)i;
		CHECK(ipc_queue_send(&q, &m) && ipc_queue_recv(&q, &got) && got.a == (uintptr_t)i);
	}
}

static void test_hostile(void)
{
	struct ipc_queue *q = malloc(sizeof(*q)); /* ASan sees every access outside */
	struct ipc_message m = {.a = 1}, got;
	for (int round = 0; round < 20000; round++) {
		ipc_queue_init(q);
		q->head = (uint32_t)rand() * 3u;
		q->tail = rand() % 2 ? (uint32_t)rand() * 5u : q->head + (uint32_t)(rand() % 80);
		q->receivers_wait = q->senders_wait = (uint32_t)rand();
		(void)ipc_queue_send(q, &m);
		for (unsigned i = 0; i < IPC_QUEUE_SIZE + 2; i++)
			if (!ipc_queue_recv(q, &got))
				break;
		CHECK(!ipc_queue_recv(q, &got)); /* bounded work empties whatever was there */
		CHECK(ipc_queue_send(q, &m) && ipc_queue_recv(q, &got) && got.a == 1);
	}
	q->lock.held = 1; /* a peer that never lets go */
	CHECK(!ipc_queue_send(q, &m) && !ipc_queue_recv(q, &got));
	free(q);
}

#define COUNT 20000u

/* The other unit: a process of its own, with its own handles for the events. */
static void send_all(bool with_events)
{
	if (with_events)
		ipc_queue_use_events(&shared->q, 2, 1);
	for (uintptr_t i = 0; i < COUNT; i++)
		ipc_send(&shared->q, &(struct ipc_message){.type = 0x1000, .a = i, .b = ~i});
	exit(with_events && yields + sleeps > 0);
}

static void run_two(bool with_events)
{
	struct ipc_message m;
	int status;
	ipc_queue_init(&shared->q);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		send_all(with_events);
	for (uintptr_t i = 0; i < COUNT; i++) {
		ipc_recv(&shared->q, &m);
		CHECK(m.type == 0x1000 && m.a == i && m.b == ~i);
	}
	waitpid(child, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_two(void)
{
	run_two(false);
}

static void test_two_with_events(void)
{
	CHECK(ipc_queue_use_events(&shared->q, 1, 2));
	yields = sleeps = 0;
	run_two(true);
	CHECK(yields + sleeps == 0);
}

static void test_users(void)
{
	static struct ipc_queue many[IPC_QUEUE_USERS];
	for (unsigned i = 0; i < IPC_QUEUE_USERS - 1; i++)
		CHECK(ipc_queue_use_events(&many[i], 1, 2));
	CHECK(!ipc_queue_use_events(&many[IPC_QUEUE_USERS - 1], 1, 2));
	CHECK(ipc_queue_use_events(&many[0], 2, 1)); /* naming other events for a known queue takes no place */
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++)
		sem_init(&shared->events[i], 1, 0);
	RUN(test_order);
	RUN(test_wrap);
	RUN(test_hostile);
	RUN(test_two);
	RUN(test_two_with_events);
	RUN(test_users);
	return tap_end();
}
