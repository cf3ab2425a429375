/* SPDX-License-Identifier: BSD-2-Clause */
// sources:
/* test_format.c - components/lib/src/format.c, wherever C defines the result compared with the host's. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "tap.h"

#define vsnprintf t_vsnprintf
#define snprintf t_snprintf
#include "../../../components/lib/src/format.c"
#undef vsnprintf
#undef snprintf

#define SAME(...)                                                                                                      \
	do {                                                                                                           \
		char mine[200], theirs[200];                                                                           \
		int a = t_snprintf(mine, sizeof(mine), __VA_ARGS__),                                                   \
		    b = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                                                 \
		if (a != b || strcmp(mine, theirs) != 0)                                                               \
			printf("# \"%s\" %d instead of \"%s\" %d\n", mine, a, theirs, b);                              \
		CHECK(a == b && strcmp(mine, theirs) == 0);                                                            \
	} while (0)

static void test_integers(void)
{
	SAME("%d %d %d %d", 0, 1, -1, 42);
	SAME("%d %d %u", INT_MAX, INT_MIN, UINT_MAX);
	SAME("%ld %lld %lu %llu", LONG_MIN, LLONG_MAX, ULONG_MAX, ULLONG_MAX);
	SAME("%zu %hhu %hhd %hu %hd", (size_t)123, (unsigned char)200, (signed char)-7, (unsigned short)60000,
	     (short)-5);
	SAME("%x %X %#x %lx", 0xbeefu, 0xbeefu, 0x1fu, 0xfeedfacecafebeeful);
	SAME("%i%%|%+d|%+d", 7, 7, -7);
	SAME("%p", (void *)&tap_count);
}

static void test_fields(void)
{
	SAME("[%5d][%-5d][%05d][%5d]", 42, 42, 42, -42);
	SAME("[%08x][%-8x][%2x]", 0xabcu, 0xabcu, 0xabcdeu);
	SAME("[%05d][%+05d][%.3d][%6.3d][%-6.3d]", -42, 42, 7, 7, 7);
	SAME("[%.0d][%.0d][%*d][%-*d]", 0, 1, 6, 42, 6, 42);
	SAME("[%#010x]", 0x1234u);
}

static void test_texts(void)
{
	SAME("[%s][%10s][%-10s][%.2s][%5.1s]", "abc", "abc", "abc", "abc", "abc");
	SAME("[%c][%3c][%-3c]", 'x', 'y', 'z');
	char mine[20];
	const char *volatile nothing = NULL;
	CHECK(t_snprintf(mine, sizeof(mine), "%s", nothing) == 6 && strcmp(mine, "(null)") == 0);
}

static void test_bounds(void)
{
	char small[4] = "zzz";
	CHECK(t_snprintf(small, sizeof(small), "%s", "abcdef") == 6 && strcmp(small, "abc") == 0);
	CHECK(t_snprintf(small, 1, "%d", 12345) == 5 && small[0] == '\0');
	CHECK(t_snprintf(NULL, 0, "%d", 12345) == 5);
	char open[3] = {'a', 'b', 'c'}; /* not terminated: a precision must protect the read */
	SAME("%.3s", open);
	char end[20];
	const char *volatile broken = "x%";
	CHECK(t_snprintf(end, sizeof(end), broken) == 1 && strcmp(end, "x") == 0);
}

int main(void)
{
	RUN(test_integers);
	RUN(test_fields);
	RUN(test_texts);
	RUN(test_bounds);
	return tap_end();
}
