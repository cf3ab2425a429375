/* SPDX-License-Identifier: BSD-2-Clause */
/* tap.h - the few lines every host unit test here needs: CHECK, RUN, tap_end. */
#pragma once
#include <stdio.h>

static int tap_failed, tap_bad, tap_count;

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			tap_bad = 1;                                                                                   \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                                       \
		}                                                                                                      \
	} while (0)

#define RUN(test)                                                                                                      \
	do {                                                                                                           \
		tap_bad = 0;                                                                                           \
		test();                                                                                                \
		tap_failed |= tap_bad;                                                                                 \
		printf("%s %d %s\n", tap_bad ? "not ok" : "ok", ++tap_count, #test);                                   \
	} while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed;
}
