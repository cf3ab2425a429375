/* SPDX-License-Identifier: BSD-2-Clause */
/* lend.h - the part of loop.c that shares buffers: what it says of them reaches the operation, or nobody. */
#pragma once

/* What a hostile client says of two buffers; a stub would not. */
static uint64_t lend(const struct tss_buffer *data, const struct tss_buffer *more)
{
	tss_tag_t tag = TSS_TAG(EVERY_METHOD_LEND, 56, 3);
	uint64_t w[4] = {7, data->offset, data->size, more->offset};
	pages[0].send[4] = more->size;
	pages[0].send[5] = 3;
	memcpy(&pages[0].send[6], "abc\0\0\0\0", 8);
	memcpy(pages[0].send_caps, (cap_t[]){data->memory, 30, more->memory}, 3 * sizeof(cap_t));
	CHECK(tss_connection_call(1, &tag, w, 0) == TSS_OK);
	return TSS_TAG_TYPE(tag);
}

/* Offset, size and capability arrive as they were; what cannot be is refused on both sides, its capabilities are dropped. */
static void test_shared_buffers(void)
{
	static const struct tss_buffer good = {20, 8192, 9000}, more = {21, 1ull << 62, 65536},
				       bad[] = {{20, 0, 0},
						{20, 0, 9001},
						{20, 0, UINT64_MAX},
						{20, 1, 8},
						{20, 4095, 1},
						{20, 1ull << 11, 1},
						{20, UINT64_MAX - 4095, 4097},
						{20, UINT64_MAX, 1},
						{20, UINT64_MAX - 4095, 4096}};
	const struct tss_buffer last = {20, UINT64_MAX - 4095, 4095}, other = {21, 0, 8}, unwritten = {20, 0, 8};
	uint64_t total = 0;
	CHECK(every_lend(1, 7, &good, 30, &more, "abc", 3, &total, 0) == TSS_OK && lent == 1);
	CHECK(total == 8192 + 9000 + (1ull << 62) + 65536);
	CHECK(lend(&last, &other) == 0 && lend(&good, &more) == 0 && lent == 3);
	deleted = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct tss_buffer wrong = {21, bad[i].offset, bad[i].size == 9001 ? 65537 : bad[i].size};
		CHECK(TSS_CODE(every_lend(1, 7, &bad[i], 30, &more, "abc", 3, &total, 0)) == TSS_E_ARGUMENT);
		CHECK(TSS_CODE(every_lend(1, 7, &good, 30, &wrong, "abc", 3, &total, 0)) == TSS_E_ARGUMENT);
		CHECK(lend(&bad[i], &more) == TSS_REPLY_FORMAT && deleted == 6 * i + 3);
		CHECK(lend(&good, &wrong) == TSS_REPLY_FORMAT && deleted == 6 * i + 6);
	}
	CHECK(lend(&good, &unwritten) == TSS_REPLY_FORMAT && lent == 3);
}
