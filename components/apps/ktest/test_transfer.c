/* SPDX-License-Identifier: BSD-2-Clause */
/* test_transfer.c - capabilities in messages. */
#include "ktest.h"

#define SLOT 100 /* empty slots of this unit from here on */
static const uint64_t none[4];

struct parcel {
	cap_t port, connection;
	struct worker *server;
};

/* A server that declares `count` slots from SLOT on, receives once and answers. */
static void job_take(struct worker *self)
{
	struct tss_request request;
	for (unsigned i = 0; i < self->b; i++)
		tss_ipc()->recv_slots[i] = (cap_t)(SLOT + (self->c ? 0 : i));
	self->status = tss_port_receive((cap_t)self->a, &request, TSS_INFINITE);
	self->got[0] = request.tag;
	for (unsigned i = 0; i < TSS_MESSAGE_CAPS; i++)
		self->got[1 + i] = tss_ipc()->recv_caps[i];
	if (request.reply)
		(void)tss_reply_send(request.reply, TSS_TAG(2, 0, 0), none);
}

static struct parcel parcel_new(unsigned slots, bool twice)
{
	struct parcel parcel = {.port = new_port(1)};
	parcel.connection = new_connection(parcel.port, 1);
	(void)new_reply(parcel.port);
	parcel.server = worker_new(HIGH, job_take, parcel.port, slots);
	parcel.server->c = twice;
	(void)worker_go(parcel.server);
	return parcel;
}

static tss_status_t send_caps(const struct parcel *parcel, unsigned count)
{
	tss_tag_t tag = TSS_TAG(1, 0, count);
	uint64_t words[4] = {0};
	return tss_connection_call(parcel->connection, &tag, words, SECOND);
}

static uint64_t inspected(cap_t cap)
{
	uint64_t value = 0;
	CHECK_OK(tss_capability_inspect(cap, &value));
	return value;
}

static void test_four_capabilities(void)
{
	struct parcel parcel = parcel_new(4, false);
	cap_t event = new_event();
	tss_ipc()->send_caps[0] = event;
	tss_ipc()->send_caps[1] = derive(event, TSS_RIGHT_GRANT | TSS_RIGHT_WAIT);
	tss_ipc()->send_caps[2] = new_memory(1);
	tss_ipc()->send_caps[3] = event;
	CHECK_OK(send_caps(&parcel, 4));
	CHECK(parcel.server->got[0], TSS_TAG(1, 0, 4));
	for (unsigned i = 0; i < 4; i++) {
		cap_t arrived = own((cap_t)parcel.server->got[1 + i]), sent = tss_ipc()->send_caps[i];
		CHECK(TSS_CAP_SLOT(arrived), SLOT + i);
		CHECK(inspected(arrived), inspected(sent) + (1 << 24));
		CHECK(object_id(arrived), object_id(sent));
	}
	CHECK_OK(tss_event_signal((cap_t)parcel.server->got[1], 8));
	CHECK(tss_event_signal((cap_t)parcel.server->got[2], 8), E(RIGHTS, 1));
	CHECK_OK(tss_capability_revoke(event));
	CHECK(tss_event_signal((cap_t)parcel.server->got[1], 8), E(CAPABILITY, 1));
}

/* All or nothing: the server still waits, its slots are empty, and the next message arrives. */
static void refused(struct parcel *parcel, unsigned count, tss_status_t want)
{
	uint64_t value;
	CHECK(send_caps(parcel, count), want);
	CHECK(thread_state(parcel->server->thread), TSS_THREAD_RECEIVING);
	for (unsigned i = 0; i < 4; i++)
		CHECK(tss_capability_inspect(SLOT + i, &value) == TSS_OK, false);
	CHECK_OK(send_caps(parcel, 0));
	CHECK_TRUE(joined(parcel->server));
}

static void test_too_few_slots(void)
{
	struct parcel parcel = parcel_new(1, false);
	tss_ipc()->send_caps[0] = tss_ipc()->send_caps[1] = new_event();
	refused(&parcel, 2, E(NO_SLOT, 2));
}

static void test_same_slot_twice(void)
{
	struct parcel parcel = parcel_new(2, true);
	tss_ipc()->send_caps[0] = tss_ipc()->send_caps[1] = new_event();
	refused(&parcel, 2, E(NO_SLOT, 2));
}

static void test_occupied_slot(void)
{
	struct parcel parcel = parcel_new(1, false);
	cap_t event = new_event();
	CHECK_OK(tss_unit_install(SELF, SLOT, event, TSS_RIGHT_WAIT, TSS_INSTALL_COPY));
	tss_ipc()->send_caps[0] = event;
	CHECK(send_caps(&parcel, 1), E(NO_SLOT, 2));
	CHECK_OK(tss_capability_revoke(event));
	CHECK_OK(send_caps(&parcel, 1));
	CHECK(TSS_CAP_SLOT(parcel.server->got[1]), SLOT);
}

static void test_slot_out_of_range(void)
{
	static const cap_t bad[] = {0, 512, 0xffff, 0x10000 + SLOT, 0xffffffff};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct parcel parcel = parcel_new(0, false);
		struct tss_ipc_page *peer =
			(struct tss_ipc_page *)(IPC_BASE + parcel.server->index * 2 * TSS_PAGE_SIZE);
		peer->recv_slots[0] = bad[i];
		tss_ipc()->send_caps[0] = new_event();
		refused(&parcel, 1, E(NO_SLOT, 2));
	}
}

static void test_no_right_to_grant(void)
{
	struct parcel parcel = parcel_new(2, false);
	tss_ipc()->send_caps[0] = new_event();
	tss_ipc()->send_caps[1] = derive(tss_ipc()->send_caps[0], TSS_RIGHT_WAIT | TSS_RIGHT_SIGNAL);
	refused(&parcel, 2, E(RIGHTS, 2));
}

static void test_bad_handles_in_message(void)
{
	static const cap_t bad[] = {0, 200, 512, 0x10001, 0xffffffff};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct parcel parcel = parcel_new(2, false);
		tss_ipc()->send_caps[0] = new_event();
		tss_ipc()->send_caps[1] = bad[i];
		refused(&parcel, 2, E(CAPABILITY, 2));
	}
}

/* The sender gives up while its message with capabilities is queued: nothing arrives later. */
static void job_send_one(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 0, 1);
	uint64_t words[4] = {0};
	tss_ipc()->send_caps[0] = (cap_t)self->b;
	self->status = tss_connection_call((cap_t)self->a, &tag, words, 1000);
	self->got[0] = tag;
}

static void test_queued_with_capability(void)
{
	cap_t port = new_port(1), event = new_event(), doomed = new_event();
	cap_t connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *dead = work(HIGH, job_send_one, connection, doomed);
	struct worker *alive = work(HIGH, job_send_one, connection, event);
	CHECK_OK(destroy(doomed));
	tss_ipc()->recv_slots[0] = SLOT;
	CHECK_OK(receive(port, &request, 0));
	CHECK(dead->status, E(CAPABILITY, 2));
	CHECK_TRUE(dead->done);
	CHECK(TSS_TAG_CAPS(request.tag), 1);
	CHECK(TSS_CAP_SLOT(tss_ipc()->recv_caps[0]), SLOT);
	own(tss_ipc()->recv_caps[0]);
	CHECK_TRUE(joined(alive));
	CHECK(alive->status, E(TIMEOUT, 0));
	CHECK(tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none), E(GONE, 1));
}

static void job_take_reply(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	uint64_t words[4] = {0};
	for (unsigned i = 0; i < self->b; i++)
		tss_ipc()->recv_slots[i] = (cap_t)(SLOT + i);
	self->status = tss_connection_call((cap_t)self->a, &tag, words, SECOND);
	self->got[0] = tag;
	self->got[1] = tss_ipc()->recv_caps[0];
}

static void test_capability_in_reply(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1), event = new_event();
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = work(HIGH, job_take_reply, connection, 1);
	CHECK_OK(receive(port, &request, 0));
	tss_ipc()->send_caps[0] = tss_ipc()->send_caps[1] = event;
	CHECK(tss_reply_send(request.reply, TSS_TAG(0, 0, 2), none), E(NO_SLOT, 2));
	request.tag = TSS_TAG(0, 0, 2);
	cap_t reply = request.reply;
	CHECK(tss_port_reply_receive(port, &request, SECOND), E(NO_SLOT, 2));
	CHECK_TRUE(!caller->done);
	CHECK_OK(tss_reply_send(reply, TSS_TAG(0, 0, 1), none));
	CHECK_OK(caller->status);
	CHECK(caller->got[0], TSS_TAG(0, 0, 1));
	CHECK(TSS_CAP_SLOT(caller->got[1]), SLOT);
	CHECK(inspected((cap_t)caller->got[1]), inspected(event) + (1 << 24));
	CHECK_OK(tss_capability_revoke(event));
}

static void test_reply_objects_cannot_be_copied(void)
{
	cap_t port = new_port(1), reply = new_reply(port);
	uint64_t value;
	CHECK(tss_capability_derive(reply, TSS_RIGHT_SEND, &value), E(RIGHTS, 1));
	CHECK(tss_unit_install(SELF, SLOT, reply, TSS_RIGHT_SEND, TSS_INSTALL_COPY), E(RIGHTS, 3));
}

/* Moved while a caller waits: the new handle answers it. */
static void test_reply_object_moved_while_bound(void)
{
	cap_t port = new_port(1), connection = new_connection(port, 1);
	struct tss_request request;
	(void)new_reply(port);
	struct worker *caller = work(HIGH, job_caller, connection, SECOND);
	CHECK_OK(receive(port, &request, 0));
	CHECK_OK(tss_unit_install(SELF, SLOT, request.reply, TSS_RIGHT_SEND, TSS_INSTALL_MOVE));
	CHECK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none), E(CAPABILITY, 1));
	uint64_t value = 0;
	cap_t moved = TSS_CAP_NULL;
	for (cap_t generation = 0; generation < 64 && !moved; generation++)
		if (tss_capability_inspect(SLOT | generation << 16, &value) == TSS_OK)
			moved = SLOT | generation << 16;
	CHECK_OK(tss_reply_send(moved, TSS_TAG(1, 0, 0), none));
	CHECK_OK(caller->status);
	workers_end();
	caller = work(HIGH, job_caller, connection, SECOND);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.reply, moved + 0x10000);
	CHECK_OK(tss_reply_send(request.reply, TSS_TAG(1, 0, 0), none));
}

const struct test transfer_tests[] = {
	TEST(four_capabilities),
	TEST(too_few_slots),
	TEST(same_slot_twice),
	TEST(occupied_slot),
	TEST(slot_out_of_range),
	TEST(no_right_to_grant),
	TEST(bad_handles_in_message),
	TEST(queued_with_capability),
	TEST(capability_in_reply),
	TEST(reply_objects_cannot_be_copied),
	TEST(reply_object_moved_while_bound),
	{0},
};
