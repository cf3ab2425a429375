/* SPDX-License-Identifier: BSD-2-Clause */
// sources: components/drivers/rtc/registers.c components/lib/src/date.c
// flags: -Icomponents/drivers/rtc
/* test_rtc.c - the clock's registers to dates, and dates to seconds and back, against the host's own calendar. */
#include <string.h>
#include <time.h>
#include "../lib/tap.h"
#include "registers.h"

static struct tss_date date;

/* Do these registers (second to year, century, mode) show this second? */
static bool shows(const char *registers, int64_t seconds)
{
	return rtc_date((const uint8_t *)registers, &date) && tss_date_seconds(&date) == seconds;
}

static bool shows_nothing(const char *registers)
{
	return !rtc_date((const uint8_t *)registers, &date);
}

static void test_modes(void)
{
	CHECK(shows("\x56\x34\x12\x29\x02\x24\x20\x02", 1709210096)); /* 2024-02-29 12:34:56, BCD */
	CHECK(shows("\x38\x22\x0c\x1d\x02\x18\x14\x06", 1709210096)); /* the same, binary */
	CHECK(shows("\x00\x00\x12\x01\x01\x70\x19\x00", 0)); /* 12 o'clock at night */
	CHECK(shows("\x00\x00\x92\x01\x01\x70\x19\x00", 43200)); /* 12 o'clock at noon */
	CHECK(shows("\x00\x00\x81\x01\x01\x46\x13\x04", 46800)); /* one in the afternoon, binary */
}

static void test_century(void)
{
	CHECK(shows("\x00\x00\x00\x01\x01\x00\x20\x02", 946684800));
	CHECK(shows("\x00\x00\x00\x01\x01\x00\xff\x02", 946684800)); /* no such register */
	CHECK(shows("\x00\x00\x00\x01\x01\x00\x00\x02", 946684800));
	CHECK(shows("\x00\x00\x00\x01\x01\x00\x21\x02", 4102444800));
}

static void test_nonsense(void)
{
	CHECK(shows_nothing("\xff\xff\xff\xff\xff\xff\xff\xff"));
	CHECK(shows_nothing("\x00\x00\x00\x00\x00\x00\x00\x00"));
	CHECK(shows_nothing("\x60\x00\x00\x01\x01\x24\x20\x02"));
	CHECK(shows_nothing("\x0a\x00\x00\x01\x01\x24\x20\x02"));
	CHECK(shows_nothing("\x00\x00\x24\x01\x01\x24\x20\x02"));
	CHECK(shows_nothing("\x00\x00\x00\x29\x02\x23\x20\x02"));
	CHECK(shows_nothing("\x00\x00\x00\x01\x13\x24\x20\x02"));
	CHECK(shows_nothing("\x00\x00\x13\x01\x01\x24\x20\x00"));
	CHECK(shows_nothing("\x00\x00\x00\x01\x01\xa0\x20\x02"));
}

static void check_second(int64_t seconds)
{
	time_t host = (time_t)seconds;
	struct tm tm;
	gmtime_r(&host, &tm);
	date = tss_date_of(seconds);
	CHECK(tss_date_valid(&date) && tss_date_seconds(&date) == seconds);
	CHECK(date.year == tm.tm_year + 1900 && date.month == tm.tm_mon + 1 && date.day == tm.tm_mday);
	CHECK(date.hour == tm.tm_hour && date.minute == tm.tm_min && date.second == tm.tm_sec);
}

static void test_calendar(void)
{
	for (int64_t seconds = TSS_DATE_SECONDS_MIN; seconds <= TSS_DATE_SECONDS_MAX; seconds += 86400 * 3 + 7919)
		check_second(seconds);
	for (int year = 1; year <= 9999; year++) { /* the edges of each year and each February */
		struct tss_date edges[] = {{year, 1, 1, 0, 0, 0}, {year, 3, 1, 0, 0, 0}, {year, 12, 31, 23, 59, 59}};
		for (int i = 0; i < 3; i++)
			check_second(tss_date_seconds(&edges[i]));
		if (year > 1)
			check_second(tss_date_seconds(&edges[0]) - 1);
		check_second(tss_date_seconds(&edges[1]) - 1);
	}
	date = tss_date_of(INT64_MAX);
	CHECK(tss_date_seconds(&date) == TSS_DATE_SECONDS_MAX);
	date = tss_date_of(INT64_MIN);
	CHECK(tss_date_seconds(&date) == TSS_DATE_SECONDS_MIN);
}

int main(void)
{
	RUN(test_modes);
	RUN(test_century);
	RUN(test_nonsense);
	RUN(test_calendar);
	return tap_end();
}
