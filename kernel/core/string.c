/* SPDX-License-Identifier: BSD-2-Clause */
/* string.c - the memory functions a freestanding compiler may call. Eight bytes at a time where it can. */
#include <types.h>

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *out = to;
	const uint8_t *in = from;
	for (; size >= 8; size -= 8, out += 8, in += 8) {
		uint64_t word;
		__builtin_memcpy(&word, in, 8);
		__builtin_memcpy(out, &word, 8);
	}
	while (size--)
		*out++ = *in++;
	return to;
}

void *memset(void *to, int value, size_t size)
{
	uint8_t *out = to;
	uint64_t word = 0x0101010101010101ull * (uint8_t)value;
	for (; size >= 8; size -= 8, out += 8)
		__builtin_memcpy(out, &word, 8);
	while (size--)
		*out++ = (uint8_t)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *left = a, *right = b;
	for (; size > 0; size--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}
