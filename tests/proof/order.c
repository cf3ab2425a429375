/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.c - for Eva: the run queues of kernel/sched/sched.c with CONTEXTS contexts, of all priorities in `urgencies` and
 * deadlines in `dues`, queued in one order and taken out in each. After each step words, summary and queues are compared
 * with a plain list.
 */
#include <stdint.h>

int __builtin_clzll(unsigned long long x)
{
	int zeros = 0;
	for (int half = 32; half; half /= 2)
		if (!(x >> (64 - half))) {
			zeros += half;
			x <<= half;
		}
	return zeros;
}

#include "kernel/sched/sched.c"
#include "eva.h"

#define CONTEXTS 3
#define LEVELS 3
#ifndef STRIDE
#define STRIDE 1 /* more: only some of the choices */
#endif

static const uint8_t urgencies[LEVELS] = {0, 64, 255};
static const uint64_t dues[2] = {7, UINT64_MAX};
static struct cpu cpu;
static struct sched contexts[CONTEXTS];
static bool queued[CONTEXTS];

static void context_make(unsigned i, unsigned level, unsigned due)
{
	struct sched *sched = &contexts[i];
	uint8_t priority = urgencies[level];
	sched->cpu = &cpu;
	sched->priority = priority;
	sched->word = priority / 64;
	sched->bit = 1ull << priority % 64;
	sched->equals = &cpu.run_queue.queues[priority];
	sched->due_us = dues[due];
	link_init(&sched->queue);
	queued[i] = false;
}

/* Those of this priority, sooner deadlines first, then in order of their number: they were queued in that order. */
static void queue_check(uint8_t priority)
{
	const struct link *head = &cpu.run_queue.queues[priority], *at = head;
	for (unsigned due = 0; due < 2; due++)
		for (unsigned i = 0; i < CONTEXTS; i++) {
			struct link *own = &contexts[i].queue;
			if (!queued[i] || contexts[i].priority != priority || contexts[i].due_us != dues[due])
				continue;
			PROVE(at->next == own && own->prev == at);
			at = own;
		}
	PROVE(at->next == head && head->prev == at);
}

static void check(void)
{
	uint64_t occupied[4] = {0}, summary = 0;
	struct sched *first = NULL;
	int best = -1;
	for (unsigned i = 0; i < CONTEXTS; i++)
		if (queued[i]) {
			occupied[contexts[i].priority / 64] |= 1ull << contexts[i].priority % 64;
			summary |= 1ull << contexts[i].priority / 64;
			best = contexts[i].priority > best ? contexts[i].priority : best;
		}
	for (unsigned i = 0; i < 4; i++)
		PROVE(cpu.run_queue.occupied[i] == occupied[i]);
	PROVE(cpu.run_queue.summary == summary);
	for (unsigned i = 0; i < LEVELS; i++)
		queue_check(urgencies[i]);
	first = run_queue_first(&cpu.run_queue);
	PROVE(best < 0 ? !first : &first->queue == cpu.run_queue.queues[best].next);
}

static void others_check(void)
{
	for (unsigned p = 0; p < PRIORITIES; p++)
		if (p != 0 && p != 64 && p != 255)
			PROVE(cpu.run_queue.queues[p].next == &cpu.run_queue.queues[p]);
}

/* In the order first, first + step, ...: with three that is each order there is. */
static void take_out(unsigned first, unsigned step)
{
	for (unsigned i = 0; i < CONTEXTS; i++) {
		unsigned which = (first + i * step) % CONTEXTS;
		run_queue_remove(&contexts[which]);
		queued[which] = false;
		check();
	}
}

static void round_prove(unsigned choice)
{
	for (unsigned order = 0; order < 2 * CONTEXTS; order++) {
		unsigned rest = choice;
		for (unsigned i = 0; i < CONTEXTS; i++, rest /= 2 * LEVELS) {
			context_make(i, rest % LEVELS, rest / LEVELS % 2);
			run_queue_append(&contexts[i]);
			queued[i] = true;
			if (order == 0)
				check();
		}
		take_out(order / 2, 1 + order % 2);
	}
}

/* A context that goes on goes to the front. */
static void front_prove(void)
{
	for (unsigned level = 0; level < LEVELS; level++) {
		context_make(0, level, 1);
		context_make(1, level, 1);
		run_queue_insert(&contexts[0], contexts[0].equals);
		run_queue_insert(&contexts[1], contexts[1].equals);
		PROVE(run_queue_first(&cpu.run_queue) == &contexts[1] && contexts[1].queue.next == &contexts[0].queue);
		run_queue_remove(&contexts[1]);
		PROVE(run_queue_first(&cpu.run_queue) == &contexts[0]);
		run_queue_remove(&contexts[0]);
		PROVE(!run_queue_first(&cpu.run_queue) && !cpu.run_queue.summary);
	}
}

void order_prove(void)
{
	unsigned choices = 1;
	for (unsigned i = 0; i < PRIORITIES; i++)
		link_init(&cpu.run_queue.queues[i]);
	for (unsigned i = 0; i < CONTEXTS; i++)
		choices *= 2 * LEVELS;
	for (unsigned choice = 0; choice < choices; choice += STRIDE)
		round_prove(choice);
	front_prove();
	others_check();
}
