/* SPDX-License-Identifier: BSD-2-Clause */
/* tests.c - buffers as they are meant: what the server reads and writes is the client's memory itself. */
#include "buffer_test.h"

static void test_sums(void)
{
	static const struct {
		uint64_t offset, size;
	} rows[] = {{0, AREA_SIZE}, {TSS_PAGE_SIZE, 5000}, {AREA_SIZE - TSS_PAGE_SIZE, TSS_PAGE_SIZE}, {0, 1}};
	struct area area = make_area(READS);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct tss_buffer data = {area.shared, rows[i].offset, rows[i].size};
		uint64_t sum = 0;
		CHECK(digest_sum(SLOT_DIGEST, &data, &sum, TSS_INFINITE) == TSS_OK);
		CHECK(sum == sum_of(&area, data.offset, data.size));
	}
	end_area(&area);
}

/* Exactly the bytes that were meant, though whole pages are mapped. */
static void test_inverts_in_place(void)
{
	struct area area = make_area(WRITES);
	const struct tss_buffer data = {area.shared, TSS_PAGE_SIZE, 5000};
	unsigned wrong = 0;
	CHECK(digest_invert(SLOT_DIGEST, &data, TSS_INFINITE) == TSS_OK);
	for (uint64_t i = 0; i < AREA_SIZE; i++) {
		bool meant = i >= data.offset && i < data.offset + data.size;
		wrong += area.at[i] != (uint8_t)(meant ? ~(i * 7) : i * 7);
	}
	CHECK(wrong == 0);
	end_area(&area);
}

/* The server cannot map it to write, and what it writes all the same is a fault that it survives. */
static void test_reading_is_not_writing(void)
{
	struct area area = make_area(READS);
	const struct tss_buffer data = {area.shared, 0, AREA_SIZE};
	uint32_t mapped = 0, written = 0;
	uint64_t before = sum_of(&area, 0, AREA_SIZE);
	CHECK(digest_deface(SLOT_DIGEST, &data, &mapped, &written, TSS_INFINITE) == TSS_OK);
	CHECK(mapped == TSS_E_RIGHTS && written == TSS_E_GONE);
	CHECK(sum_of(&area, 0, AREA_SIZE) == before);
	CHECK(digest_invert(SLOT_DIGEST, &data, TSS_INFINITE) == TSS_INTERFACE_ERROR(TSS_REPLY_FORMAT));
	end_area(&area);
}

void test_well(void)
{
	test_sums();
	test_inverts_in_place();
	test_reading_is_not_writing();
}
