/* SPDX-License-Identifier: BSD-2-Clause */
// sources:
/* test_string.c - components/lib/src/string.c under other names, against the host's C library. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tap.h"

#define memcpy t_memcpy
#define memmove t_memmove
#define memset t_memset
#define memcmp t_memcmp
#define memchr t_memchr
#define strlen t_strlen
#define strnlen t_strnlen
#define strcmp t_strcmp
#define strncmp t_strncmp
#define strchr t_strchr
#define strrchr t_strrchr
#define strstr t_strstr
#define strlcpy t_strlcpy
#include "../../../components/lib/src/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(rand() >> 3);
}

static void test_copies(void)
{
	uint8_t a[100], b[100], from[100];
	for (int round = 0; round < 2000; round++) {
		size_t size = (size_t)rand() % 50, x = (size_t)rand() % 50, y = (size_t)rand() % 50;
		fill(a, sizeof(a));
		fill(from, sizeof(from));
		memcpy(b, a, sizeof(a));
		CHECK(t_memcpy(a + x, from + y, size) == a + x);
		memcpy(b + x, from + y, size);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		t_memmove(a + x, a + y, size);
		memmove(b + x, b + y, size);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
		t_memset(a + x, round, size);
		memset(b + x, round, size);
		CHECK(memcmp(a, b, sizeof(a)) == 0);
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_compares(void)
{
	static const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\xff", "a\xff"};
	for (size_t i = 0; i < 8; i++)
		for (size_t j = 0; j < 8; j++) {
			CHECK(sign(t_strcmp(words[i], words[j])) == sign(strcmp(words[i], words[j])));
			for (size_t n = 0; n < 5; n++)
				CHECK(sign(t_strncmp(words[i], words[j], n)) == sign(strncmp(words[i], words[j], n)));
			CHECK(sign(t_memcmp(words[i], words[j], 1)) == sign(memcmp(words[i], words[j], 1)));
			CHECK(t_strstr(words[i], words[j]) == strstr(words[i], words[j]));
		}
}

static void test_searches(void)
{
	const char *s = "capability";
	for (int c = 0; c < 256; c++) {
		CHECK(t_strchr(s, c) == strchr(s, c));
		CHECK(t_strrchr(s, c) == strrchr(s, c));
		CHECK(t_memchr(s, c, 6) == memchr(s, c, 6));
	}
	CHECK(t_strlen(s) == 10 && t_strnlen(s, 4) == 4 && t_strnlen(s, 99) == 10 && t_strlen("") == 0);
}

static void test_strlcpy(void)
{
	char to[5] = "....";
	CHECK(t_strlcpy(to, "ab", sizeof(to)) == 2 && strcmp(to, "ab") == 0);
	CHECK(t_strlcpy(to, "abcdef", sizeof(to)) == 6 && strcmp(to, "abcd") == 0);
	CHECK(t_strlcpy(to, "x", 1) == 1 && to[0] == '\0');
}

int main(void)
{
	RUN(test_copies);
	RUN(test_compares);
	RUN(test_searches);
	RUN(test_strlcpy);
	return tap_end();
}
