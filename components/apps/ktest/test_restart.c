/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_restart.c - sealed units that end and come back: what is fresh, what stays, and what their clients hear. The
 * child's copy of our data segment is shared with us (we hold the original), so a restart leaves it alone and jobs
 * count their lives in it; the page at PRIVATE_AT is the child's own.
 */
#include "ktest.h"

#define ROUNDS 1000u
#define SLOT 20
#define SLOT_REPLY (SLOT + 1)
#define SLOT_PRIVATE 30
#define SLOT_SELF 31
#define SLOT_SYSTEM_COPY 32
#define PRIVATE_AT 0x600002000000ull
#define PRIVATE_PAGES 3u
#define TEMPLATE_OFFSET 8u
#define TEMPLATE_SIZE (TSS_PAGE_SIZE + 24)

/* The child's job as we see it through its data memory. */
static volatile struct worker *lives(const struct child *child)
{
	uint64_t offset = (uint64_t)child->job - child_data_address();
	return (volatile struct worker *)(SPARE_AT + offset);
}

static struct child sealed_child(void (*run)(struct worker *self), uint64_t a, uint64_t b)
{
	struct child child = child_new(HIGH, run, a, b);
	uint64_t memory = 0;
	CHECK_OK(tss_memory_create(child.unit, PRIVATE_PAGES, &memory));
	CHECK_OK(tss_memory_template((cap_t)memory, TSS_SLOT_TEXT, TEMPLATE_OFFSET, TEMPLATE_SIZE));
	CHECK_OK(tss_unit_install(child.unit, SLOT_PRIVATE, (cap_t)memory, TSS_RIGHT_READ | TSS_RIGHT_WRITE,
				  TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_map(child.unit, SLOT_PRIVATE, PRIVATE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	child_give(&child, SLOT_SELF, child.unit, TSS_RIGHT_CONTROL | TSS_RIGHT_INSTALL | TSS_RIGHT_GRANT);
	CHECK_OK(tss_unit_map(SELF, child.data, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	/* What the unit pays for and is not sealed goes with a restart; so its thread's original has to be there. */
	cap_t copy = derive(child.thread, TSS_RIGHT_CONTROL);
	CHECK_OK(tss_unit_install(child.unit, TSS_SLOT_THREAD, child.thread, 0, TSS_INSTALL_MOVE));
	child.thread = copy;
	return child;
}

static void seal_and_go(const struct child *child)
{
	CHECK_OK(tss_unit_seal(child->unit));
	child_go(child);
}

static tss_status_t restart(const struct child *child)
{
	tss_status_t status;
	do
		status = tss_unit_restart(child->unit, 0);
	while (TSS_CODE(status) == TSS_E_AGAIN);
	return status;
}

/* As the child's template says: bytes of our text, then zeros. */
static bool memory_is_fresh(void)
{
	const char *text = (const char *)child_text_address(), *private = (const char *)PRIVATE_AT;
	for (unsigned i = 0; i < PRIVATE_PAGES * TSS_PAGE_SIZE; i++)
		if (private[i] != (i < TEMPLATE_SIZE ? text[TEMPLATE_OFFSET + i] : 0))
			return false;
	return true;
}

/* got[0]: lives, got[1]: lives that began with fresh memory; then it dirties all it can and leaves. */
static void job_live(struct worker *self)
{
	uint64_t unit = 0, event = 0, memory = 0;
	self->got[0]++;
	self->got[1] += memory_is_fresh();
	self->got[2] += tss_ipc()->send[5] == 0;
	tss_ipc()->send[5] = 1;
	memset((void *)PRIVATE_AT, 0x5a, PRIVATE_PAGES * TSS_PAGE_SIZE);
	self->got[3] = tss_unit_create(SLOT_SELF, 12, 64, 0, 0, &unit);
	self->got[4] = tss_event_create(SLOT_SELF, &event);
	self->got[5] = tss_memory_create(SLOT_SELF, 2, &memory);
	self->got[6] = tss_unit_map(SLOT_SELF, (cap_t)memory, PRIVATE_AT + 0x100000, TSS_RIGHT_READ);
	self->got[7] = tss_capability_derive(SLOT_PRIVATE, TSS_RIGHT_READ, NULL);
	(void)tss_self_exit(0);
}

static void test_restart_is_fresh(void)
{
	struct child child = sealed_child(job_live, 0, 0);
	volatile struct worker *job = lives(&child);
	seal_and_go(&child);
	for (unsigned life = 1; life <= 3; life++) {
		CHECK(job->got[0], life);
		CHECK(job->got[1], life - 1); /* templates are for restarts */
		CHECK(job->got[2], life);
		CHECK(job->got[3] | job->got[4] | job->got[5] | job->got[6], TSS_OK);
		CHECK(job->got[7], E(RIGHTS, 1)); /* READ | WRITE without GRANT was given */
		CHECK_OK(restart(&child));
	}
}

/* After the first restart nothing grows any more: page tables and the like are there. */
static void test_thousand_restarts(void)
{
	struct child child = sealed_child(job_live, 0, 0);
	seal_and_go(&child);
	CHECK_OK(restart(&child));
	struct usage before = usage_now();
	const struct tss_inspect_memory *memory = (const struct tss_inspect_memory *)tss_ipc()->recv;
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_MEMORY, 0, 0, NULL));
	uint64_t free_pages = memory->free_pages;
	for (unsigned i = 0; i < ROUNDS; i++)
		CHECK_OK(restart(&child));
	CHECK(lives(&child)->got[0], ROUNDS + 2);
	CHECK_OK(tss_system_inspect(SYSTEM, TSS_INSPECT_MEMORY, 0, 0, NULL));
	CHECK(memory->free_pages, free_pages);
	CHECK(usage_now().pages, before.pages);
}

static void job_spoil(struct worker *self)
{
	(void)tss_self_clock(NULL); /* what an earlier life has denied itself is allowed again */
	self->got[0] = tss_capability_delete(SLOT_PRIVATE);
	self->got[1] = tss_unit_unmap(SLOT_SELF, SLOT_PRIVATE);
	self->got[2] = tss_unit_install(SLOT_SELF, 40, SLOT_SELF, TSS_RIGHT_CONTROL, TSS_INSTALL_MOVE);
	self->got[3] = tss_unit_restrict(SLOT_SELF, ~(1ull << (TSS_SYS_self_clock - TSS_SYSCALL_FIRST)), ~0ull);
	self->got[4]++;
	self->got[5] += tss_unit_restart(SLOT_SELF, 0) == E(BUSY, 1);
	(void)tss_self_clock(NULL);
}

/* A unit cannot give up what it is sealed with; what it denies itself lasts until it is restarted. */
static void test_sealed_is_kept(void)
{
	struct child child = sealed_child(job_spoil, 0, 0);
	volatile struct worker *job = lives(&child);
	cap_t watch = child_watch(&child, 1);
	struct tss_request request;
	seal_and_go(&child);
	for (unsigned life = 1; life <= 2; life++) {
		CHECK(job->got[0], E(BUSY, 1));
		CHECK(job->got[1], E(BUSY, 2));
		CHECK(job->got[2], E(BUSY, 3));
		CHECK_OK(job->got[3]);
		CHECK(job->got[4], life);
		CHECK(job->got[5], life);
		CHECK_OK(receive(watch, &request, 0)); /* the denied call's fault */
		CHECK_OK(receive(watch, &request, 0));
		CHECK(request.words[0], 0x100 | TSS_FAULT_SYSCALL);
		CHECK_OK(restart(&child));
	}
}

static void test_restart_refused(void)
{
	struct child child = sealed_child(job_sleep, SECOND, 0);
	cap_t weak = derive(child.unit, TSS_RIGHT_CONTROL);
	child_go(&child);
	CHECK(tss_unit_restart(child.unit, 0), E(BUSY, 1)); /* it runs */
	CHECK(tss_unit_kill(weak, 0), E(RIGHTS, 1));
	CHECK(tss_unit_kill(child.unit, 2), E(ARGUMENT, 2));
	CHECK_OK(tss_unit_kill(child.unit, 0));
	CHECK(tss_unit_restart(child.unit, 0), E(BUSY, 1)); /* it is not sealed */
	CHECK(tss_unit_seal(child.unit), E(BUSY, 1)); /* too late */
	CHECK(tss_unit_restart(weak, 0), E(RIGHTS, 1));
}

static void test_final_kill_is_final(void)
{
	struct child child = sealed_child(job_sleep, SECOND, 0);
	seal_and_go(&child);
	CHECK_OK(tss_unit_kill(child.unit, 1));
	CHECK_OK(tss_unit_kill(child.unit, 1));
	CHECK(tss_unit_restart(child.unit, 0), E(BUSY, 1));
}

static void test_template_arguments(void)
{
	cap_t memory = new_memory(1), slice;
	uint64_t handle = 0, pages = TSS_PAGE_SIZE;
	CHECK_OK(tss_memory_slice(memory, 0, 1, &handle));
	slice = own((cap_t)handle);
	CHECK_OK(tss_memory_template(memory, TSS_SLOT_TEXT, 0, pages));
	CHECK_OK(tss_memory_template(memory, TSS_SLOT_TEXT, 0, 0));
	CHECK(tss_memory_template(slice, TSS_SLOT_TEXT, 0, 0), E(ARGUMENT, 1));
	CHECK(tss_memory_template(memory, new_memory(1), 0, 0), E(ARGUMENT, 2));
	CHECK(tss_memory_template(memory, TSS_SLOT_TEXT, 1ull << 40, 0), E(ARGUMENT, 3));
	CHECK(tss_memory_template(memory, TSS_SLOT_TEXT, ~0ull, 2), E(ARGUMENT, 3));
	CHECK(tss_memory_template(memory, TSS_SLOT_TEXT, 0, pages + 1), E(ARGUMENT, 4));
	CHECK(tss_memory_template(memory, TSS_SLOT_TEXT, 0, ~0ull), E(ARGUMENT, 4));
	CHECK(tss_memory_template(memory, SYSTEM, 0, 0), E(TYPE, 2));
	CHECK(tss_memory_template(derive(memory, TSS_RIGHT_READ), TSS_SLOT_TEXT, 0, 0), E(RIGHTS, 1));
}

/* A server with one reply object: answers, or faults when word 0 of the request says so. */
static void job_fragile(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	self->got[0]++;
	for (;;) {
		if (tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE) != TSS_OK)
			return;
		self->got[1]++;
		self->got[2] = request.badge;
		if (request.words[0] == 0xdead)
			asm volatile("ud2");
		if (!request.reply)
			request.tag = 0;
	}
}

/*
 * The port's original lies in a sealed unit of its own, as the plan would seal it in the server's: ours could not be
 * given back if it were sealed. `port` is our copy, connections descend from that.
 */
struct service {
	struct child child;
	cap_t port, watch;
};

static struct service service_new(void)
{
	struct service service = {.child = sealed_child(job_fragile, SLOT, 0)};
	uint64_t port = 0, reply = 0, holder = 0;
	cap_t unit = service.child.unit;
	CHECK_OK(tss_port_create(unit, 4, &port));
	CHECK_OK(tss_reply_create((cap_t)port, unit, &reply));
	CHECK_OK(tss_unit_create(SELF, 12, 64, 0, 0, &holder));
	own((cap_t)holder);
	service.port = derive((cap_t)port, TSS_RIGHT_CONTROL | TSS_RIGHT_RECEIVE | TSS_RIGHT_GRANT);
	service.watch = child_watch(&service.child, 1);
	CHECK_OK(tss_unit_install(unit, SLOT_REPLY, (cap_t)reply, TSS_RIGHT_SEND, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_install(unit, SLOT, service.port, TSS_RIGHT_RECEIVE, TSS_INSTALL_COPY));
	CHECK_OK(tss_unit_install((cap_t)holder, SLOT, (cap_t)port, TSS_RIGHT_GRANT, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_seal((cap_t)holder));
	seal_and_go(&service.child);
	return service;
}

static tss_status_t call(cap_t connection, uint64_t word, uint64_t timeout)
{
	tss_tag_t tag = TSS_TAG(1, 8, 0);
	uint64_t words[4] = {word};
	return tss_connection_call(connection, &tag, words, timeout);
}

static tss_status_t send(cap_t connection)
{
	const uint64_t words[4] = {0};
	return tss_connection_send(connection, TSS_TAG(1, 8, 0), words);
}

/* Whoever was served when it ended, and whoever was not: each connection is told once. */
static void test_clients_are_told_once(void)
{
	struct service service = service_new();
	volatile struct worker *job = lives(&service.child);
	cap_t killer = new_connection(service.port, 5), idle = new_connection(service.port, 6);
	cap_t sender = new_connection(service.port, 7), copy = derive(idle, TSS_RIGHT_CALL);
	CHECK_OK(call(idle, 1, SECOND));
	CHECK(call(killer, 0xdead, SECOND), E(PEER_RESTARTED, 1));
	CHECK(call(copy, 1, SECOND), E(PEER_RESTARTED, 1));
	CHECK(call(idle, 1, TICK), E(TIMEOUT, 0)); /* copies share their connection: it has been told */
	CHECK(call(killer, 1, TICK), E(TIMEOUT, 0));
	CHECK_OK(restart(&service.child));
	CHECK_OK(call(killer, 1, SECOND));
	CHECK(job->got[2], 5);
	CHECK_OK(call(idle, 1, SECOND));
	CHECK(send(sender), E(PEER_RESTARTED, 1));
	CHECK_OK(send(sender));
	CHECK(job->got[0], 2);
	CHECK(job->got[1], 5);
	new_connection(service.port, 8);
}

/* Queued before the end: waits, and hears of the restart. Queued after being told: served by the successor. */
static void test_queued_callers_wait(void)
{
	struct service service = service_new();
	cap_t killer = new_connection(service.port, 5), other = new_connection(service.port, 6);
	cap_t late = new_connection(service.port, 7);
	struct worker *first = worker_new(LOW, job_caller, killer, SECOND), *second, *third;
	first->c = 0xdead;
	CHECK_OK(tss_unit_kill(service.child.unit, 0));
	CHECK_OK(restart(&service.child));
	CHECK(call(late, 1, SECOND), E(PEER_RESTARTED, 1));
	second = worker_new(HIGH, job_caller, other, SECOND);
	CHECK_OK(tss_unit_kill(service.child.unit, 0));
	worker_go(second); /* its connection is stale twice over: told at once, and once */
	CHECK_TRUE(joined(second));
	CHECK(second->status, E(PEER_RESTARTED, 1));
	third = work(HIGH, job_caller, other, SECOND);
	CHECK(thread_state(third->thread), TSS_THREAD_CALLING);
	CHECK_OK(restart(&service.child));
	CHECK_TRUE(joined(third));
	CHECK_OK(third->status);
	worker_go(first);
	CHECK_TRUE(joined(first));
	CHECK(first->status, E(PEER_RESTARTED, 1)); /* of the restart; the request never arrived */
}

/* A worker that waits in the queue of a server that is busy when it ends. */
static void job_busy(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	self->got[0]++;
	while (tss_port_reply_receive((cap_t)self->a, &request, TSS_INFINITE) == TSS_OK) {
		self->got[1]++;
		if (self->got[0] == 1)
			(void)tss_self_sleep(SECOND);
	}
}

static void test_queue_outlives_the_server(void)
{
	struct service service = service_new();
	lives(&service.child)->run = job_busy;
	CHECK_OK(tss_unit_kill(service.child.unit, 0));
	lives(&service.child)->got[0] = 0;
	CHECK_OK(restart(&service.child));
	cap_t a = new_connection(service.port, 5), b = new_connection(service.port, 6);
	struct worker *served = work(HIGH, job_caller, a, SECOND), *queued = work(HIGH, job_caller, b, SECOND);
	CHECK(lives(&service.child)->got[1], 1);
	CHECK_OK(tss_unit_kill(service.child.unit, 0));
	CHECK_TRUE(joined(served));
	CHECK(served->status, E(PEER_RESTARTED, 1));
	CHECK(thread_state(queued->thread), TSS_THREAD_CALLING); /* still waits, its timer running */
	CHECK_OK(restart(&service.child));
	CHECK_TRUE(joined(queued));
	CHECK(queued->status, E(PEER_RESTARTED, 1));
	CHECK_OK(call(b, 1, SECOND)); /* once */
	CHECK_OK(call(a, 1, SECOND));
	CHECK(lives(&service.child)->got[1], 3);
}

static void test_verdict_reaches_all(void)
{
	struct service service = service_new();
	cap_t idle = new_connection(service.port, 5), told = new_connection(service.port, 6);
	cap_t sender = new_connection(service.port, 7);
	CHECK_OK(tss_unit_kill(service.child.unit, 0));
	CHECK(call(told, 1, SECOND), E(PEER_RESTARTED, 1));
	struct worker *waiting = work(HIGH, job_caller, told, SECOND);
	CHECK(thread_state(waiting->thread), TSS_THREAD_CALLING);
	CHECK_OK(tss_unit_kill(service.child.unit, 1));
	CHECK_TRUE(joined(waiting));
	CHECK(waiting->status, E(PEER_DEAD, 1));
	CHECK(call(idle, 1, SECOND), E(PEER_DEAD, 1));
	CHECK(call(idle, 1, SECOND), E(PEER_DEAD, 1));
	CHECK(send(told), E(PEER_DEAD, 1));
	CHECK(send(sender), E(PEER_DEAD, 1));
}

/* The supervisor's own connection needs no telling: the next end still arrives. */
static void test_supervisor_hears_each_end(void)
{
	struct service service = service_new();
	struct tss_request request;
	for (unsigned i = 0; i < 6; i++) {
		CHECK_OK(tss_unit_kill(service.child.unit, 0));
		CHECK_OK(receive(service.watch, &request, 0));
		CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_ENDED);
		CHECK_OK(restart(&service.child));
	}
}

/* A holder who revokes what descends from his sealed capability takes his own gifts back, not the plan's. */
static void job_revoke(struct worker *self)
{
	uint64_t copy = 0;
	self->got[0] = tss_capability_derive(SLOT, TSS_RIGHT_SIGNAL, &copy);
	self->got[1] = tss_capability_revoke(SLOT);
	self->got[2] = tss_capability_inspect((cap_t)copy, NULL);
}

static void test_revoke_spares_the_sealed(void)
{
	struct child child = sealed_child(job_revoke, 0, 0);
	volatile struct worker *job = lives(&child);
	uint64_t event = 0, planned = 0, granted = 0, holder = 0;
	CHECK_OK(tss_unit_create(SELF, 12, 64, 0, 0, &holder));
	own((cap_t)holder);
	CHECK_OK(tss_event_create(child.unit, &event));
	CHECK_OK(tss_capability_derive((cap_t)event, TSS_RIGHT_SIGNAL | TSS_RIGHT_GRANT, &planned));
	CHECK_OK(tss_capability_derive((cap_t)event, TSS_RIGHT_SIGNAL, &granted));
	CHECK_OK(tss_unit_install((cap_t)holder, SLOT, (cap_t)planned, TSS_RIGHT_SIGNAL, TSS_INSTALL_MOVE));
	CHECK_OK(tss_unit_seal((cap_t)holder));
	CHECK_OK(
		tss_unit_install(child.unit, SLOT, (cap_t)event, TSS_RIGHT_SIGNAL | TSS_RIGHT_GRANT, TSS_INSTALL_MOVE));
	seal_and_go(&child);
	CHECK_OK(job->got[0]);
	CHECK_OK(job->got[1]);
	CHECK(job->got[2], E(CAPABILITY, 1));
	CHECK(tss_capability_inspect((cap_t)granted, NULL), E(CAPABILITY, 1));
	CHECK(tss_unit_install((cap_t)holder, SLOT, child.data, 0, TSS_INSTALL_COPY),
	      E(OCCUPIED, 2)); /* planned: kept */
	CHECK_OK(restart(&child));
	CHECK(tss_unit_install((cap_t)holder, SLOT, child.data, 0, TSS_INSTALL_COPY), E(OCCUPIED, 2));
	CHECK_OK(job->got[0]);
}

const struct test restart_tests[] = {
	TEST(restart_is_fresh),
	TEST(thousand_restarts),
	TEST(sealed_is_kept),
	TEST(restart_refused),
	TEST(final_kill_is_final),
	TEST(template_arguments),
	TEST(clients_are_told_once),
	TEST(queued_callers_wait),
	TEST(queue_outlives_the_server),
	TEST(verdict_reaches_all),
	TEST(supervisor_hears_each_end),
	TEST(revoke_spares_the_sealed),
	{NULL, NULL},
};
