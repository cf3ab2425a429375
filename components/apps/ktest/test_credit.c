/* SPDX-License-Identifier: BSD-2-Clause */
/* test_credit.c - places in a port's queue: reserved for a connection, or shared by those that have none reserved. */
#include "ktest.h"

static const uint64_t none[4];

static cap_t with_credit(cap_t port, uint64_t credit)
{
	uint64_t value = 0;
	CHECK_OK(tss_connection_create(port, SELF, credit, credit, &value));
	return own((cap_t)value);
}

static tss_status_t post(cap_t connection)
{
	return tss_connection_send(connection, TSS_TAG(1, 0, 0), none);
}

/* Sends `count` messages, and the next is one too many. */
static void fill(cap_t connection, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_OK(post(connection));
	CHECK(post(connection), E(FULL, 1));
}

static void test_credit_is_kept_for_each(void)
{
	cap_t port = new_port(4), three = with_credit(port, 3), one = with_credit(port, 1);
	struct tss_request request;
	fill(three, 3);
	fill(one, 1);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.badge, 3);
	CHECK(post(one), E(FULL, 1));
	fill(three, 1);
	for (unsigned i = 0; i < 4; i++)
		CHECK_OK(receive(port, &request, 0));
	fill(three, 3);
	fill(one, 1);
}

static void test_copies_share_their_credit(void)
{
	cap_t port = new_port(4), two = with_credit(port, 2), copy = derive(two, TSS_RIGHT_SEND);
	CHECK_OK(post(two));
	fill(copy, 1);
	CHECK(post(two), E(FULL, 1));
	fill(new_connection(port, 9), 2);
}

static void test_no_more_credit_than_places(void)
{
	static const uint64_t bad[] = {3, 5, 1ull << 32, 1ull << 63, ~0ull};
	cap_t port = new_port(4), two = with_credit(port, 2);
	uint64_t value = 0;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(tss_connection_create(port, SELF, 1, bad[i], &value), E(FULL, 4));
	(void)with_credit(port, 2);
	CHECK(tss_connection_create(port, SELF, 1, 1, &value), E(FULL, 4));
	CHECK_OK(destroy(two));
	fill(with_credit(port, 2), 2);
}

static void test_shares_are_equal(void)
{
	cap_t port = new_port(8), kept = with_credit(port, 2);
	cap_t a = new_connection(port, 1), b = new_connection(port, 2), c = new_connection(port, 3);
	fill(a, 2);
	fill(b, 2);
	fill(c, 2);
	fill(kept, 2);
	CHECK_OK(destroy(c));
	CHECK(post(a), E(FULL, 1));
	struct tss_request request;
	for (unsigned i = 0; i < 8; i++)
		CHECK_OK(receive(port, &request, 0));
	fill(a, 3);
	fill(b, 3);
}

/* More that share than there are places: one each, while there are any. */
static void test_more_senders_than_places(void)
{
	cap_t port = new_port(2), senders[3];
	for (unsigned i = 0; i < 3; i++)
		senders[i] = new_connection(port, i + 1);
	fill(senders[0], 1);
	fill(senders[1], 1);
	CHECK(post(senders[2]), E(FULL, 1));
	struct tss_request request;
	CHECK_OK(receive(port, &request, 0));
	fill(senders[2], 1);
}

/* What a connection sent before it ended arrives, and its successor starts with full credit. */
static void test_connection_ends_with_messages_queued(void)
{
	cap_t port = new_port(2), two = with_credit(port, 2);
	struct tss_request request;
	fill(two, 2);
	CHECK_OK(destroy(two));
	two = with_credit(port, 2);
	CHECK(post(two), E(FULL, 1));
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(receive(port, &request, 0));
		CHECK(request.badge, 2);
	}
	fill(two, 2);
}

/* A message that is refused has taken no place and no credit. */
static void test_refused_messages_cost_nothing(void)
{
	cap_t port = new_port(2), two = with_credit(port, 2);
	tss_ipc()->send_caps[0] = TSS_CAP_NULL;
	for (unsigned i = 0; i < 5; i++)
		CHECK(tss_connection_send(two, TSS_TAG(1, 0, 1), none), E(CAPABILITY, 2));
	fill(two, 2);
}

const struct test credit_tests[] = {
	TEST(credit_is_kept_for_each),       TEST(copies_share_their_credit),
	TEST(no_more_credit_than_places),    TEST(shares_are_equal),
	TEST(more_senders_than_places),      TEST(connection_ends_with_messages_queued),
	TEST(refused_messages_cost_nothing), {0},
};
