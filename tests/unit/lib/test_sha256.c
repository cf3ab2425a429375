/* SPDX-License-Identifier: BSD-2-Clause */
// sources:
/* test_sha256.c - SHA-256 against the published examples and against itself in odd pieces. */
#include <stdio.h>
#include <string.h>
#include <abi/sha256.h>
#include "tap.h"

static void hex(const void *data, size_t size, char out[65])
{
	uint8_t hash[TSS_SHA256_SIZE];
	tss_sha256(data, size, hash);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static void test_examples(void)
{
	char out[65];
	hex("", 0, out);
	CHECK(!strcmp(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	hex("abc", 3, out);
	CHECK(!strcmp(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	hex(two, strlen(two), out);
	CHECK(!strcmp(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}

static void test_million(void)
{
	static char a[1000000];
	char out[65];
	memset(a, 'a', sizeof(a));
	hex(a, sizeof(a), out);
	CHECK(!strcmp(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

static void test_pieces(void)
{
	uint8_t data[300], whole[32], pieces[32];
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (unsigned size = 0; size <= sizeof(data); size++) {
		tss_sha256(data, size, whole);
		struct tss_sha256 s;
		tss_sha256_start(&s);
		for (unsigned at = 0, step = 1; at < size; at += step, step = step % 67 + 1)
			tss_sha256_add(&s, data + at, size - at < step ? size - at : step);
		tss_sha256_finish(&s, pieces);
		CHECK(tss_sha256_equal(whole, pieces));
		pieces[size % 32] ^= 1;
		CHECK(!tss_sha256_equal(whole, pieces));
	}
}

int main(void)
{
	RUN(test_examples);
	RUN(test_million);
	RUN(test_pieces);
	return tap_end();
}
