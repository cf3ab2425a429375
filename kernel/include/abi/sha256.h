/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sha256.h - SHA-256 (FIPS 180-4) for kernel and init, which check the same bundle with the same code.
 *
 * Freestanding, no tables but the round constants, no allocation, under 400 bytes of stack. A hash is made by
 * tss_sha256_start, any number of tss_sha256_add, tss_sha256_finish; tss_sha256 does the three at once.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define TSS_SHA256_SIZE 32u
#define TSS_SHA256_BLOCK 64u

struct tss_sha256 {
	uint32_t h[8];
	uint64_t length; /* bytes added so far; length % 64 of them wait in block */
	uint8_t block[TSS_SHA256_BLOCK];
};

static const uint32_t tss_sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t tss_sha256_rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* Word t of the message schedule (6.2.2 step 1), kept in a ring of 16. */
static inline uint32_t tss_sha256_schedule(uint32_t w[16], unsigned t)
{
	uint32_t x = w[(t + 1) & 15], y = w[(t + 14) & 15];
	uint32_t s0 = tss_sha256_rotate(x, 7) ^ tss_sha256_rotate(x, 18) ^ x >> 3;
	uint32_t s1 = tss_sha256_rotate(y, 17) ^ tss_sha256_rotate(y, 19) ^ y >> 10;
	w[t & 15] += s0 + w[(t + 9) & 15] + s1;
	return w[t & 15];
}

/* One round (6.2.2 step 3) on the working variables a..h = v[0]..v[7]. */
static inline void tss_sha256_round(uint32_t v[8], uint32_t k, uint32_t w)
{
	uint32_t s1 = tss_sha256_rotate(v[4], 6) ^ tss_sha256_rotate(v[4], 11) ^ tss_sha256_rotate(v[4], 25);
	uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k + w;
	uint32_t s0 = tss_sha256_rotate(v[0], 2) ^ tss_sha256_rotate(v[0], 13) ^ tss_sha256_rotate(v[0], 22);
	uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
	v[7] = v[6];
	v[6] = v[5];
	v[5] = v[4];
	v[4] = v[3] + t1;
	v[3] = v[2];
	v[2] = v[1];
	v[1] = v[0];
	v[0] = t1 + t2;
}

static inline void tss_sha256_compress(uint32_t h[8], const uint8_t *p)
{
	uint32_t w[16], v[8];
	for (unsigned i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 |
		       p[4 * i + 3];
	for (unsigned i = 0; i < 8; i++)
		v[i] = h[i];
	for (unsigned t = 0; t < 64; t++)
		tss_sha256_round(v, tss_sha256_k[t], t < 16 ? w[t] : tss_sha256_schedule(w, t));
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

static inline void tss_sha256_start(struct tss_sha256 *s)
{
	static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	for (unsigned i = 0; i < 8; i++)
		s->h[i] = initial[i];
	s->length = 0;
}

static inline void tss_sha256_add(struct tss_sha256 *s, const void *data, size_t size)
{
	const uint8_t *p = data;
	while (size > 0) {
		size_t used = (size_t)(s->length % TSS_SHA256_BLOCK), room = TSS_SHA256_BLOCK - used;
		size_t part = size < room ? size : room;
		for (size_t i = 0; i < part && part < TSS_SHA256_BLOCK; i++)
			s->block[used + i] = p[i];
		if (part == room)
			tss_sha256_compress(s->h, part < TSS_SHA256_BLOCK ? s->block : p);
		p += part;
		size -= part;
		s->length += part;
	}
}

static inline void tss_sha256_finish(struct tss_sha256 *s, uint8_t out[TSS_SHA256_SIZE])
{
	static const uint8_t padding[TSS_SHA256_BLOCK] = {0x80};
	uint64_t bits = s->length * 8;
	uint8_t tail[8];
	for (unsigned i = 0; i < 8; i++)
		tail[i] = (uint8_t)(bits >> (56 - 8 * i));
	size_t used = (size_t)(s->length % TSS_SHA256_BLOCK);
	tss_sha256_add(s, padding, used < 56 ? 56 - used : 120 - used);
	tss_sha256_add(s, tail, sizeof(tail));
	for (unsigned i = 0; i < TSS_SHA256_SIZE; i++)
		out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

static inline void tss_sha256(const void *data, size_t size, uint8_t out[TSS_SHA256_SIZE])
{
	struct tss_sha256 s;
	tss_sha256_start(&s);
	tss_sha256_add(&s, data, size);
	tss_sha256_finish(&s, out);
}

/* Are two hashes equal? Looks at every byte, whatever it finds. */
static inline int tss_sha256_equal(const uint8_t a[TSS_SHA256_SIZE], const uint8_t b[TSS_SHA256_SIZE])
{
	unsigned difference = 0;
	for (unsigned i = 0; i < TSS_SHA256_SIZE; i++)
		difference |= (unsigned)(a[i] ^ b[i]);
	return difference == 0;
}
