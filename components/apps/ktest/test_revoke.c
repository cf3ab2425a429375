/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_revoke.c - revoking in slices keeps others from deriving meanwhile, and only meanwhile; what was revoked is gone
 * wherever it was: mapped in other units, queued in a message, handed out in a reply. And the calls move and check.
 */
#include "ktest.h"

#define SLOT 100
#define MANY 40 /* three slices */
#define EVENT_RIGHTS (TSS_RIGHT_GRANT | TSS_RIGHT_SIGNAL | TSS_RIGHT_WAIT | TSS_RIGHT_BIND)
static const uint64_t none[4];

/* With MANY derived and the first slice of a revoke done. */
static cap_t half_revoked(cap_t cap, uint64_t rights)
{
	uint64_t value;
	for (unsigned i = 0; i < MANY; i++)
		CHECK_OK(tss_capability_derive(cap, rights, &value));
	CHECK(tss_capability_revoke(cap), E(AGAIN, 1));
	return cap;
}

static void finish(cap_t cap)
{
	while (TSS_CODE(tss_capability_revoke(cap)) == TSS_E_AGAIN)
		;
}

static void test_no_copies_of_what_is_being_revoked(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), other = new_event();
	cap_t event = half_revoked(new_event(), 0), last = new_memory(1);
	uint64_t value = 0;
	CHECK(tss_capability_derive(event, 0, &value), E(AGAIN, 1));
	CHECK(tss_unit_install(SELF, SLOT, event, 0, TSS_INSTALL_COPY), E(AGAIN, 3));
	tss_ipc()->send_caps[0] = event;
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 1), none), E(AGAIN, 2));
	(void)derive(other, 0);
	(void)half_revoked(last, TSS_RIGHT_GRANT);
	CHECK(tss_memory_slice(last, 0, 1, &value), E(AGAIN, 1));
	(void)half_revoked(port, TSS_RIGHT_GRANT);
	CHECK(tss_connection_create(port, SELF, 1, 0, &value), E(AGAIN, 1));
	CHECK(tss_reply_create(port, SELF, &value), E(AGAIN, 1));
	CHECK_OK(tss_event_signal(event, 1));
	finish(event);
	finish(last);
	finish(port);
	(void)derive(event, 0);
	(void)new_connection(port, 1);
	CHECK_OK(tss_memory_slice(last, 0, 1, &value));
	own((cap_t)value);
}

/* How many copies are refused before one is made, at most 1000. */
static unsigned refusals(cap_t cap)
{
	uint64_t value = 0;
	unsigned count = 0;
	while (tss_capability_derive(cap, 0, &value) == E(AGAIN, 1) && count < 1000)
		count++;
	return count;
}

static void job_revoke_once(struct worker *self)
{
	self->status = tss_capability_revoke((cap_t)self->a);
}

/* Given up, or its revoker dead: others may copy again after a hundred refusals. Each slice starts them anew. */
static void test_an_abandoned_revoke_wears_off(void)
{
	cap_t event = half_revoked(new_event(), 0);
	uint64_t value = 0;
	for (unsigned i = 0; i < 60; i++)
		CHECK(tss_capability_derive(event, 0, &value), E(AGAIN, 1));
	CHECK(tss_capability_revoke(event), E(AGAIN, 1));
	CHECK(refusals(event), 100);
	finish(event);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_OK(tss_capability_derive(event, 0, &value));
	struct worker *revoker = work(HIGH, job_revoke_once, event, 0);
	CHECK_TRUE(revoker->done);
	CHECK(revoker->status, E(AGAIN, 1));
	workers_end();
	CHECK(refusals(event), 100);
	finish(event);
	(void)derive(event, 0);
}

/* In a child: stores through the mapping at a until it faults. */
static void job_store(struct worker *self)
{
	for (uint64_t count = 1;; count++)
		*(volatile uint64_t *)self->a = count;
}

#define HOLDERS 4
static void test_stores_fault_after_a_revoke(void)
{
	cap_t memory = new_memory(2), watch[HOLDERS];
	struct child children[HOLDERS];
	const uint64_t rights = TSS_RIGHT_READ | TSS_RIGHT_WRITE, all = rights | TSS_RIGHT_GRANT;
	volatile uint64_t *mine = (volatile uint64_t *)SPARE_AT;
	cap_t parent = derive(memory, all);
	for (unsigned i = 0; i < HOLDERS; i++) {
		uint64_t at = SPARE_AT + i * 0x40000000;
		children[i] = child_new(LOW, job_store, at + 8 * i, 0);
		child_give(&children[i], CHILD_FIRST, i % 2 ? derive(parent, all) : memory, rights);
		CHECK_OK(tss_unit_map(children[i].unit, CHILD_FIRST, at, rights));
		watch[i] = child_watch(&children[i], i);
		child_go(&children[i]);
	}
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ));
	for (unsigned i = 0; i < 100 * HOLDERS && !(mine[0] && mine[1] && mine[2] && mine[3]); i++)
		(void)tss_self_sleep(10 * SLICE);
	for (unsigned i = 0; i < HOLDERS; i++)
		CHECK_TRUE(mine[i] != 0);
	finish(memory);
	for (unsigned i = 0; i < HOLDERS; i++) {
		struct tss_request request;
		CHECK_OK(receive(watch[i], &request, SECOND));
		CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_FAULT);
		CHECK(request.words[0], TSS_FAULT_WRITE);
		CHECK(request.words[1], SPARE_AT + i * 0x40000000 + 8 * i);
	}
	CHECK_TRUE(mine[0] != 0);
}

/* Sends `count` copies of the event and of memory to a port of one's own; nobody receives yet. */
static cap_t queued(cap_t event, cap_t memory)
{
	cap_t port = new_port(2), connection = new_connection(port, 1);
	struct usage before = usage_now();
	tss_ipc()->send_caps[0] = tss_ipc()->send_caps[2] = event;
	tss_ipc()->send_caps[1] = tss_ipc()->send_caps[3] = memory;
	CHECK_OK(tss_connection_send(connection, TSS_TAG(1, 0, 4), none));
	CHECK(usage_now().slots, before.slots);
	CHECK(usage_now().pages, before.pages);
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		tss_ipc()->recv_slots[i] = (cap_t)(SLOT + i);
	return port;
}

static void test_capabilities_wait_in_the_queue(void)
{
	cap_t event = new_event(), memory = new_memory(1), port = queued(event, memory);
	struct tss_request request;
	uint64_t value = 0;
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, TSS_TAG(1, 0, 4));
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++) {
		cap_t arrived = tss_ipc()->recv_caps[i];
		CHECK(TSS_CAP_SLOT(arrived), SLOT + i);
		CHECK(object_id(arrived), object_id(i % 2 ? memory : event));
		CHECK_OK(tss_capability_inspect(arrived, &value));
		CHECK(value >> 24, 1);
		CHECK_OK(tss_capability_delete(arrived));
	}
}

static void test_revoked_in_the_queue(void)
{
	cap_t event = new_event(), memory = new_memory(1), port = queued(event, memory);
	struct tss_request request;
	finish(event);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, TSS_TAG(1, 0, 4));
	CHECK(tss_ipc()->recv_caps[0], TSS_CAP_NULL);
	CHECK(TSS_CAP_SLOT(tss_ipc()->recv_caps[1]), SLOT + 1);
	CHECK(tss_ipc()->recv_caps[2], TSS_CAP_NULL);
	CHECK(TSS_CAP_SLOT(tss_ipc()->recv_caps[3]), SLOT + 3);
	finish(memory);
}

/* The sender has its OK already: what finds no slot is dropped. */
static void test_too_few_slots_for_queued_capabilities(void)
{
	cap_t event = new_event(), memory = new_memory(1), port = queued(event, memory);
	struct usage before = usage_now();
	struct tss_request request;
	tss_ipc()->recv_slots[1] = SLOT;
	tss_ipc()->recv_slots[2] = 0;
	tss_ipc()->recv_slots[3] = TSS_SLOT_UNIT;
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.tag, TSS_TAG(1, 0, 4));
	CHECK(TSS_CAP_SLOT(tss_ipc()->recv_caps[0]), SLOT);
	for (unsigned i = 1; i < TSS_MESSAGE_CAPS; i++)
		CHECK(tss_ipc()->recv_caps[i], TSS_CAP_NULL);
	CHECK(usage_now().slots, before.slots + 1);
	CHECK_OK(tss_capability_delete(tss_ipc()->recv_caps[0]));
	finish(memory);
	CHECK_OK(tss_capability_revoke(event));
}

static void test_object_ends_in_the_queue(void)
{
	cap_t event = new_event(), memory = new_memory(1), port = queued(event, memory);
	struct tss_request request;
	CHECK_OK(destroy(event));
	CHECK_OK(receive(port, &request, 0));
	CHECK(tss_ipc()->recv_caps[0] | tss_ipc()->recv_caps[2], TSS_CAP_NULL);
	finish(memory);
	(void)queued(new_event(), memory); /* and the queue with all that is in it */
}

static void test_queued_capability_refusals(void)
{
	cap_t port = new_port(2), connection = new_connection(port, 1), event = new_event();
	struct tss_request request;
	tss_ipc()->send_caps[0] = event;
	tss_ipc()->send_caps[1] = event ^ 0x10000;
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 2), none), E(CAPABILITY, 2));
	tss_ipc()->send_caps[1] = derive(event, TSS_RIGHT_SIGNAL);
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 2), none), E(RIGHTS, 2));
	CHECK(receive(port, &request, 0), E(TIMEOUT, 0));
	CHECK_OK(tss_capability_delete(tss_ipc()->send_caps[1]));
	CHECK_OK(tss_capability_revoke(event));
}

static void job_take_reply(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	tss_ipc()->recv_slots[0] = SLOT;
	self->status = tss_connection_call((cap_t)self->a, &tag, words, SECOND);
	self->got[0] = tss_event_signal(tss_ipc()->recv_caps[0], 1);
}

/* Revoked after the reply and before the caller runs. */
static void test_revoked_in_a_reply(void)
{
	cap_t port = new_port(1), event = new_event();
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = work(LOW, job_take_reply, new_connection(port, 1), 0);
	CHECK_OK(receive(port, &request, SECOND));
	tss_ipc()->send_caps[0] = event;
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(0, 0, 1), none));
	CHECK_OK(tss_capability_revoke(event));
	CHECK_TRUE(joined(caller));
	CHECK_OK(caller->status);
	CHECK(caller->got[0], E(CAPABILITY, 1));
}

static cap_t moved(cap_t cap, uint64_t slot)
{
	uint64_t value = 0;
	CHECK_OK(tss_capability_move(cap, slot, &value));
	CHECK(TSS_CAP_SLOT(value), slot);
	return (cap_t)value;
}

static void test_move_to_another_slot(void)
{
	cap_t event = new_event(), a = derive(event, EVENT_RIGHTS), b = derive(a, EVENT_RIGHTS);
	uint64_t value = 0;
	cap_t there = moved(a, SLOT);
	CHECK(tss_event_signal(a, 1), E(CAPABILITY, 1));
	CHECK_OK(tss_event_signal(there, 1));
	CHECK_OK(tss_capability_revoke(there));
	CHECK(tss_event_signal(b, 1), E(CAPABILITY, 1));
	cap_t original = moved(event, SLOT + 1);
	CHECK_OK(tss_capability_inspect(original, &value));
	CHECK(value, TSS_TYPE_EVENT | EVENT_RIGHTS << 8);
	CHECK_OK(destroy(original));
	CHECK(tss_event_signal(there, 1), E(CAPABILITY, 1));
}

static void test_move_takes_the_mapping_along(void)
{
	cap_t memory = new_memory(1);
	volatile uint64_t *word = (volatile uint64_t *)SPARE_AT;
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	*word = 42;
	cap_t there = own(moved(memory, SLOT));
	CHECK(*word, 42);
	CHECK(tss_unit_map(SELF, there, SPARE_AT, TSS_RIGHT_READ), E(BUSY, 2));
	CHECK_OK(tss_unit_unmap(SELF, there));
	CHECK(tss_unit_unmap(SELF, there), E(ARGUMENT, 2));
	CHECK_OK(tss_unit_map(SELF, there, SPARE_AT, TSS_RIGHT_READ));
	CHECK(*word, 42);
}

/* In a child that was sealed: tries to move what is sealed. */
static void job_move_sealed(struct worker *self)
{
	uint64_t value;
	(void)self;
	(void)tss_self_exit(TSS_CODE(tss_capability_move(CHILD_FIRST, 50, &value)));
}

static void test_move_refusals(void)
{
	cap_t event = new_event();
	uint64_t value = 0;
	CHECK(tss_capability_move(event, 0, &value), E(ARGUMENT, 2));
	CHECK(tss_capability_move(event, 512, &value), E(ARGUMENT, 2));
	CHECK(tss_capability_move(event, 1ull << 32 | SLOT, &value), E(ARGUMENT, 2));
	CHECK(tss_capability_move(event, TSS_SLOT_TEXT, &value), E(OCCUPIED, 2));
	CHECK(tss_capability_move(event, TSS_CAP_SLOT(event), &value), E(OCCUPIED, 2));
	struct child child = child_new(HIGH, job_move_sealed, 0, 0);
	cap_t watch = child_watch(&child, 1);
	struct tss_request request;
	child_give(&child, CHILD_FIRST, event, TSS_RIGHT_SIGNAL);
	CHECK_OK(tss_unit_seal(child.unit));
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(request.words[0], TSS_E_BUSY);
}

static void test_check(void)
{
	cap_t event = derive(new_event(), TSS_RIGHT_SIGNAL | TSS_RIGHT_WAIT);
	CHECK_OK(tss_capability_check(event, TSS_TYPE_EVENT, 0));
	CHECK_OK(tss_capability_check(event, TSS_TYPE_EVENT, TSS_RIGHT_WAIT | TSS_RIGHT_SIGNAL));
	CHECK(tss_capability_check(event, TSS_TYPE_EVENT, TSS_RIGHT_WAIT | TSS_RIGHT_GRANT), E(RIGHTS, 1));
	CHECK(tss_capability_check(event, TSS_TYPE_EVENT, 1ull << 40), E(RIGHTS, 1));
	CHECK(tss_capability_check(event, TSS_TYPE_PORT, 0), E(TYPE, 1));
	CHECK(tss_capability_check(event, TSS_TYPE_EVENT | 1ull << 32, 0), E(TYPE, 1));
	CHECK(tss_capability_check(event, TSS_TYPE_NONE, 0), E(TYPE, 1));
	CHECK(tss_capability_check(event ^ 0x10000, TSS_TYPE_EVENT, 0), E(CAPABILITY, 1));
}

/* Bits 32 and up of a handle. */
static void test_handles_have_32_bits(void)
{
	const uint64_t high = 1ull << 32;
	cap_t event = new_event();
	uint64_t value = 0, arguments[5] = {event | high};
	CHECK(raw_call(TSS_SYS_capability_inspect, arguments, &value), E(CAPABILITY, 1));
	CHECK(raw_call(TSS_SYS_capability_delete, arguments, &value), E(CAPABILITY, 1));
	arguments[0] = event;
	arguments[1] = new_port(1) | high;
	CHECK(raw_call(TSS_SYS_event_bind, arguments, &value), E(CAPABILITY, 2));
	const uint64_t install[5] = {SELF, SLOT, event | high, 0, 0};
	CHECK(raw_call(TSS_SYS_unit_install, install, &value), E(CAPABILITY, 3));
	const uint64_t map[5] = {SELF, new_memory(1) | high, SPARE_AT, TSS_RIGHT_READ, 0};
	CHECK(raw_call(TSS_SYS_unit_map, map, &value), E(CAPABILITY, 2));
	CHECK_OK(tss_event_signal(event, 1));
}

const struct test revoke_tests[] = {
	TEST(no_copies_of_what_is_being_revoked),
	TEST(an_abandoned_revoke_wears_off),
	TEST(stores_fault_after_a_revoke),
	TEST(capabilities_wait_in_the_queue),
	TEST(revoked_in_the_queue),
	TEST(too_few_slots_for_queued_capabilities),
	TEST(object_ends_in_the_queue),
	TEST(queued_capability_refusals),
	TEST(revoked_in_a_reply),
	TEST(move_to_another_slot),
	TEST(move_takes_the_mapping_along),
	TEST(move_refusals),
	TEST(check),
	TEST(handles_have_32_bits),
	{0},
};
