/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mode.c - security modes: what may be said, what is left where, what crosses; raising them.
 */
#include "modes.h"

#define STALE 0xababababababababull

static const uint64_t none[4];
static void test_mode_filters_methods(void)
{
	static const uint32_t refused[] = {0, 2, 4, 63, 64, 65, 67, 0x7fffffff, 0xfffe0001};
	prepare(1 << 1 | 1 << 3, 0, 0, 0);
	(void)work(HIGH, job_server, mode_port, 100);
	CHECK_OK(call(mode_connection, 2));
	CHECK_OK(call(mode_connection, 0xfffe0001));
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CHECK(call(mode_connection, refused[i]), E(METHOD, 2));
		CHECK(post(mode_connection, refused[i]), E(METHOD, 2));
	}
	CHECK_OK(call(mode_connection, 1));
	CHECK_OK(call(mode_connection, 3));
	CHECK_OK(post(mode_connection, 3));
	CHECK(inspected(mode_connection)->violations, 18);
	CHECK(inspected(mode_connection)->methods, 1 << 1 | 1 << 3);
	CHECK(inspected(mode_connection)->mode, HARDENED);
}

static void test_mode_hardened_without_methods_allows_any(void)
{
	prepare_as(HARDENED, ANY);
	(void)work(HIGH, job_server, mode_port, 100);
	CHECK_OK(call(mode_connection, 0xfffe0001));
	CHECK(inspected(mode_connection)->violations, 0);
}

static void test_mode_only_goes_up(void)
{
	uint64_t value;
	prepare(ANY, 0, 0, 0);
	CHECK_OK(tss_capability_set_mode(mode_connection, FAST));
	CHECK(tss_capability_set_mode(mode_connection, 3), E(ARGUMENT, 2));
	CHECK(tss_capability_set_mode(mode_connection, 1ull << 32 | 1), E(ARGUMENT, 2));
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
	CHECK(tss_capability_set_mode(mode_connection, FAST), E(ARGUMENT, 2));
	CHECK(tss_connection_declare(mode_connection, ANY, 0, 0, 1), E(BUSY, 1));
	CHECK_OK(tss_capability_set_mode(mode_connection, PARANOID));
	CHECK_OK(tss_capability_set_mode(mode_connection, PARANOID));
	CHECK(tss_capability_set_mode(mode_connection, HARDENED), E(ARGUMENT, 2));
	CHECK(tss_capability_set_mode(mode_connection, FAST), E(ARGUMENT, 2));
	check_record(TSS_AUDIT_MODE, HARDENED);
	CHECK(record_next().number, 0);
	CHECK(tss_capability_set_mode(mode_reader, HARDENED), E(RIGHTS, 1));
	CHECK(tss_capability_set_mode(SELF, HARDENED), E(TYPE, 1));
	CHECK(tss_capability_set_mode(derive(mode_connection, TSS_RIGHT_CALL), PARANOID), E(RIGHTS, 1));
	CHECK(tss_system_audit(SYSTEM, derive(mode_reader, TSS_RIGHT_WAIT), mode_acknowledged, &value), E(RIGHTS, 2));
	CHECK(tss_system_audit(SYSTEM, mode_connection, mode_acknowledged, &value), E(TYPE, 2));
	CHECK(tss_system_audit(SYSTEM, mode_reader, mode_acknowledged + 1, &value), E(ARGUMENT, 3));
}

static void test_mode_declarations_out_of_range(void)
{
	prepare(ANY, 0, 0, 0);
	CHECK(tss_connection_declare(mode_connection, ANY, 1ull << 32, 1, 0), E(ARGUMENT, 3));
	CHECK(tss_connection_declare(mode_connection, ANY, 10, 0, 0), E(ARGUMENT, 4));
	CHECK(tss_connection_declare(mode_connection, ANY, 0, 1, 0), E(ARGUMENT, 4));
	CHECK(tss_connection_declare(mode_connection, ANY, 10, 0x10001, 0), E(ARGUMENT, 4));
	CHECK(tss_connection_declare(mode_connection, ANY, 0, 0, 2), E(ARGUMENT, 5));
	CHECK_OK(tss_connection_declare(mode_connection, ANY, 0xffffffff, 0x10000, 1));
}

/* The floor of a port counts for connections that are there, and for those that come. */
static void test_mode_floor_of_a_port(void)
{
	prepare(1 << 1, 0, 0, 0);
	(void)work(HIGH, job_server, mode_port, 100);
	cap_t stricter = new_connection(mode_port, 2);
	CHECK_OK(tss_connection_declare(stricter, 1 << 1, 0, 0, 0));
	CHECK_OK(tss_capability_set_mode(stricter, PARANOID));
	records_skip();
	CHECK_OK(call(mode_connection, 2));
	CHECK_OK(tss_capability_set_mode(mode_port, HARDENED));
	CHECK(tss_capability_set_mode(mode_port, FAST), E(ARGUMENT, 2));
	CHECK(call(mode_connection, 2), E(METHOD, 2));
	CHECK_OK(call(mode_connection, 1));
	CHECK(inspected(mode_connection)->mode, HARDENED);
	CHECK(inspected(stricter)->mode, PARANOID);
	cap_t later = new_connection(mode_port, 3);
	CHECK(inspected(later)->mode, HARDENED);
	CHECK(tss_connection_declare(later, ANY, 0, 0, 0), E(BUSY, 1));
	CHECK_OK(tss_capability_set_mode(later, FAST));
	CHECK(inspected(later)->mode, HARDENED);
}

/* ---- what is left behind a message ---- */

static void check_clean(const uint64_t words[4], unsigned length)
{
	const uint8_t *bytes = (const uint8_t *)words, *page = (const uint8_t *)tss_ipc()->recv;
	for (unsigned i = 0; i < 32; i++)
		CHECK(bytes[i], i < length ? i + 1 : 0);
	for (unsigned i = 32; i < TSS_MESSAGE_MAX; i++)
		CHECK(page[i], i < length ? (uint8_t)(i + 1) : 0);
}

static void stain(uint64_t page[TSS_MESSAGE_WORDS])
{
	for (unsigned i = 0; i < TSS_MESSAGE_WORDS; i++)
		page[i] = STALE;
}

/* Bytes 1, 2, 3... of the given length, and something stale behind them: in the words, and in the page. */
static void compose(uint64_t words[4], unsigned length)
{
	uint8_t *bytes = (uint8_t *)words, *page = (uint8_t *)tss_ipc()->send;
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = i < length ? (uint8_t)(i + 1) : 0xcd;
	for (unsigned i = 32; i < TSS_MESSAGE_MAX; i++)
		page[i] = i < length ? (uint8_t)(i + 1) : 0xcd;
}

/* c: length of what it says, d: a call, or a message for the queue. got[0]: 1 if nothing is left behind the answer. */
static void job_says(struct worker *self)
{
	uint64_t words[4];
	tss_tag_t tag = TSS_TAG(1, self->c, 0);
	stain(tss_ipc()->recv);
	compose(words, (unsigned)self->c);
	if (!self->d) {
		self->status = tss_connection_send((cap_t)self->a, tag, words);
		return;
	}
	self->status = tss_connection_call((cap_t)self->a, &tag, words, SECOND);
	check_clean(words, TSS_TAG_LENGTH(tag));
}

static void hear(unsigned length, unsigned back, struct worker *client)
{
	struct tss_request request;
	stain(tss_ipc()->recv);
	worker_go(client);
	CHECK_OK(receive(mode_port, &request, SECOND));
	CHECK(TSS_TAG_LENGTH(request.tag), length);
	check_clean(request.words, length);
	if (client->d) {
		uint64_t words[4];
		compose(words, back);
		CHECK_OK(tss_reply_send(request.reply, TSS_TAG(0, back, 0), words));
	}
	CHECK_TRUE(joined(client));
	CHECK_OK(client->status);
	CHECK_OK(destroy(client->thread));
	CHECK_OK(destroy(client->sched));
	client->thread = client->sched = TSS_CAP_NULL;
}

static const unsigned lengths[] = {0, 1, 7, 8, 9, 16, 24, 31, 32, 33, 40, 255, 256};
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))

/* A less urgent client, so that the receiver waits already; a more urgent one, so that it comes to what is queued. */
static void clean(unsigned mode, unsigned priority, bool calls)
{
	for (unsigned i = 0; i < LENGTHS; i++) {
		prepare_as(mode, 1 << 1);
		struct worker *client = worker_new(priority, job_says, mode_connection, 0);
		client->c = lengths[i];
		client->d = calls;
		hear(lengths[i], lengths[LENGTHS - 1 - i], client);
		workers_end();
		records_skip();
		own_nothing();
	}
}

static void test_mode_leaves_nothing_behind_a_call(void)
{
	clean(HARDENED, LOW, true);
	clean(PARANOID, LOW, true);
}

static void test_mode_leaves_nothing_behind_a_queued_call(void)
{
	clean(HARDENED, HIGH, true);
	clean(PARANOID, HIGH, true);
}

static void test_mode_leaves_nothing_behind_a_send(void)
{
	clean(HARDENED, HIGH, false);
	clean(HARDENED, LOW, false);
	clean(PARANOID, HIGH, false);
}

/* Waits for calls and answers each while it waits for the next: handed over directly, both ways. */
static void job_answers(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	for (unsigned i = 0; i <= LENGTHS; i++) {
		stain(tss_ipc()->recv);
		self->status = tss_port_reply_receive(mode_port, &request, TSS_INFINITE);
		if (self->status != TSS_OK || i == LENGTHS)
			return;
		check_clean(request.words, TSS_TAG_LENGTH(request.tag));
		compose(request.words, lengths[LENGTHS - 1 - i]);
		request.tag = TSS_TAG(0, lengths[LENGTHS - 1 - i], 0);
	}
}

/* a: the timeout. A thread of its own: the main one has an FS base by now, so that nothing is handed over to it at once. */
static void job_asks(struct worker *self)
{
	uint64_t words[4];
	for (unsigned i = 0; i < LENGTHS; i++) {
		tss_tag_t tag = TSS_TAG(1, lengths[i], 0);
		stain(tss_ipc()->recv);
		compose(words, lengths[i]);
		CHECK_OK(tss_connection_call(mode_connection, &tag, words, self->a));
		CHECK(tag, TSS_TAG(0, lengths[LENGTHS - 1 - i], 0));
		check_clean(words, lengths[LENGTHS - 1 - i]);
		tag = TSS_TAG(2, 0, 0);
		if (self->b)
			CHECK(tss_connection_call(mode_connection, &tag, words, self->a), E(METHOD, 2));
	}
}

static void clean_answers(unsigned mode, uint64_t timeout)
{
	prepare_as(mode, 1 << 1);
	struct worker *server = work(HIGH, job_answers, 0, 0);
	CHECK_TRUE(joined(work(LOW, job_asks, timeout, mode == HARDENED)));
	records_skip();
	CHECK_OK(post(mode_connection, 1));
	CHECK_OK(server->status);
	records_skip();
	workers_end();
	own_nothing();
}

static void test_mode_leaves_nothing_behind_a_direct_answer(void)
{
	clean_answers(HARDENED, TSS_INFINITE);
	clean_answers(HARDENED, SECOND);
	clean_answers(PARANOID, TSS_INFINITE);
}

/* ---- credit ---- */

static uint64_t ticks(void)
{
	uint32_t low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* a: connection. got[0]: ticks of its fastest call, got[1]: of its slowest. */
static void job_measures(struct worker *self)
{
	self->got[0] = ~0ull;
	for (unsigned i = 0; i < 32; i++) {
		(void)tss_self_sleep(1000 + 37 * i);
		uint64_t start = ticks();
		tss_tag_t tag = TSS_TAG(1, 32, 0);
		uint64_t words[4] = {1, 2, 3, 4};
		CHECK_OK(tss_connection_call((cap_t)self->a, &tag, words, TSS_INFINITE));
		uint64_t took = ticks() - start;
		self->got[0] = took < self->got[0] ? took : self->got[0];
		self->got[1] = took > self->got[1] ? took : self->got[1];
	}
}

static void job_floods(struct worker *self)
{
	while (!stop_spinning)
		self->got[0] += tss_connection_send((cap_t)self->a, TSS_TAG(1, 256, 0), none) == TSS_OK;
}

static void job_receives(struct worker *self)
{
	struct tss_request request = {.reply = TSS_CAP_NULL};
	while (tss_port_reply_receive(mode_port, &request, TSS_INFINITE) == TSS_OK)
		self->got[0]++;
}

/*
 * Instructions are counted: while somebody less urgent sends as much as it can a call takes what it takes without him, but
 * that the server may have to look for the slot of its reply again (fast.S remembers the last one).
 */
#define LOOK_UP 16
static void test_mode_flood_costs_another_nothing(void)
{
	prepare_as(HARDENED, ANY);
	cap_t flooded = new_connection(mode_port, 2);
	CHECK_OK(tss_capability_set_mode(flooded, HARDENED));
	struct worker *server = work(HIGH, job_receives, 0, 0), *quiet = work(MEDIUM, job_measures, mode_connection, 0);
	CHECK_TRUE(joined(quiet));
	stop_spinning = false;
	struct worker *flooder = work(LOW, job_floods, flooded, 0);
	struct worker *victim = work(MEDIUM, job_measures, mode_connection, 0);
	CHECK_TRUE(joined(victim));
	stop_spinning = true;
	CHECK_TRUE(joined(flooder));
	CHECK_TRUE(flooder->got[0] > 1000);
	CHECK_TRUE(server->got[0] >= flooder->got[0] + 64);
	if (!clock_is_counted())
		return;
	CHECK_TRUE(victim->got[0] <= quiet->got[0] + LOOK_UP);
	CHECK_TRUE(victim->got[1] <= quiet->got[1] + LOOK_UP);
}

/* ---- memory ---- */

static tss_status_t hand_over(cap_t cap)
{
	tss_ipc()->send_caps[0] = cap;
	return tss_connection_send(mode_connection, TSS_TAG(1, 0, 1), none);
}

static void test_mode_memory_crosses_only_as_declared(void)
{
	prepare(ANY, 0, 0, 0);
	cap_t memory = new_memory(1), readable = derive(memory, TSS_RIGHT_READ | TSS_RIGHT_GRANT);
	CHECK_OK(hand_over(memory));
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
	CHECK(hand_over(memory), E(SHARE, 2));
	CHECK(hand_over(readable), E(SHARE, 2));
	CHECK_OK(hand_over(mode_reader));
	mode_connection = new_connection(mode_port, 1);
	CHECK_OK(tss_connection_declare(mode_connection, ANY, 0, 0, 1));
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
	CHECK(hand_over(memory), E(SHARE, 2)); /* it could be written and executed */
	CHECK_OK(hand_over(derive(memory, TSS_RIGHT_READ | TSS_RIGHT_WRITE | TSS_RIGHT_GRANT)));
	CHECK_OK(hand_over(readable));
}

static void job_answers_with_memory(struct worker *self)
{
	struct tss_request request;
	CHECK_OK(receive(mode_port, &request, SECOND));
	tss_ipc()->send_caps[0] = (cap_t)self->a;
	self->got[0] = tss_reply_send(request.reply, TSS_TAG(0, 0, 1), none);
	self->got[1] = tss_reply_send(request.reply, TSS_TAG(0, 0, 0), none);
}

static void test_mode_memory_is_no_answer_either(void)
{
	prepare_as(HARDENED, ANY);
	struct worker *server = work(HIGH, job_answers_with_memory, new_memory(1), 0);
	tss_ipc()->recv_slots[0] = 300;
	CHECK_OK(call(mode_connection, 1));
	tss_ipc()->recv_slots[0] = 0;
	CHECK(server->got[0], E(SHARE, 2));
	CHECK_OK(server->got[1]);
}

/* Two units that share memory: their connection is raised only if it said so. */
static void test_mode_not_raised_while_memory_is_shared(void)
{
	uint64_t theirs = 0;
	struct child child = child_new(LOW, job_exit, 0, 0);
	mode_port = new_port(2);
	CHECK_OK(tss_connection_create(mode_port, child.unit, 5, 0, &theirs));
	mode_connection = own((cap_t)theirs);
	CHECK(tss_capability_set_mode(mode_connection, HARDENED),
	      E(BUSY, 1)); /* its text is a copy of a capability of ours */
	CHECK(tss_capability_set_mode(mode_port, PARANOID), E(BUSY, 1));
	CHECK(inspected(mode_connection)->mode, FAST);
	CHECK_OK(tss_connection_declare(mode_connection, ANY, 0, 0, 1));
	CHECK_OK(tss_capability_set_mode(mode_connection, HARDENED));
}

const struct test mode_tests[] = {
	TEST(mode_filters_methods),
	TEST(mode_hardened_without_methods_allows_any),
	TEST(mode_only_goes_up),
	TEST(mode_declarations_out_of_range),
	TEST(mode_floor_of_a_port),
	TEST(mode_leaves_nothing_behind_a_call),
	TEST(mode_leaves_nothing_behind_a_queued_call),
	TEST(mode_leaves_nothing_behind_a_send),
	TEST(mode_leaves_nothing_behind_a_direct_answer),
	TEST(mode_flood_costs_another_nothing),
	TEST(mode_memory_crosses_only_as_declared),
	TEST(mode_memory_is_no_answer_either),
	TEST(mode_not_raised_while_memory_is_shared),
	{0},
};
