/* SPDX-License-Identifier: BSD-2-Clause */
/* registers.c - what the registers mean. In 12-hour mode bit 7 of the hour is PM, and 12 stands for 0. */
#include "registers.h"

#define HOUR_PM 0x80u
#define CENTURY_FIRST 19u
#define CENTURY_LAST 21u
#define NO_NUMBER 0xffu

const uint8_t rtc_numbers[RTC_REGISTERS] = {0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32, RTC_CONTROL_B};

static uint8_t number(uint8_t mode, uint8_t value)
{
	if (mode & RTC_BINARY)
		return value;
	if ((value & 0xf) > 9 || value >> 4 > 9)
		return NO_NUMBER;
	return (uint8_t)((value >> 4) * 10 + (value & 0xf));
}

static uint8_t hour(uint8_t mode, uint8_t value)
{
	if (mode & RTC_24_HOURS)
		return number(mode, value);
	uint8_t of_twelve = number(mode, value & (uint8_t)~HOUR_PM);
	if (of_twelve < 1 || of_twelve > 12)
		return NO_NUMBER;
	return (uint8_t)(of_twelve % 12 + (value & HOUR_PM ? 12 : 0));
}

bool rtc_date(const uint8_t registers[RTC_REGISTERS], struct tss_date *date)
{
	uint8_t mode = registers[RTC_MODE], year = number(mode, registers[RTC_YEAR]);
	uint8_t century = number(mode, registers[RTC_CENTURY]);
	if (century < CENTURY_FIRST || century > CENTURY_LAST)
		century = 20;
	*date = (struct tss_date){
		.year = century * 100 + year,
		.month = number(mode, registers[RTC_MONTH]),
		.day = number(mode, registers[RTC_DAY]),
		.hour = hour(mode, registers[RTC_HOUR]),
		.minute = number(mode, registers[RTC_MINUTE]),
		.second = number(mode, registers[RTC_SECOND]),
	};
	return year <= 99 && tss_date_valid(date);
}
