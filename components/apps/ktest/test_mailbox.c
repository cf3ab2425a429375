/* SPDX-License-Identifier: BSD-2-Clause */
/* test_mailbox.c - a port's queue in our own memory: order, places, and what a hostile owner can do to it. */
#include <abi/mailbox.h>
#include <abi/trace.h>
#include <tessera/mailbox.h>
#include "ktest.h"

#define DEPTH 18u /* on two pages */
#define PAGES TSS_MAILBOX_PAGES(DEPTH)

static const uint64_t none[4];
static struct mailbox box;

static struct tss_mailbox *shared(void)
{
	return (struct tss_mailbox *)SPARE_AT;
}

static cap_t new_mailbox(void)
{
	cap_t port = new_port(DEPTH), memory = new_memory(PAGES);
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	CHECK_OK(mailbox_open(&box, port, memory, shared(), DEPTH));
	return port;
}

static tss_status_t post(cap_t connection, uint32_t type)
{
	return tss_connection_send(connection, TSS_TAG(type, 0, 0), none);
}

static void fill(cap_t connection, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		CHECK_OK(post(connection, i));
	CHECK(post(connection, 99), E(FULL, 1));
}

static void take(uint64_t badge, uint32_t type)
{
	struct tss_request request;
	CHECK_TRUE(mailbox_receive(&box, &request));
	CHECK(request.badge, badge);
	CHECK(TSS_TAG_TYPE(request.tag), type);
	CHECK(request.reply, TSS_CAP_NULL);
}

static void test_mailbox_arguments(void)
{
	cap_t port = new_port(DEPTH), other = new_port(1), none_deep = new_port(0);
	cap_t memory = new_memory(PAGES), small = new_memory(PAGES - 1);
	CHECK(tss_port_mailbox(port, TSS_CAP_NULL), E(CAPABILITY, 2));
	CHECK(tss_port_mailbox(port, SELF), E(TYPE, 2));
	CHECK(tss_port_mailbox(port, derive(memory, TSS_RIGHT_READ)), E(RIGHTS, 2));
	CHECK(tss_port_mailbox(derive(port, TSS_RIGHT_CONTROL), memory), E(RIGHTS, 1));
	CHECK(tss_port_mailbox(port, small), E(ARGUMENT, 2));
	CHECK(tss_port_mailbox(none_deep, memory), E(ARGUMENT, 1));
	CHECK_OK(tss_port_mailbox(port, memory));
	CHECK(tss_port_mailbox(port, new_memory(PAGES)), E(BUSY, 1));
	CHECK(tss_port_mailbox(other, memory), E(BUSY, 2));
}

static void test_mailbox_keeps_order_and_words(void)
{
	static const unsigned lengths[] = {0, 1, 8, 31, 32, 33, 40, 100, 255, 256};
	cap_t port = new_mailbox(), a = new_connection(port, 7), b = new_connection(port, 8);
	struct tss_request request;
	for (unsigned round = 0; round < 7; round++) {
		for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			uint64_t words[4] = {round, i, ~0ull, 4};
			for (unsigned j = 4; j < TSS_MESSAGE_WORDS; j++)
				tss_ipc()->send[j] = 1000 * round + 32 * i + j;
			CHECK_OK(tss_connection_send(i % 2 ? a : b, TSS_TAG(i, lengths[i], 0), words));
			CHECK_TRUE(mailbox_receive(&box, &request));
			CHECK(request.badge, i % 2 ? 7 : 8);
			CHECK(request.tag, TSS_TAG(i, lengths[i], 0));
			CHECK(request.words[0], round);
			CHECK(request.words[3], 4);
			for (unsigned j = 4; j < lengths[i] / 8; j++)
				CHECK(tss_ipc()->recv[j], 1000 * round + 32 * i + j);
		}
	}
	CHECK_TRUE(!mailbox_receive(&box, &request));
}

static void test_mailbox_gives_places_back(void)
{
	cap_t port = new_mailbox(), a = new_connection(port, 7), b = new_connection(port, 8);
	fill(a, DEPTH / 2);
	fill(b, DEPTH / 2);
	for (unsigned i = 0; i < 2; i++)
		take(7, i);
	CHECK(post(b, 1), E(FULL, 1)); /* but now the kernel knows that those of a are free */
	fill(a, 2);
	for (unsigned i = 2; i < DEPTH / 2; i++)
		take(7, i);
	for (unsigned i = 0; i < DEPTH / 2; i++)
		take(8, i);
	for (unsigned i = 0; i < 2; i++)
		take(7, i);
	/* A few at a time, and those of a come first. */
	CHECK(post(b, 1), E(FULL, 1));
	for (unsigned i = 0; i < 3 * DEPTH; i++) {
		CHECK_OK(post(b, i));
		take(8, i);
	}
}

static void test_mailbox_carries_no_capabilities(void)
{
	cap_t port = new_mailbox(), connection = new_connection(port, 7), gift = new_event();
	tss_ipc()->send_caps[0] = gift;
	CHECK(tss_connection_send(connection, TSS_TAG(1, 0, 1), none), E(ARGUMENT, 2));
	CHECK(mailbox_count(&box), 0);
	CHECK(tss_connection_send(connection, TSS_TAG(1, 257, 0), none), E(ARGUMENT, 2));
	CHECK_OK(post(connection, 2));
	take(7, 2);
}

/* What is there is taken out without a system call: a trace of them sees none. */
static void test_mailbox_needs_no_call(void)
{
	const uint64_t ring_at = SPARE_AT + 0x20000;
	const struct tss_trace_header *trace_header = (const struct tss_trace_header *)ring_at;
	cap_t port = new_mailbox(), connection = new_connection(port, 7), ring = new_memory(8);
	uint64_t written = 0;
	CHECK_OK(tss_unit_map(SELF, ring, ring_at, TSS_RIGHT_READ));
	fill(connection, DEPTH);
	CHECK_OK(tss_system_trace(SYSTEM, ring, TSS_TRACING_SYSCALL));
	for (unsigned i = 0; i < DEPTH; i++)
		take(7, i);
	CHECK_OK(tss_system_trace(SYSTEM, ring, 0));
	for (uint64_t cpu = 0; cpu < trace_header->cpus; cpu++)
		written += trace_header->cpu[cpu].written;
	CHECK(written, 2); /* the return of the first system_trace, and the second */
}

/* Whatever the owner says he has taken out: places come back only for what was put in, and another's mailbox goes on. */
static void test_mailbox_owner_lies(void)
{
	static const uint64_t lies[] = {1ull << 63, ~0ull, 1ull << 32, 0x8000000000000001ull, 19, 20, 1000, ~0ull << 4};
	cap_t port = new_mailbox(), connection = new_connection(port, 7);
	cap_t other = new_port(4), beside = new_connection(other, 9), memory = new_memory(TSS_MAILBOX_PAGES(4));
	struct mailbox fair;
	uint64_t seed = 1;
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT + PAGES * TSS_PAGE_SIZE, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	CHECK_OK(mailbox_open(&fair, other, memory, (void *)(SPARE_AT + PAGES * TSS_PAGE_SIZE), 4));
	fill(connection, DEPTH);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		shared()->head = lies[i];
		CHECK(post(connection, 1), E(FULL, 1));
	}
	for (unsigned i = 0; i < 5000; i++) {
		struct tss_request request;
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		shared()->head = seed >> 60 ? seed : shared()->tail + seed % 5 - 2;
		shared()->tail ^= i % 3 == 0 ? seed : 0;
		tss_status_t status = post(connection, i);
		if (status != TSS_OK && status != E(FULL, 1))
			CHECK_OK(status);
		CHECK_OK(post(beside, i));
		CHECK_TRUE(mailbox_receive(&fair, &request));
		if (TSS_TAG_TYPE(request.tag) != i)
			CHECK(request.tag, i);
	}
	uint64_t size = PAGES * TSS_PAGE_SIZE;
	memset(shared(), 0xff, size);
	(void)post(connection, 1);
}

static volatile uint64_t woken_bits;

static void wait_for_bits(struct worker *self)
{
	uint64_t bits = 0;
	self->status = tss_event_wait((cap_t)self->a, SECOND, &bits);
	woken_bits = bits;
	mark('w');
}

static void test_mailbox_wakes_its_owner(void)
{
	cap_t port = new_mailbox(), connection = new_connection(port, 7), event = new_event();
	struct tss_request request;
	CHECK_OK(tss_event_bind(event, port));
	struct worker *waiter = work(HIGH, wait_for_bits, event, 0);
	mark('s');
	CHECK_OK(post(connection, 3));
	mark('e');
	CHECK_TRUE(joined(waiter));
	CHECK_OK(waiter->status);
	CHECK(woken_bits, TSS_EVENT_MAILBOX);
	take(7, 3);
	CHECK_OK(post(connection, 4)); /* nobody waits: the bit stays */
	CHECK_OK(mailbox_wait(&box, &request, event, 0));
	CHECK(mailbox_wait(&box, &request, event, 0), E(TIMEOUT, 0));
	CHECK_OK(post(connection, 5));
	CHECK_OK(receive(port, &request, 0)); /* or as a message of the bound event */
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_EVENT);
	CHECK(request.words[0], TSS_EVENT_MAILBOX);
	take(7, 5);
}

/* What was sent before the owner named his memory is received first; nothing comes before it. */
static void test_mailbox_waits_for_the_queue(void)
{
	cap_t port = new_port(DEPTH), connection = new_connection(port, 7), memory = new_memory(PAGES),
	      gift = new_event();
	uint64_t words[4] = {5, 6, 7, 8};
	tss_ipc()->send_caps[0] = gift;
	tss_ipc()->send[4] = 44;
	CHECK_OK(post(connection, 1));
	CHECK_OK(tss_connection_send(connection, TSS_TAG(2, 40, 1), words));
	CHECK_OK(tss_unit_map(SELF, memory, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	CHECK(tss_port_mailbox(port, memory), E(AGAIN, 1));
	CHECK_OK(mailbox_open(&box, port, memory, shared(), DEPTH));
	CHECK_OK(post(connection, 3));
	take(7, 1);
	take(7, 2);
	CHECK(tss_ipc()->recv[4], 44);
	take(7, 3);
	CHECK_TRUE(!mailbox_receive(&box, &(struct tss_request){0}));
	CHECK(tss_port_mailbox(port, memory), E(BUSY, 1));
	CHECK_OK(post(connection, 4));
	CHECK(mailbox_count(&box), 1);
	take(7, 4);
}

static void test_mailbox_ends_with_its_memory(void)
{
	cap_t port = new_port(4), connection = new_connection(port, 7), memory = new_memory(TSS_MAILBOX_PAGES(4));
	struct tss_request request;
	CHECK_OK(tss_port_mailbox(port, memory));
	fill(connection, 4);
	CHECK_OK(destroy(memory));
	disown(memory);
	fill(connection, 4);
	CHECK_OK(receive(port, &request, 0));
	CHECK(request.badge, 7);
	for (unsigned i = 1; i < 4; i++)
		CHECK_OK(receive(port, &request, 0));
	memory = new_memory(TSS_MAILBOX_PAGES(4));
	CHECK_OK(tss_port_mailbox(port, memory));
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(post(connection, i));
	CHECK_OK(destroy(connection)); /* with messages on the way */
	disown(connection);
	CHECK_OK(destroy(port));
	disown(port);
	CHECK_OK(tss_port_mailbox(new_port(4), memory));
}

const struct test mailbox_tests[] = {TEST(mailbox_arguments),
				     TEST(mailbox_keeps_order_and_words),
				     TEST(mailbox_gives_places_back),
				     TEST(mailbox_carries_no_capabilities),
				     TEST(mailbox_needs_no_call),
				     TEST(mailbox_owner_lies),
				     TEST(mailbox_wakes_its_owner),
				     TEST(mailbox_waits_for_the_queue),
				     TEST(mailbox_ends_with_its_memory),
				     {0}};
