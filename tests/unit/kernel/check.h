/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h - assertions of the kernel's host tests: the first that fails ends the program with its place and text. */
#pragma once
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("not ok: %s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)
