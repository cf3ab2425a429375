/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.c - what a worker does: one random step after the other. Others end and make anew what it uses, so that most
 * failures are fine; what must hold is that an answer fits its question, and that memory is what was written to it.
 */
#include "stress.h"

#define WINDOW 0x700000000000ull
#define WINDOW_SIZE 0x100000ull
#define LONGEST 400u /* microseconds that a step waits */
#define FOUR_WORDS TSS_TAG(7, 32, 0)

uint64_t draw(struct worker *worker, uint64_t limit)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return worker->random % limit;
}

cap_t derive(cap_t cap, uint64_t rights)
{
	uint64_t handle = TSS_CAP_NULL;
	return tss_capability_derive(cap, rights, &handle) == TSS_OK ? (cap_t)handle : TSS_CAP_NULL;
}

void destroy(cap_t cap)
{
	while (cap != TSS_CAP_NULL && TSS_CODE(tss_capability_delete(cap)) == TSS_E_AGAIN)
		;
}

static struct service *some_service(struct worker *self)
{
	return &services[draw(self, PORTS)];
}

static cap_t some_connection(struct worker *self)
{
	return some_service(self)->connections[draw(self, PER_PORT)];
}

/* 0 now and then: do not wait at all. */
static uint64_t patience(struct worker *self)
{
	return draw(self, 8) ? draw(self, LONGEST) : 0;
}

static void call_through(struct worker *self, cap_t connection)
{
	uint64_t question = self->random, w[4] = {question, ~question, self->index, 0};
	tss_tag_t tag = FOUR_WORDS;
	if (tss_connection_call(connection, &tag, w, patience(self)) == TSS_OK && w[0] != question + 1)
		fail("answer to another question", w[0], question + 1);
}

static void step_call(struct worker *self)
{
	call_through(self, some_connection(self));
}

/* The request becomes its answer. */
static void answer(struct tss_request *request)
{
	if (request->words[1] != ~request->words[0] && request->words[2])
		fail("a question that nobody asked", request->words[1], ~request->words[0]);
	request->words[0]++;
	request->tag = FOUR_WORDS;
}

static void step_serve(struct worker *self)
{
	struct tss_request request;
	cap_t port = some_service(self)->port;
	tss_status_t status = tss_port_receive(port, &request, patience(self));
	for (unsigned i = 0; i < 4 && status == TSS_OK && request.reply && !self->held.reply; i++) {
		if (draw(self, 4) == 0) {
			self->held = request; /* the caller waits in vain, or for a later step */
			return;
		}
		answer(&request);
		status = tss_port_reply_receive(port, &request, patience(self));
	}
	if (status == TSS_OK && request.reply) {
		answer(&request);
		(void)tss_reply_send(request.reply, request.tag, request.words);
	}
}

/* An answer that comes late, or after its caller has given up. */
static void step_late(struct worker *self)
{
	if (!self->held.reply)
		return;
	answer(&self->held);
	(void)tss_reply_send(self->held.reply, self->held.tag, self->held.words);
	self->held.reply = TSS_CAP_NULL;
}

static void step_send(struct worker *self)
{
	uint64_t w[4] = {self->random, ~self->random, 1, 0};
	(void)tss_connection_send(some_connection(self), FOUR_WORDS, w);
}

static void step_event(struct worker *self)
{
	uint64_t bits;
	cap_t event = events[draw(self, EVENTS)];
	if (draw(self, 2))
		(void)tss_event_signal(event, 1ull << draw(self, 64));
	else
		(void)tss_event_wait(event, patience(self), &bits);
}

static void step_revoke(struct worker *self)
{
	cap_t connection = some_connection(self);
	cap_t copy = derive(connection, TSS_RIGHT_CALL | TSS_RIGHT_SEND | TSS_RIGHT_GRANT);
	cap_t second = copy ? derive(copy, TSS_RIGHT_CALL) : TSS_CAP_NULL;
	if (second)
		call_through(self, second);
	if (draw(self, 4) == 0)
		(void)tss_capability_revoke(connection);
	destroy(second);
	destroy(copy);
}

static void step_memory(struct worker *self)
{
	uint64_t memory, pages = 1 + draw(self, 4), mark = self->random;
	volatile uint64_t *at = (volatile uint64_t *)(WINDOW + self->index * WINDOW_SIZE);
	if (tss_memory_create(SELF, pages, &memory) != TSS_OK)
		return;
	if (tss_unit_map(SELF, (cap_t)memory, (uint64_t)at, RW) == TSS_OK) {
		for (uint64_t i = 0; i < pages; i++) {
			if (at[512 * i + self->index])
				fail("fresh memory is not empty", at[512 * i + self->index], 0);
			at[512 * i + self->index] = mark + i;
		}
		if (draw(self, 2))
			(void)tss_sched_place(SYSTEM, self->sched, draw(self, cpu_count));
		for (uint64_t i = 0; i < pages; i++)
			if (at[512 * i + self->index] != mark + i)
				fail("memory has changed", at[512 * i + self->index], mark + i);
		if (draw(self, 2))
			(void)tss_unit_unmap(SELF, (cap_t)memory);
	}
	destroy((cap_t)memory);
}

static void step_move(struct worker *self)
{
	(void)tss_sched_place(SYSTEM, workers[draw(self, worker_count)].sched, draw(self, cpu_count));
}

static void step_rest(struct worker *self)
{
	if (draw(self, 2))
		(void)tss_self_yield();
	else
		(void)tss_self_sleep(draw(self, LONGEST));
}

/* A port ends while others call it, and is made anew. */
static void step_remake(struct worker *self)
{
	struct service *service = some_service(self);
	if (__atomic_exchange_n(&service->busy, true, __ATOMIC_ACQUIRE))
		return;
	service_end(service);
	service_make(service);
	__atomic_store_n(&service->busy, false, __ATOMIC_RELEASE);
}

void worker_main(struct worker *self)
{
	static const struct {
		void (*step)(struct worker *self);
		unsigned weight;
	} steps[] = {{step_call, 30},  {step_serve, 30}, {step_late, 4},   {step_send, 6},
		     {step_event, 12}, {step_revoke, 4}, {step_memory, 4}, {step_move, 4},
		     {step_rest, 4},   {step_remake, 1}, {child_step, 1}};
	while (!stop) {
		unsigned ticket = (unsigned)draw(self, 100), i = 0;
		for (; ticket >= steps[i].weight; i++)
			ticket -= steps[i].weight;
		steps[i].step(self);
		self->steps++;
	}
	step_late(self);
	self->ended = true;
	for (;;)
		(void)tss_self_exit(0);
}
