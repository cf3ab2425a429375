/* SPDX-License-Identifier: BSD-2-Clause */
/* tests.c - what chan.h says: order, the bound in bytes, who waits and who is served first, flags, shares, the end. */
#include "channel_test.h"

#define BYTES 64u /* room for four records of 8 bytes */
#define E(code, argument) TSS_STATUS(TSS_E_##code, argument)
#define MS 1000000ull

static cap_t made[CHANNELS];
static unsigned count;

/* Each test has its client's whole share; what it makes is closed and drained when it is over. */
static cap_t new_channel(size_t bytes)
{
	cap_t channel = chan_create(SLOT_CHANNELS, ARRIVALS + count, bytes);
	if (channel != TSS_CAP_NULL)
		made[count++] = channel;
	return channel;
}

static void channels_over(void)
{
	uint8_t record[CHAN_RECORD_MAX];
	workers_over();
	while (count > 0) {
		cap_t channel = made[--count];
		(void)chan_close(channel);
		while (chan_recv(channel, record, sizeof(record), NULL, CHAN_NONBLOCK, 0) == TSS_OK)
			;
		(void)tss_capability_delete(channel);
	}
}

static tss_status_t put(cap_t channel, uint64_t value)
{
	return chan_send(channel, &value, sizeof(value), CHAN_NONBLOCK);
}

static tss_status_t get(cap_t channel, uint64_t want)
{
	uint64_t value = 0;
	size_t size = 0;
	tss_status_t status = chan_recv(channel, &value, sizeof(value), &size, 0, 0);
	if (status == TSS_OK)
		CHECK(value == want && size == sizeof(value));
	return status;
}

static struct worker *receiver(cap_t channel)
{
	return work(channel, false, 0, CHAN_FOREVER);
}

static struct worker *sender(cap_t channel, uint64_t value)
{
	return work(channel, true, value, CHAN_FOREVER);
}

static bool got(struct worker *worker, uint64_t value)
{
	return joined(worker) && worker->status == TSS_OK && worker->value == value;
}

static void test_arguments(void)
{
	uint8_t record[CHAN_RECORD_MAX + 1] = {0};
	CHECK(new_channel(7) == TSS_CAP_NULL);
	CHECK(new_channel(CHAN_BYTES_MAX + 1) == TSS_CAP_NULL);
	cap_t channel = new_channel(BYTES);
	CHECK(chan_send(channel, record, CHAN_RECORD_MAX + 1, 0) == E(ARGUMENT, 2));
	CHECK(chan_send(channel, record, BYTES - 7, 0) == E(ARGUMENT, 2)); /* would never fit */
	CHECK(chan_send(channel, record, 8, CHAN_PEEK) == E(ARGUMENT, 4));
	CHECK(chan_recv(channel, record, 8, NULL, 8, 0) == E(ARGUMENT, 5));
	CHECK(chan_recv(channel, record, 8, NULL, 0, 0) == E(TIMEOUT, 0));
	CHECK(chan_send(SLOT_CHANNELS, record, 8, 0) == E(RIGHTS, 1));
	CHECK(chan_create(channel, ARRIVALS + 40, BYTES) == TSS_CAP_NULL);
}

static void test_roles(void)
{
	uint64_t value = 5;
	cap_t channel = new_channel(BYTES), in = chan_derive(channel, ARRIVALS + 40, CHAN_SENDS);
	cap_t out = chan_derive(channel, ARRIVALS + 41, CHAN_RECEIVES);
	CHECK(in != TSS_CAP_NULL && out != TSS_CAP_NULL);
	CHECK(chan_derive(in, ARRIVALS + 42, CHAN_SENDS | CHAN_RECEIVES) == TSS_CAP_NULL);
	CHECK(chan_derive(channel, ARRIVALS + 42, 0) == TSS_CAP_NULL);
	CHECK(chan_recv(in, &value, 8, NULL, 0, 0) == E(RIGHTS, 1));
	CHECK(chan_send(out, &value, 8, 0) == E(RIGHTS, 1));
	CHECK(chan_close(in) == E(RIGHTS, 1) && chan_close(out) == E(RIGHTS, 1));
	CHECK(put(in, 5) == TSS_OK && get(out, 5) == TSS_OK);
	CHECK(tss_capability_delete(in) == TSS_OK && tss_capability_delete(out) == TSS_OK);
}

/* Every length, in and out over the ring's end. */
static void test_each_byte(void)
{
	static uint8_t out[CHAN_RECORD_MAX], in[CHAN_RECORD_MAX];
	cap_t channel = new_channel(600);
	size_t size;
	for (unsigned length = 0; length <= CHAN_RECORD_MAX; length++) {
		for (unsigned i = 0; i < length; i++)
			out[i] = (uint8_t)(length + 3 * i);
		CHECK(chan_send(channel, out, length, 0) == TSS_OK);
		CHECK(chan_send(channel, out, length / 2, 0) == TSS_OK);
		CHECK(chan_recv(channel, in, sizeof(in), &size, 0, CHAN_FOREVER) == TSS_OK);
		CHECK(size == length && memcmp(in, out, length) == 0);
		CHECK(chan_recv(channel, in, sizeof(in), &size, 0, CHAN_FOREVER) == TSS_OK);
		CHECK(size == length / 2 && memcmp(in, out, length / 2) == 0);
	}
}

static void test_bounded_in_bytes(void)
{
	cap_t channel = new_channel(BYTES);
	uint8_t byte = 0;
	for (uint64_t i = 0; i < 4; i++)
		CHECK(put(channel, i) == TSS_OK);
	CHECK(put(channel, 4) == E(FULL, 1));
	CHECK(chan_send(channel, &byte, 0, CHAN_NONBLOCK) == E(FULL, 1));
	for (uint64_t i = 0; i < 4; i++)
		CHECK(get(channel, i) == TSS_OK);
	for (unsigned i = 0; i < 8; i++)
		CHECK(chan_send(channel, &byte, 0, CHAN_NONBLOCK) == TSS_OK); /* the record's head counts */
	CHECK(chan_send(channel, &byte, 0, CHAN_NONBLOCK) == E(FULL, 1));
}

static void test_flags(void)
{
	cap_t channel = new_channel(BYTES);
	uint64_t words[2] = {1, 2}, to[2] = {0, 0};
	size_t size = 0;
	CHECK(chan_send(channel, words, sizeof(words), 0) == TSS_OK);
	CHECK(chan_recv(channel, to, 8, &size, 0, CHAN_FOREVER) == E(ARGUMENT, 2));
	CHECK(chan_recv(channel, to, 8, &size, CHAN_PEEK | CHAN_TRUNCATE, CHAN_FOREVER) == TSS_OK);
	CHECK(size == 16 && to[0] == 1 && to[1] == 0);
	CHECK(chan_recv(channel, to, 16, &size, CHAN_PEEK, 0) == TSS_OK && to[1] == 2);
	CHECK(chan_recv(channel, to, 8, &size, CHAN_TRUNCATE, 0) == TSS_OK && size == 16);
	CHECK(chan_recv(channel, to, 16, &size, 0, 0) == E(TIMEOUT, 0));
}

static void test_receivers_in_order(void)
{
	cap_t channel = new_channel(BYTES);
	struct worker *one = receiver(channel), *small = work_room(channel, 4), *two = receiver(channel);
	CHECK(put(channel, 10) == TSS_OK);
	CHECK(got(one, 10) && !small->done && !two->done);
	CHECK(put(channel, 11) == TSS_OK); /* too long for the next: he hears so, and it is there for the one behind */
	CHECK(joined(small) && small->status == E(ARGUMENT, 2));
	CHECK(got(two, 11));
}

/* A record for which there is room waits behind one for which there is none. */
static void test_senders_in_order(void)
{
	uint64_t big[6] = {7};
	size_t size;
	cap_t channel = new_channel(BYTES);
	CHECK(chan_send(channel, big, sizeof(big), 0) == TSS_OK); /* 8 bytes are left */
	struct worker *one = sender(channel, 1), *two = sender(channel, 2);
	CHECK(chan_send(channel, big, 0, CHAN_NONBLOCK) == E(FULL, 1));
	CHECK(!one->done && !two->done);
	CHECK(chan_recv(channel, big, sizeof(big), &size, 0, 0) == TSS_OK && size == sizeof(big));
	CHECK(joined(one) && joined(two) && one->status == TSS_OK && two->status == TSS_OK);
	CHECK(get(channel, 1) == TSS_OK && get(channel, 2) == TSS_OK);
}

static uint64_t now(void)
{
	uint64_t us = 0;
	(void)tss_self_clock(&us);
	return us;
}

/* More often than may wait at a time: who has given up is not in the way of the next. */
static void test_timeouts(void)
{
	cap_t channel = new_channel(BYTES);
	uint64_t value = 0, before = now();
	struct worker *patient = receiver(channel);
	for (unsigned i = 0; i < 2 * WAITERS; i++)
		CHECK(chan_recv(channel, &value, 8, NULL, 0, 3 * MS + 1) == E(TIMEOUT, 0));
	CHECK(now() - before >= 2 * WAITERS * 3001ull);
	CHECK(put(channel, 1) == TSS_OK && got(patient, 1));
	for (uint64_t i = 0; i < 4; i++)
		CHECK(put(channel, i) == TSS_OK);
	for (unsigned i = 0; i < 2 * WAITERS; i++)
		CHECK(chan_send_timed(channel, &value, 8, 0, MS) == E(TIMEOUT, 0));
	for (uint64_t i = 0; i < 4; i++)
		CHECK(get(channel, i) == TSS_OK);
	CHECK(get(channel, 4) == E(TIMEOUT, 0)); /* none of them was sent */
}

static void test_close(void)
{
	cap_t channel = new_channel(BYTES), empty = new_channel(BYTES);
	for (uint64_t i = 0; i < 4; i++)
		CHECK(put(channel, i) == TSS_OK);
	struct worker *in = sender(channel, 4), *out = receiver(empty);
	CHECK(chan_close(channel) == TSS_OK && chan_close(empty) == TSS_OK);
	CHECK(joined(in) && joined(out) && in->status == E(PEER_DEAD, 1) && out->status == E(PEER_DEAD, 1));
	CHECK(put(channel, 5) == E(PEER_DEAD, 1));
	for (uint64_t i = 0; i < 4; i++)
		CHECK(get(channel, i) == TSS_OK);
	CHECK(get(channel, 4) == E(PEER_DEAD, 1));
	CHECK(chan_close(channel) == TSS_OK);
}

/* A thread that waits is ended: what it was to get is the next one's, what it was to send is not sent. */
static void test_who_waits_ends(void)
{
	cap_t channel = new_channel(BYTES), full = new_channel(16);
	struct worker *gone = receiver(channel), *stays = receiver(channel);
	end_worker(gone);
	CHECK(put(channel, 6) == TSS_OK && got(stays, 6));
	CHECK(put(full, 1) == TSS_OK);
	end_worker(sender(full, 2));
	CHECK(get(full, 1) == TSS_OK && get(full, 2) == E(TIMEOUT, 0));
}

/* The server may be on another CPU: it is a while before it knows who waits, or has ended. */
static tss_status_t soon(cap_t channel, tss_status_t want)
{
	tss_status_t status = TSS_OK;
	uint64_t value;
	for (unsigned i = 0; i < 1000 && status != want; i++) {
		(void)tss_self_sleep(1000);
		status = chan_recv(channel, &value, 8, NULL, 0, MS);
	}
	return status;
}

static void test_share(void)
{
	cap_t channel = new_channel(BYTES), other = new_channel(BYTES), third = new_channel(BYTES);
	CHECK(new_channel(CHAN_BYTES_MAX) == TSS_CAP_NULL);
	CHECK(new_channel(CHAN_BYTES_MAX - 3 * BYTES) != TSS_CAP_NULL);
	CHECK(chan_create(SLOT_CHANNELS, ARRIVALS + 40, 8) == TSS_CAP_NULL);
	for (unsigned i = 0; i < WAITERS; i++)
		(void)receiver(i % 2 ? channel : other);
	CHECK(soon(third, E(BUSY, 1)) == E(BUSY, 1));
	CHECK(put(third, 3) == TSS_OK && get(third, 3) == TSS_OK);
	workers_over();
	CHECK(soon(third, E(TIMEOUT, 0)) == E(TIMEOUT, 0));
	CHECK(chan_close(other) == TSS_OK);
	made[1] = chan_create(SLOT_CHANNELS, ARRIVALS + 40, 8); /* in the place of the one that is over */
	CHECK(made[1] != TSS_CAP_NULL && put(other, 1) == E(CAPABILITY, 1));
}

void run_tests(void)
{
	static void (*const tests[])(void) = {test_arguments,        test_roles,    test_each_byte,
					      test_bounded_in_bytes, test_flags,    test_receivers_in_order,
					      test_senders_in_order, test_timeouts, test_close,
					      test_who_waits_ends,   test_share};
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		tests[i]();
		channels_over();
	}
}

/* The server's restart: who waits is told, the handle is no more, and a new channel is there for the asking. */
void await_restart(void)
{
	cap_t stale = new_channel(BYTES);
	struct worker *waits = receiver(stale);
	while (!waits->done)
		(void)joined(waits);
	printf("who waited: %s\n", tss_error_name(waits->status));
	bool told = new_channel(BYTES) == TSS_CAP_NULL; /* once that it is another; not before it is there */
	cap_t channel = new_channel(BYTES);
	printf("its channel: %s\n", tss_error_name(put(stale, 1)));
	printf("another: %s\n", told && put(channel, 2) == TSS_OK && get(channel, 2) == TSS_OK ? "good" : "bad");
	workers_over();
	count = 0;
}
