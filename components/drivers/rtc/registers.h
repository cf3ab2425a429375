/* SPDX-License-Identifier: BSD-2-Clause */
/* registers.h - the clock's registers (Motorola MC146818 data sheet, table 3), and the date that they show. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <tessera/date.h>

#define RTC_CONTROL_A 0x0au
#define RTC_UPDATING 0x80u /* of control A: the time registers change in the next moment */
#define RTC_CONTROL_B 0x0bu
#define RTC_24_HOURS 0x02u
#define RTC_BINARY 0x04u

/* In the order they are read; register number of each in rtc_numbers. */
enum rtc_register {
	RTC_SECOND,
	RTC_MINUTE,
	RTC_HOUR,
	RTC_DAY,
	RTC_MONTH,
	RTC_YEAR,
	RTC_CENTURY,
	RTC_MODE,
	RTC_REGISTERS
};
extern const uint8_t rtc_numbers[RTC_REGISTERS];

/* The date that the registers show; false if that is none. */
bool rtc_date(const uint8_t registers[RTC_REGISTERS], struct tss_date *date);
