/* SPDX-License-Identifier: BSD-2-Clause */
/* rtc.c - serves wall time. The registers are read until two readings agree with no update at either. */
#include <interfaces/clock.h>
#include <tessera/tessera.h>
#include "registers.h"
#include "slots.h"

#define READINGS_MAX 20u
#define UPDATE_US 500u /* an update takes up to 2 ms */

static uint8_t read_register(uint8_t number)
{
	uint64_t value = 0;
	(void)tss_ioport_write(SLOT_REGS, 0, 1, number);
	(void)tss_ioport_read(SLOT_REGS, 1, 1, &value);
	return (uint8_t)value;
}

/* False while an update is due. */
static bool read_all(uint8_t registers[RTC_REGISTERS])
{
	if (read_register(RTC_CONTROL_A) & RTC_UPDATING)
		return false;
	for (unsigned i = 0; i < RTC_REGISTERS; i++)
		registers[i] = read_register(rtc_numbers[i]);
	return true;
}

static tss_status_t on_now(void *state, struct tss_request *request, int64_t *seconds)
{
	uint8_t first[RTC_REGISTERS], second[RTC_REGISTERS];
	struct tss_date date;
	(void)state, (void)request;
	for (unsigned i = 0; i < READINGS_MAX; i++) {
		if (read_all(first) && read_all(second) && memcmp(first, second, sizeof(first)) == 0) {
			if (!rtc_date(first, &date))
				return CLOCK_ERROR_UNSET;
			*seconds = tss_date_seconds(&date);
			return TSS_OK;
		}
		(void)tss_self_sleep(UPDATE_US);
	}
	return CLOCK_ERROR_UNSET;
}

static tss_status_t on_request(void *state, struct tss_request *request)
{
	static const struct clock_operations operations = {.now = on_now};
	return clock_dispatch(&operations, state, request);
}

int main(void)
{
	static const struct tss_server server = {.request = on_request};
	return (int)tss_serve(SLOT_PORT_CLOCK, &server, NULL);
}
