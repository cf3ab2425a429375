/* SPDX-License-Identifier: BSD-2-Clause */
/* test_channel.c - channels: order, the bound in bytes, who waits and who is woken first, flags, the end. */
#include <tessera/chan.h>
#include "ktest.h"

#define BYTES 64u /* room for four records of 8 bytes */

static cap_t new_channel(uint64_t bytes)
{
	return own(chan_create(bytes));
}

static tss_status_t put(cap_t channel, uint64_t value)
{
	return chan_send(channel, &value, sizeof(value), CHAN_NONBLOCK);
}

static tss_status_t get(cap_t channel, uint64_t want)
{
	uint64_t value = 0;
	size_t size = 0;
	tss_status_t status = chan_recv(channel, &value, sizeof(value), &size, CHAN_NONBLOCK, 0);
	if (status == TSS_OK && (value != want || size != sizeof(value)))
		CHECK(value, want);
	return status;
}

static void test_channel_arguments(void)
{
	uint64_t value = 0;
	cap_t channel = new_channel(BYTES);
	CHECK(tss_channel_create(SELF, 7, &value), E(ARGUMENT, 2));
	CHECK(tss_channel_create(SELF, TSS_CHANNEL_BYTES_MAX + 1, &value), E(ARGUMENT, 2));
	CHECK(tss_channel_send(channel, TSS_MESSAGE_MAX + 1, 0), E(ARGUMENT, 2));
	CHECK(tss_channel_send(channel, BYTES - 7, 0), E(ARGUMENT, 2)); /* would never fit */
	CHECK(tss_channel_send(channel, 8, TSS_TIMEOUT_MAX + 1), E(ARGUMENT, 3));
	CHECK(tss_channel_receive(channel, TSS_MESSAGE_MAX + 1, 0, 0, &value), E(ARGUMENT, 2));
	CHECK(tss_channel_receive(channel, 8, 4, 0, &value), E(ARGUMENT, 3));
	CHECK(tss_channel_receive(channel, 8, 0, TSS_TIMEOUT_MAX + 1, &value), E(ARGUMENT, 4));
	CHECK(tss_channel_receive(derive(channel, TSS_RIGHT_SEND), 8, 0, 0, &value), E(RIGHTS, 1));
	CHECK(tss_channel_send(derive(channel, TSS_RIGHT_RECEIVE), 8, 0), E(RIGHTS, 1));
	CHECK(tss_channel_close(derive(channel, TSS_RIGHT_RECEIVE | TSS_RIGHT_SEND)), E(RIGHTS, 1));
	CHECK(tss_channel_receive(channel, 8, 0, 0, &value), E(TIMEOUT, 0));
	CHECK(chan_send(channel, &value, 8, CHAN_PEEK), E(ARGUMENT, 4));
}

/* Every length, in and out over the ring's end; what lies behind a record does not travel. */
static void test_channel_keeps_each_byte(void)
{
	static uint8_t out[CHAN_RECORD_MAX], in[CHAN_RECORD_MAX];
	cap_t channel = new_channel(600);
	size_t size;
	for (unsigned length = 0; length <= CHAN_RECORD_MAX; length++) {
		for (unsigned i = 0; i < length; i++)
			out[i] = (uint8_t)(length + 3 * i);
		memset(tss_ipc()->send, 0xee, CHAN_RECORD_MAX);
		CHECK_OK(chan_send(channel, out, length, 0));
		CHECK_OK(chan_send(channel, out, length / 2, 0));
		memset(tss_ipc()->recv, 0x55, CHAN_RECORD_MAX);
		CHECK_OK(chan_recv(channel, in, sizeof(in), &size, 0, CHAN_FOREVER));
		CHECK(size, length);
		if (memcmp(in, out, length) != 0)
			CHECK(memcmp(in, out, length), 0);
		for (unsigned i = length; i < CHAN_RECORD_MAX; i++)
			if (((const uint8_t *)tss_ipc()->recv)[i] != 0x55)
				CHECK(((const uint8_t *)tss_ipc()->recv)[i], 0x55);
		CHECK_OK(chan_recv(channel, in, sizeof(in), &size, 0, CHAN_FOREVER));
		CHECK(size, length / 2);
	}
}

static void test_channel_is_bounded_in_bytes(void)
{
	cap_t channel = new_channel(BYTES);
	uint8_t byte = 0;
	for (unsigned round = 0; round < 50; round++) {
		for (uint64_t i = 0; i < 4; i++)
			CHECK_OK(put(channel, i));
		CHECK(put(channel, 4), E(FULL, 1));
		CHECK(chan_send(channel, &byte, 0, CHAN_NONBLOCK), E(FULL, 1));
		for (uint64_t i = 0; i < 4; i++)
			CHECK_OK(get(channel, i));
		for (unsigned i = 0; i < 8; i++)
			CHECK_OK(chan_send(channel, &byte, 0, CHAN_NONBLOCK)); /* the record's head counts */
		CHECK(chan_send(channel, &byte, 0, CHAN_NONBLOCK), E(FULL, 1));
		for (unsigned i = 0; i < 8; i++)
			CHECK_OK(chan_recv(channel, &byte, 1, NULL, CHAN_NONBLOCK, 0));
	}
}

static void test_channel_flags(void)
{
	cap_t channel = new_channel(BYTES);
	uint64_t words[2] = {1, 2}, got[2] = {0, 0};
	size_t size = 0;
	CHECK_OK(chan_send(channel, words, sizeof(words), 0));
	CHECK(chan_recv(channel, got, 8, &size, 0, CHAN_FOREVER), E(ARGUMENT, 2));
	CHECK_OK(chan_recv(channel, got, 8, &size, CHAN_PEEK | CHAN_TRUNCATE, CHAN_FOREVER));
	CHECK(size, 16);
	CHECK(got[0], 1);
	CHECK(got[1], 0);
	CHECK_OK(chan_recv(channel, got, 16, &size, CHAN_PEEK, 0));
	CHECK(got[1], 2);
	tss_ipc()->recv[1] = 77;
	CHECK_OK(chan_recv(channel, got, 8, &size, CHAN_TRUNCATE, 0));
	CHECK(tss_ipc()->recv[1], 77); /* what there is no room for does not arrive either */
	CHECK(chan_recv(channel, got, 16, &size, 0, 0), E(TIMEOUT, 0));
}

/* a: channel, b: the value to send */
static void job_send(struct worker *self)
{
	uint64_t value = self->b;
	self->status = chan_send_timed((cap_t)self->a, &value, sizeof(value), 0, self->c ? self->c : CHAN_FOREVER);
	mark((char)('a' + value));
}

static void job_receive(struct worker *self)
{
	uint64_t value = 0;
	size_t size = 0;
	self->status = chan_recv((cap_t)self->a, &value, self->b, &size, 0, self->c ? self->c : CHAN_FOREVER);
	self->got[0] = value;
	self->got[1] = size;
	mark(self->status == TSS_OK ? (char)('a' + value) : '-');
}

static void test_channel_wakes_the_most_urgent_receiver(void)
{
	cap_t channel = new_channel(BYTES);
	struct worker *low = work(HIGH, job_receive, channel, 8);
	struct worker *high = work(HIGH + 2, job_receive, channel, 8);
	struct worker *second = work(HIGH, job_receive, channel, 8);
	CHECK_OK(put(channel, 0));
	CHECK_TRUE(high->done && !low->done && !second->done);
	CHECK_OK(put(channel, 1));
	CHECK_TRUE(low->done && !second->done);
	CHECK_OK(put(channel, 2));
	CHECK_TRUE(joined(second));
	CHECK(low->got[0], 1);
	CHECK(low->got[1], 8);
	CHECK_TRACE("abc");
}

static void test_channel_wakes_the_most_urgent_sender(void)
{
	cap_t channel = new_channel(BYTES);
	for (uint64_t i = 0; i < 4; i++)
		CHECK_OK(put(channel, i));
	struct worker *low = work(HIGH, job_send, channel, 4);
	struct worker *high = work(HIGH + 2, job_send, channel, 5);
	CHECK_TRUE(!low->done && !high->done);
	CHECK(put(channel, 9), E(FULL, 1));
	CHECK_OK(get(channel, 0));
	CHECK_TRUE(high->done && !low->done);
	CHECK_OK(get(channel, 1));
	CHECK_TRUE(joined(low));
	CHECK_TRACE("fe");
	CHECK_OK(get(channel, 2));
	CHECK_OK(get(channel, 3));
	CHECK_OK(get(channel, 5));
	CHECK_OK(get(channel, 4));
}

static void job_try(struct worker *self)
{
	self->status = chan_send((cap_t)self->a, self, 0, CHAN_NONBLOCK);
}

/* A record for which there is room waits behind one for which there is none, unless it is more urgent. */
static void test_channel_no_overtaking(void)
{
	cap_t channel = new_channel(BYTES);
	uint64_t big[6] = {7}, got[6];
	size_t size;
	for (uint64_t i = 0; i < 3; i++)
		CHECK_OK(put(channel, i));
	struct worker *waits = worker_new(MAIN_PRIORITY - 1, job_send, channel, 3);
	CHECK_OK(chan_send(channel, big, 0, 0)); /* 8 bytes are left */
	(void)worker_go(waits);
	rest();
	CHECK_TRUE(!waits->done);
	struct worker *behind = work(MAIN_PRIORITY - 2, job_try, channel, 0);
	CHECK_TRUE(joined(behind));
	CHECK(behind->status, E(FULL, 1));
	CHECK_OK(chan_send(channel, big, 0, CHAN_NONBLOCK)); /* more urgent than who waits */
	CHECK_OK(get(channel, 0));
	rest();
	CHECK_TRUE(waits->done);
	for (uint64_t i = 1; i < 3; i++)
		CHECK_OK(get(channel, i));
	for (unsigned i = 0; i < 2; i++)
		CHECK_OK(chan_recv(channel, got, sizeof(got), &size, 0, 0));
	CHECK_OK(get(channel, 3));
}

static void test_channel_waits_end_in_time(void)
{
	cap_t channel = new_channel(BYTES);
	uint64_t before = now();
	struct worker *receiver = work(HIGH, job_receive, channel, 8);
	struct worker *timed = worker_new(HIGH, job_receive, channel, 8);
	timed->c = 3000001; /* ns */
	(void)worker_go(timed);
	CHECK_TRUE(joined(timed));
	CHECK(timed->status, E(TIMEOUT, 0));
	CHECK_TRUE(now() - before >= 3001);
	CHECK_OK(put(channel, 1)); /* the list is whole without him */
	CHECK_TRUE(joined(receiver));
	CHECK(receiver->got[0], 1);
	for (uint64_t i = 0; i < 4; i++)
		CHECK_OK(put(channel, i));
	struct worker *sender = worker_new(HIGH, job_send, channel, 4);
	sender->c = 2000000;
	(void)worker_go(sender);
	CHECK_TRUE(joined(sender));
	CHECK(sender->status, E(TIMEOUT, 0));
	for (uint64_t i = 0; i < 4; i++)
		CHECK_OK(get(channel, i));
	CHECK(get(channel, 4), E(TIMEOUT, 0)); /* it was not sent */
}

/* A record too long for who waits: he hears so, and it is there for the next. */
static void test_channel_too_long_for_a_waiter(void)
{
	cap_t channel = new_channel(BYTES);
	struct worker *small = work(HIGH + 1, job_receive, channel, 4), *fits = work(HIGH, job_receive, channel, 8);
	CHECK_OK(put(channel, 2));
	CHECK_TRUE(joined(small) && joined(fits));
	CHECK(small->status, E(ARGUMENT, 2));
	CHECK_OK(fits->status);
	CHECK(fits->got[0], 2);
}

static void test_channel_close(void)
{
	cap_t channel = new_channel(BYTES), empty = new_channel(BYTES);
	struct worker *receiver = work(HIGH, job_receive, empty, 8);
	for (uint64_t i = 0; i < 4; i++)
		CHECK_OK(put(channel, i));
	struct worker *sender = work(HIGH, job_send, channel, 4);
	CHECK_OK(chan_close(channel));
	CHECK_OK(chan_close(empty));
	CHECK_TRUE(joined(receiver) && joined(sender));
	CHECK(receiver->status, E(PEER_DEAD, 1));
	CHECK(sender->status, E(PEER_DEAD, 1));
	CHECK(put(channel, 5), E(PEER_DEAD, 1));
	for (uint64_t i = 0; i < 4; i++)
		CHECK_OK(get(channel, i));
	CHECK(get(channel, 4), E(PEER_DEAD, 1));
	CHECK_OK(chan_close(channel));
}

static void test_channel_deleted_under_waiters(void)
{
	cap_t channel = new_channel(BYTES);
	struct worker *one = work(HIGH, job_receive, channel, 8), *two = work(HIGH, job_receive, channel, 8);
	CHECK_OK(destroy(channel));
	disown(channel);
	CHECK_TRUE(joined(one) && joined(two));
	CHECK(one->status, E(PEER_DEAD, 1));
	CHECK(put(channel, 1), E(CAPABILITY, 1));
}

/* A thread that waits is ended: nobody finds it in the list. */
static void test_channel_waiter_ends(void)
{
	cap_t channel = new_channel(BYTES);
	struct worker *gone = work(HIGH + 1, job_receive, channel, 8), *stays = work(HIGH, job_receive, channel, 8);
	CHECK_OK(destroy(gone->thread));
	disown(gone->thread);
	CHECK_OK(put(channel, 6));
	CHECK_TRUE(joined(stays));
	CHECK(stays->got[0], 6);
}

/* The unit that paid ends: its channel is no more, for those that hold a copy. */
static void test_channel_ends_with_its_unit(void)
{
	struct child child = child_new(LOW, job_exit, 0, 0);
	cap_t port = child_watch(&child, 1);
	struct tss_request request;
	uint64_t value = 0;
	CHECK_OK(tss_channel_create(child.unit, BYTES, &value));
	cap_t channel = own((cap_t)value);
	struct worker *receiver = work(HIGH, job_receive, channel, 8);
	child_go(&child);
	CHECK_OK(receive(port, &request, SECOND));
	CHECK_TRUE(joined(receiver));
	CHECK(receiver->status, E(PEER_DEAD, 1));
	CHECK(put(channel, 1), E(PEER_DEAD, 1));
}

const struct test channel_tests[] = {TEST(channel_arguments),
				     TEST(channel_keeps_each_byte),
				     TEST(channel_is_bounded_in_bytes),
				     TEST(channel_flags),
				     TEST(channel_wakes_the_most_urgent_receiver),
				     TEST(channel_wakes_the_most_urgent_sender),
				     TEST(channel_no_overtaking),
				     TEST(channel_waits_end_in_time),
				     TEST(channel_too_long_for_a_waiter),
				     TEST(channel_close),
				     TEST(channel_deleted_under_waiters),
				     TEST(channel_waiter_ends),
				     TEST(channel_ends_with_its_unit),
				     {0}};
