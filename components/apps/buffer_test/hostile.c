/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile.c - what no client should do: each time the server says that it is wrong, and nothing stays with it. */
#include "buffer_test.h"

#define ROUNDS 40u /* more than the server has slots */
#define FORMAT TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT)

static uint64_t served(void)
{
	uint64_t count = 0;
	CHECK(digest_served(SLOT_DIGEST, &count, TSS_INFINITE) == TSS_OK);
	return count;
}

static tss_status_t sum(cap_t memory, uint64_t offset, uint64_t size)
{
	const struct tss_buffer data = {memory, offset, size};
	uint64_t total;
	return digest_sum(SLOT_DIGEST, &data, &total, TSS_INFINITE);
}

/* The message without the stub, which would not send it. */
static tss_status_t raw_sum(cap_t memory, uint64_t offset, uint64_t size, unsigned caps)
{
	uint64_t w[4] = {offset, size, 0, 0};
	tss_tag_t tag = TSS_TAG(DIGEST_METHOD_SUM, 16, caps);
	for (unsigned i = 0; i < caps; i++)
		tss_ipc()->send_caps[i] = memory;
	tss_status_t status = tss_connection_call(SLOT_DIGEST, &tag, w, TSS_INFINITE);
	return status == TSS_OK && TSS_TAG_TYPE(tag) != 0 ? tss_reply_error(tag) : status;
}

static void test_numbers(void)
{
	static const struct {
		uint64_t offset, size;
		tss_status_t raw;
	} rows[] = {
		{0, 0, FORMAT},
		{0, (1 << 20) + 1, FORMAT},
		{0, UINT64_MAX, FORMAT},
		{1, 8, FORMAT},
		{TSS_PAGE_SIZE - 8, 8, FORMAT},
		{UINT64_MAX - TSS_PAGE_SIZE + 1, TSS_PAGE_SIZE, FORMAT},
		{UINT64_MAX - TSS_PAGE_SIZE + 1, TSS_PAGE_SIZE - 1, DIGEST_ERROR_RANGE},
		{0, 1 << 20, DIGEST_ERROR_RANGE},
		{0, AREA_SIZE + 1, DIGEST_ERROR_RANGE},
		{AREA_SIZE, 1, DIGEST_ERROR_RANGE},
		{TSS_PAGE_SIZE, AREA_SIZE, DIGEST_ERROR_RANGE},
		{1ull << 63, TSS_PAGE_SIZE, DIGEST_ERROR_RANGE},
	};
	struct area area = make_area(READS);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		tss_status_t stub = rows[i].raw == FORMAT ? TSS_STATUS(TSS_E_ARGUMENT, 0) : rows[i].raw;
		CHECK(raw_sum(area.shared, rows[i].offset, rows[i].size, 1) == rows[i].raw);
		CHECK(sum(area.shared, rows[i].offset, rows[i].size) == stub);
		CHECK(sum(area.shared, 0, AREA_SIZE) == TSS_OK);
	}
	end_area(&area);
}

static cap_t derived(cap_t from, uint64_t rights)
{
	uint64_t cap = 0;
	CHECK(tss_capability_derive(from, rights, &cap) == TSS_OK);
	return (cap_t)cap;
}

static void test_capabilities(void)
{
	uint64_t event = 0;
	struct area area = make_area(READS);
	CHECK(tss_event_create(TSS_SLOT_UNIT, &event) == TSS_OK);
	const cap_t unread = derived(area.memory, TSS_RIGHT_WRITE | TSS_RIGHT_GRANT);
	const cap_t kept = derived(area.memory, TSS_RIGHT_READ);
	const cap_t all = derived(area.memory, WRITES | TSS_RIGHT_EXECUTE);
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(sum((cap_t)event, 0, 8) == FORMAT);
		CHECK(sum(unread, 0, 8) == FORMAT);
		CHECK(raw_sum(area.shared, 0, 8, 0) == FORMAT);
		CHECK(raw_sum(area.shared, 0, 8, 2) == FORMAT);
		CHECK(sum(kept, 0, 8) == TSS_STATUS(TSS_E_RIGHTS, 2));
		CHECK(sum(TSS_CAP_NULL, 0, 8) == TSS_STATUS(TSS_E_CAPABILITY, 2));
		CHECK(sum(all, 0, 8) == (PARAMETERS->guarded ? TSS_STATUS(TSS_E_SHARE, 2) : TSS_OK));
	}
	CHECK(sum(area.shared, 0, AREA_SIZE) == TSS_OK);
	remove_all((cap_t)event);
	end_area(&area);
}

/* What the client does at the moment when the server waits for it. */
enum deed { NOTHING, REVOKE, DELETE, SEAL, CHANGE };

static void commit(enum deed deed, struct area *area)
{
	switch (deed) {
	case REVOKE:
		while (TSS_CODE(tss_capability_revoke(area->shared)) == TSS_E_AGAIN)
			;
		break;
	case DELETE:
		remove_all(area->memory);
		break;
	case SEAL:
		CHECK(tss_memory_seal(area->memory) == TSS_OK);
		break;
	case CHANGE:
		for (uint64_t i = 0; i < AREA_SIZE; i++)
			area->at[i] = 1;
		break;
	case NOTHING:
		break;
	}
}

static tss_status_t watched(enum digest_moment moment, enum deed deed, uint64_t *sum)
{
	uint64_t ready = 0, go = 0, bits;
	struct area area = make_area(READS);
	const struct tss_buffer data = {area.shared, 0, AREA_SIZE};
	CHECK(tss_event_create(TSS_SLOT_UNIT, &ready) == TSS_OK && tss_event_create(TSS_SLOT_UNIT, &go) == TSS_OK);
	CHECK(digest_watch_send(SLOT_DIGEST, &data, moment, (cap_t)ready, (cap_t)go) == TSS_OK);
	CHECK(tss_event_wait((cap_t)ready, TSS_INFINITE, &bits) == TSS_OK);
	commit(deed, &area);
	CHECK(tss_event_signal((cap_t)go, 1) == TSS_OK);
	tss_status_t status = digest_outcome(SLOT_DIGEST, sum, TSS_INFINITE);
	remove_all((cap_t)ready);
	remove_all((cap_t)go);
	if (deed != DELETE)
		end_area(&area);
	return status;
}

static void test_meanwhile(void)
{
	struct area area = make_area(READS);
	uint64_t sum = 0;
	const uint64_t whole = sum_of(&area, 0, AREA_SIZE), half = sum_of(&area, 0, AREA_SIZE / 2);
	end_area(&area);
	for (enum digest_moment at = DIGEST_MOMENT_BEFORE_MAP; at <= DIGEST_MOMENT_WHILE_READING; at++) {
		CHECK(watched(at, NOTHING, &sum) == TSS_OK && sum == whole);
		CHECK(watched(at, REVOKE, &sum) == DIGEST_ERROR_GONE);
		CHECK(watched(at, DELETE, &sum) == DIGEST_ERROR_GONE);
	}
	CHECK(watched(DIGEST_MOMENT_BEFORE_MAP, SEAL, &sum) == DIGEST_ERROR_FAILED);
	CHECK(watched(DIGEST_MOMENT_WHILE_READING, SEAL, &sum) == TSS_OK && sum == whole);
	CHECK(watched(DIGEST_MOMENT_BEFORE_MAP, CHANGE, &sum) == TSS_OK && sum == AREA_SIZE);
	CHECK(watched(DIGEST_MOMENT_WHILE_READING, CHANGE, &sum) == TSS_OK && sum == half + AREA_SIZE / 2);
}

void test_hostile(void)
{
	uint64_t before = served();
	test_numbers();
	test_capabilities();
	test_meanwhile();
	CHECK(served() > before); /* its first life still */
}
