/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - BLAKE2b with a result of 256 bits (RFC 7693), for kernel and init, which check the same bundle with the same
 * code. Why not SHA-256: kernel/doc/adr/0006-hash.md. `b2sum -l 256` and Python's hashlib.blake2b compute it too.
 *
 * Freestanding, no allocation, general registers only, under 400 bytes of stack. A hash is made by tss_hash_start, any
 * number of tss_hash_add, tss_hash_finish; tss_hash does the three at once.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define TSS_HASH_SIZE 32u
#define TSS_HASH_BLOCK 128u
#define TSS_HASH_ROUNDS 12u

struct tss_hash {
	uint64_t h[8];
	uint64_t length; /* bytes added so far */
	uint8_t block[TSS_HASH_BLOCK]; /* the last of them: between 1 and a whole block of them as soon as there are any */
	size_t used;
};

static const uint64_t tss_hash_initial[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* The order in which each round takes the words of a block (RFC 7693 2.7), as offsets in bytes. */
static const uint8_t tss_hash_order[TSS_HASH_ROUNDS * 16] = {
	0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
	112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
	88, 64, 96, 0, 40, 16, 120, 104, 80, 112, 24, 48, 56, 8, 72, 32,
	56, 72, 24, 8, 104, 96, 88, 112, 16, 48, 40, 80, 32, 0, 120, 64,
	72, 0, 40, 56, 16, 32, 80, 120, 112, 8, 88, 96, 48, 64, 24, 104,
	16, 96, 48, 80, 0, 88, 64, 24, 32, 104, 56, 40, 120, 112, 8, 72,
	96, 40, 8, 120, 112, 104, 32, 80, 0, 56, 48, 24, 72, 16, 64, 88,
	104, 88, 56, 112, 96, 8, 24, 72, 40, 0, 120, 32, 64, 48, 16, 80,
	48, 120, 112, 72, 88, 24, 0, 64, 96, 16, 104, 56, 8, 32, 80, 40,
	80, 16, 64, 32, 56, 48, 8, 40, 120, 88, 72, 112, 24, 96, 104, 0,
	0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120,
	112, 80, 32, 64, 72, 120, 104, 48, 8, 96, 0, 16, 88, 56, 40, 24,
};

static inline uint64_t tss_hash_word(const uint8_t *at)
{
	uint64_t word;
	__builtin_memcpy(&word, at, sizeof(word)); /* x86 is little-endian, as the words are */
	return word;
}

static inline uint64_t tss_hash_rotate(uint64_t x, unsigned n)
{
	return x >> n | x << (64 - n);
}

/* The mixing function G (3.1) on four of the sixteen words and two of the block's. */
static inline __attribute__((always_inline)) void tss_hash_mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d,
							       uint64_t x, uint64_t y)
{
	*a += *b + x;
	*d = tss_hash_rotate(*d ^ *a, 32);
	*c += *d;
	*b = tss_hash_rotate(*b ^ *c, 24);
	*a += *b + y;
	*d = tss_hash_rotate(*d ^ *a, 16);
	*c += *d;
	*b = tss_hash_rotate(*b ^ *c, 63);
}

/* The compression function F (3.2): `length` bytes of the message are done with this block; last: all ones, else 0. */
static inline void tss_hash_compress(uint64_t h[8], const uint8_t *block, uint64_t length, uint64_t last)
{
	const uint64_t *i = tss_hash_initial;
	uint64_t v[16] = {h[0], h[1], h[2], h[3], h[4],          h[5], h[6],        h[7],
			  i[0], i[1], i[2], i[3], i[4] ^ length, i[5], i[6] ^ last, i[7]};
#define MIX(a, b, c, d, n)                                                                                             \
	tss_hash_mix(&v[a], &v[b], &v[c], &v[d], tss_hash_word(block + order[n]), tss_hash_word(block + order[(n) + 1]))
	for (const uint8_t *order = tss_hash_order; order < tss_hash_order + sizeof(tss_hash_order); order += 16) {
		MIX(0, 4, 8, 12, 0);
		MIX(1, 5, 9, 13, 2);
		MIX(2, 6, 10, 14, 4);
		MIX(3, 7, 11, 15, 6);
		MIX(0, 5, 10, 15, 8);
		MIX(1, 6, 11, 12, 10);
		MIX(2, 7, 8, 13, 12);
		MIX(3, 4, 9, 14, 14);
	}
#undef MIX
	for (unsigned n = 0; n < 8; n++)
		h[n] ^= v[n] ^ v[n + 8];
}

static inline void tss_hash_start(struct tss_hash *s)
{
	for (unsigned n = 0; n < 8; n++)
		s->h[n] = tss_hash_initial[n];
	s->h[0] ^= 0x01010000 ^ TSS_HASH_SIZE; /* the parameter block (2.5): no key, one leaf, so many bytes of result */
	s->length = s->used = 0;
}

/* The last block is compressed in another way, so a full one waits until it is known not to be that. */
static inline void tss_hash_add(struct tss_hash *s, const void *data, size_t size)
{
	const uint8_t *p = data;
	while (size > 0) {
		size_t room = TSS_HASH_BLOCK - s->used, part = size < room ? size : room;
		if (s->used == 0 && size > TSS_HASH_BLOCK) {
			s->length += TSS_HASH_BLOCK;
			tss_hash_compress(s->h, p, s->length, 0);
			part = TSS_HASH_BLOCK;
		} else if (room == 0) {
			tss_hash_compress(s->h, s->block, s->length, 0);
			s->used = 0;
		} else {
			__builtin_memcpy(s->block + s->used, p, part);
			s->used += part;
			s->length += part;
		}
		p += part;
		size -= part;
	}
}

static inline void tss_hash_finish(struct tss_hash *s, uint8_t out[TSS_HASH_SIZE])
{
	__builtin_memset(s->block + s->used, 0, TSS_HASH_BLOCK - s->used);
	tss_hash_compress(s->h, s->block, s->length, ~0ull);
	__builtin_memcpy(out, s->h, TSS_HASH_SIZE);
}

static inline void tss_hash(const void *data, size_t size, uint8_t out[TSS_HASH_SIZE])
{
	struct tss_hash s;
	tss_hash_start(&s);
	tss_hash_add(&s, data, size);
	tss_hash_finish(&s, out);
}

/* Are two hashes equal? Looks at every byte, whatever it finds. */
static inline int tss_hash_equal(const uint8_t a[TSS_HASH_SIZE], const uint8_t b[TSS_HASH_SIZE])
{
	unsigned difference = 0;
	for (unsigned i = 0; i < TSS_HASH_SIZE; i++)
		difference |= (unsigned)(a[i] ^ b[i]);
	return difference == 0;
}
