/* SPDX-License-Identifier: BSD-2-Clause */
// sources:
/* test_hash.c - BLAKE2b-256 against another program's results and against itself in odd pieces. */
#include <stdio.h>
#include <string.h>
#include <abi/hash.h>
#include "tap.h"

static void hex(const void *data, size_t size, char out[65])
{
	uint8_t hash[TSS_HASH_SIZE];
	tss_hash(data, size, hash);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

/* What `b2sum -l 256` says. */
static void test_examples(void)
{
	char out[65];
	hex("", 0, out);
	CHECK(!strcmp(out, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"));
	hex("abc", 3, out);
	CHECK(!strcmp(out, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"));
}

/* One byte less than a block, a block, one more; two blocks; many. */
static void test_lengths(void)
{
	static char a[1000000];
	static const struct {
		size_t size;
		const char *hash;
	} examples[] = {
		{127, "59e2f1aba240f20aa591016f5ef429990bc9c2131dcd0d30f0ffd75ed18f317d"},
		{128, "ae2aa48507885c4c950fb809b2076f959cde9f8ea6da260d9a3587df33dac450"},
		{129, "2f64744a6de0d2c0b56e64cf6e29a5aaa255010d415d51c75ccc82f73dccd865"},
		{256, "eae4d3a7627549b383179dc18049964f91a6fed14c9f3fb26705eda3eeda5558"},
		{sizeof(a), "0741850f36cba4259628355d1073e24ddb9ca0e1bfac36fd39ae5dc2101e23a4"},
	};
	char out[65];
	memset(a, 'a', sizeof(a));
	for (unsigned i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		hex(a, examples[i].size, out);
		CHECK(!strcmp(out, examples[i].hash));
	}
}

static void test_pieces(void)
{
	uint8_t data[600], whole[32], pieces[32];
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (unsigned size = 0; size <= sizeof(data); size++) {
		tss_hash(data, size, whole);
		struct tss_hash s;
		tss_hash_start(&s);
		for (unsigned at = 0, step = 1; at < size; at += step, step = step % 139 + 1)
			tss_hash_add(&s, data + at, size - at < step ? size - at : step);
		tss_hash_finish(&s, pieces);
		CHECK(tss_hash_equal(whole, pieces));
		pieces[size % 32] ^= 1;
		CHECK(!tss_hash_equal(whole, pieces));
	}
}

int main(void)
{
	RUN(test_examples);
	RUN(test_lengths);
	RUN(test_pieces);
	return tap_end();
}
