/* SPDX-License-Identifier: BSD-2-Clause */
/* date.h - dates of the Gregorian calendar, and seconds since 1970-01-01 00:00:00, both UTC. Years 1 to 9999. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct tss_date {
	int year;
	int month, day; /* from 1 */
	int hour, minute, second; /* a leap second does not exist here */
};

#define TSS_DATE_SECONDS_MIN (-62135596800ll) /* 0001-01-01 00:00:00 */
#define TSS_DATE_SECONDS_MAX 253402300799ll /* 9999-12-31 23:59:59 */

bool tss_date_valid(const struct tss_date *date);

/* Seconds since 1970 of a valid date. */
int64_t tss_date_seconds(const struct tss_date *date);

/* The date of that second; seconds outside the range give its nearest end. */
struct tss_date tss_date_of(int64_t seconds);
