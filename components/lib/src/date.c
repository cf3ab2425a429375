/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * date.c - calendar arithmetic. Days are counted from 0001-01-01; a year's number of leap days before it follows from
 * the rule (every 4, not every 100, but every 400), so nothing here loops over years.
 */
#include <tessera/date.h>

#define DAY_SECONDS 86400
#define DAYS_TO_1970 719162 /* from 0001-01-01 */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0001-01-01 to the first of January of `year`. */
static int64_t days_before(int year)
{
	int64_t past = year - 1;
	return past * 365 + past / 4 - past / 100 + past / 400;
}

bool tss_date_valid(const struct tss_date *date)
{
	return date->year >= 1 && date->year <= 9999 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
	       date->day <= month_days(date->year, date->month) && date->hour >= 0 && date->hour < 24 &&
	       date->minute >= 0 && date->minute < 60 && date->second >= 0 && date->second < 60;
}

int64_t tss_date_seconds(const struct tss_date *date)
{
	int64_t days = days_before(date->year) - DAYS_TO_1970 + date->day - 1;
	for (int month = 1; month < date->month; month++)
		days += month_days(date->year, month);
	return days * DAY_SECONDS + date->hour * 3600 + date->minute * 60 + date->second;
}

struct tss_date tss_date_of(int64_t seconds)
{
	struct tss_date date = {.month = 1};
	if (seconds < TSS_DATE_SECONDS_MIN)
		seconds = TSS_DATE_SECONDS_MIN;
	if (seconds > TSS_DATE_SECONDS_MAX)
		seconds = TSS_DATE_SECONDS_MAX;
	int64_t since = seconds + (int64_t)DAYS_TO_1970 * DAY_SECONDS, days = since / DAY_SECONDS;
	int of_day = (int)(since % DAY_SECONDS);
	date.year = (int)(days / 366) + 1; /* never too late, and at most a few years too early */
	while (days >= days_before(date.year + 1))
		date.year++;
	days -= days_before(date.year);
	for (; days >= month_days(date.year, date.month); date.month++)
		days -= month_days(date.year, date.month);
	date.day = (int)days + 1;
	date.hour = of_day / 3600;
	date.minute = of_day / 60 % 60;
	date.second = of_day % 60;
	return date;
}
