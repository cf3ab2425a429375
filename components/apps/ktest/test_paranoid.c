/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_paranoid.c - PARANOID connections: rate, record, who breaks a rule is stopped. Records are read and acknowledged
 * by each test that makes some, so that the next finds the ring empty.
 */
#include "modes.h"

static const uint64_t none[4];

static void test_mode_paranoid_has_a_rate(void)
{
	prepare(ANY, 10000, 3, 0);
	for (unsigned i = 0; i < 5; i++)
		CHECK_OK(post(mode_connection, 1));
	struct tss_request request;
	while (receive(mode_port, &request, 0) == TSS_OK)
		;
	CHECK_OK(tss_capability_set_mode(mode_connection, PARANOID));
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(post(mode_connection, 1));
	CHECK(post(mode_connection, 1), E(RATE, 1));
	CHECK(call(mode_connection, 1), E(RATE, 1));
	CHECK(inspected(mode_connection)->refused, 2);
	(void)tss_self_sleep(10000);
	CHECK_OK(post(mode_connection, 1));
	CHECK(post(mode_connection, 1), E(RATE, 1));
	(void)tss_self_sleep(40000);
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(post(mode_connection, 1));
	CHECK(post(mode_connection, 1), E(RATE, 1));
	records_skip();
}

static void test_mode_paranoid_records_every_message(void)
{
	prepare_as(PARANOID, ANY);
	(void)work(HIGH, job_server, mode_port, 100);
	uint64_t bits = 0;
	(void)tss_event_wait(mode_reader, 0, &bits);
	CHECK_OK(call(mode_connection, 7));
	CHECK_OK(tss_event_wait(mode_reader, 0, &bits));
	CHECK(bits, 1);
	CHECK_OK(post(mode_connection, 9));
	check_record(TSS_AUDIT_CALL, TSS_TAG(7, 32, 0));
	check_record(TSS_AUDIT_REPLY, TSS_TAG(7, 32, 0));
	check_record(TSS_AUDIT_SEND, TSS_TAG(9, 0, 0));
	CHECK(record_next().number, 0);
}

/* What comes with an acknowledgement is there for whoever reads next. */
static void test_mode_record_keeps_the_readers_head(void)
{
	const struct tss_audit_batch *batch = (const struct tss_audit_batch *)tss_ipc()->recv;
	uint64_t count = 0;
	prepare_as(PARANOID, ANY);
	CHECK_OK(post(mode_connection, 1));
	for (unsigned i = 0; i < 4; i++)
		tss_ipc()->send[i] = 0x1000 + i;
	uint64_t last = record_next().number;
	CHECK_OK(tss_system_audit(SYSTEM, mode_reader, last, &count));
	CHECK(count, 0);
	for (unsigned i = 0; i < 4; i++)
		tss_ipc()->send[i] = 0;
	CHECK_OK(tss_system_audit(SYSTEM, mode_reader, last, &count));
	for (unsigned i = 0; i < 4; i++)
		CHECK(batch->head[i], 0x1000 + i);
}

/* Nobody reads: after the last place nothing is accepted, but a call that was is answered. */
static void test_mode_full_record_refuses(void)
{
	struct tss_request request;
	unsigned sent = 0;
	prepare_as(PARANOID, ANY);
	struct worker *caller = work(HIGH, job_caller, mode_connection, SECOND);
	cap_t fast = new_connection(mode_port, 3);
	CHECK_OK(receive(mode_port, &request, SECOND));
	cap_t reply = request.reply;
	for (; sent < TSS_AUDIT_RECORDS && post(mode_connection, 1) == TSS_OK; sent++)
		CHECK_OK(receive(mode_port, &request, 0));
	CHECK(sent, TSS_AUDIT_RECORDS -
			    4); /* MODE is mode_acknowledged with the next reading; CALL, REPLY, and the spare one */
	CHECK(post(mode_connection, 1), E(AUDIT_FULL, 1));
	CHECK(call(mode_connection, 1), E(AUDIT_FULL, 1));
	CHECK(tss_capability_set_mode(new_connection(mode_port, 4), PARANOID), E(AUDIT_FULL, 1));
	CHECK_OK(post(fast, 1));
	CHECK_OK(tss_reply_send(reply, TSS_TAG(0, 8, 0), none));
	CHECK_OK(caller->status);
	CHECK(post(mode_connection, 1), E(AUDIT_FULL, 1));
	records_skip();
	CHECK_OK(post(mode_connection, 1));
	records_skip();
}

/* The place for an answer comes back when none will come. */
static void test_mode_given_up_calls_cost_no_place(void)
{
	prepare_as(PARANOID, ANY);
	struct tss_request request;
	tss_tag_t tag = TSS_TAG(1, 0, 0);
	for (unsigned i = 0; i < 2 * TSS_AUDIT_RECORDS; i++) {
		uint64_t words[4] = {0};
		CHECK(tss_connection_call(mode_connection, &tag, words, 1), E(TIMEOUT, 0));
		CHECK(record_next().what, TSS_AUDIT_CALL);
	}
	CHECK(receive(mode_port, &request, 0), E(TIMEOUT, 0));
}

static void job_breaks_the_rule(struct worker *self)
{
	tss_tag_t tag = TSS_TAG(2, 0, 0);
	uint64_t words[4] = {0};
	(void)tss_self_fault_handler((uint64_t)worker_start, TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE);
	if (self->b)
		(void)tss_connection_call((cap_t)self->a, &tag, words, SECOND);
	else
		(void)tss_connection_send((cap_t)self->a, tag, words);
	for (;;)
		(void)tss_self_exit(1);
}

static void breaks_the_rule(bool calls)
{
	uint64_t theirs = 0;
	struct tss_request request;
	prepare(ANY, 0, 0, 0);
	struct child child = child_new(LOW, job_breaks_the_rule, CHILD_FIRST, calls);
	cap_t watch = child_watch(&child, 6);
	CHECK_OK(tss_connection_create(mode_port, child.unit, 5, 0, &theirs));
	mode_connection = own((cap_t)theirs);
	CHECK_OK(tss_connection_declare(mode_connection, 1 << 1, 0, 0, 1));
	CHECK_OK(tss_capability_set_mode(mode_connection, PARANOID));
	child_give(&child, CHILD_FIRST, mode_connection, TSS_RIGHT_CALL | TSS_RIGHT_SEND);
	child_go(&child);
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_FAULT);
	CHECK(request.words[0], TSS_FAULT_MESSAGE);
	CHECK(request.words[1], TSS_TAG(2, 0, 0));
	CHECK_OK(receive(watch, &request, SECOND));
	CHECK(TSS_TAG_TYPE(request.tag), TSS_MSG_ENDED);
	CHECK(request.words[0], 0x100 | TSS_FAULT_MESSAGE);
	check_record(TSS_AUDIT_MODE, FAST);
	check_record(TSS_AUDIT_VIOLATION, TSS_TAG(2, 0, 0));
	CHECK(receive(mode_port, &request, 0), E(TIMEOUT, 0));
	records_skip();
}

static void test_mode_paranoid_stops_who_calls(void)
{
	breaks_the_rule(true);
}

static void test_mode_paranoid_stops_who_sends(void)
{
	breaks_the_rule(false);
}

#define PAGEFUL 7 /* places of a queue that fill a page */
#define LEFT_PAGES 16u

/* A message of 256 bytes that stand nowhere in this image, delivered and forgotten by both sides; its port stays. */
static void say_secret(unsigned mode, uint64_t seed)
{
	struct tss_request request;
	mode_reader = new_event();
	struct usage before = usage_now();
	mode_port = new_port(PAGEFUL);
	mode_connection = new_connection(mode_port, 1);
	disown(mode_connection);
	disown(mode_port);
	CHECK_OK(tss_capability_set_mode(mode_connection, mode));
	for (uint64_t i = 0; i < TSS_MESSAGE_WORDS; i++)
		tss_ipc()->send[i] = seed * (2 * i + 1);
	CHECK_OK(tss_connection_send(mode_connection, TSS_TAG(1, TSS_MESSAGE_MAX, 0), none));
	CHECK_OK(receive(mode_port, &request, 0));
	CHECK(tss_ipc()->recv[31], seed * 63);
	memset(tss_ipc()->send, 0, sizeof(tss_ipc()->send));
	memset(tss_ipc()->recv, 0, sizeof(tss_ipc()->recv));
	records_skip();
	struct usage after = usage_now();
	spent(after.pages - before.pages, after.slots - before.slots);
}

/* Whether the kernel has wiped its copy, tests/scenario/test_modes.py sees from outside: it looks through all memory. */
static void test_mode_secrets_for_who_looks_from_outside(void)
{
	say_secret(HARDENED, 0x0123456789abcdefull);
	say_secret(PARANOID, 0x0fedcba987654321ull);
}

/*
 * A unit whose memory holds words that stand nowhere else. `client` and `server`: at which end of a HARDENED
 * connection it was.
 */
static cap_t keep_secret(bool client, bool server, uint64_t seed)
{
	uint64_t made = 0, *words = (uint64_t *)SPARE_AT;
	CHECK_OK(tss_unit_create(SELF, LEFT_PAGES + 16, 64, 0, 0, &made));
	cap_t unit = (cap_t)made;
	CHECK_OK(tss_port_create(server ? unit : SELF, 1, &made));
	cap_t port = own((cap_t)made);
	CHECK_OK(tss_connection_create(port, client ? unit : SELF, 1, 0, &made));
	cap_t connection = own((cap_t)made);
	CHECK_OK(tss_memory_create(unit, LEFT_PAGES, &made));
	CHECK_OK(tss_unit_map(SELF, (cap_t)made, SPARE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE));
	for (uint64_t i = 0; i < LEFT_PAGES * TSS_PAGE_SIZE / sizeof(*words); i++)
		words[i] = seed * (2 * (i % TSS_MESSAGE_WORDS) + 1);
	if (client || server)
		CHECK_OK(tss_capability_set_mode(connection, HARDENED));
	CHECK_OK(tss_unit_unmap(SELF, (cap_t)made));
	return unit;
}

/* The same of what units leave behind; on a kernel with CONFIG_POISON it is nothing, always. */
static void test_mode_freed_pages_for_who_looks_from_outside(void)
{
	cap_t units[] = {keep_secret(false, false, 0x1123456789abcdefull),
			 keep_secret(true, false, 0x2123456789abcdefull),
			 keep_secret(false, true, 0x3123456789abcdefull)};
	for (unsigned i = 0; i < 3; i++)
		CHECK_OK(destroy(units[i]));
}

const struct test secret_tests[] = {
	TEST(mode_secrets_for_who_looks_from_outside),
	TEST(mode_freed_pages_for_who_looks_from_outside),
	{0},
};

const struct test paranoid_tests[] = {
	TEST(mode_paranoid_has_a_rate),           TEST(mode_paranoid_records_every_message),
	TEST(mode_record_keeps_the_readers_head), TEST(mode_full_record_refuses),
	TEST(mode_given_up_calls_cost_no_place),  TEST(mode_paranoid_stops_who_calls),
	TEST(mode_paranoid_stops_who_sends),      {0},
};
