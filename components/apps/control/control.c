/* SPDX-License-Identifier: BSD-2-Clause */
/* control.c - a control loop: each step begins at a multiple of the period, whatever the one before took. */
#include <interfaces/echo.h>
#include <interfaces/log.h>
#include <tessera/tessera.h>
#include "slots.h"

#define TARGET 1000
#define LINE 96

struct loop {
	int64_t value, sum; /* of the plant; of all deviations */
	uint64_t worst_us, late, failed;
};

static uint64_t now_us(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	return now;
}

static void sleep_until(uint64_t time_us)
{
	uint64_t now = now_us();
	if (now < time_us)
		(void)tss_self_sleep(time_us - now);
}

/* Reads the plant, which here gives back what it was set to, and moves it towards the target. */
static void step(struct loop *loop)
{
	uint64_t value = 0, ignored = 0;
	if (echo_registers(SLOT_PLANT, (uint64_t)loop->value, 0, 0, 0, &value, &ignored, &ignored, &ignored,
			   PARAMETERS->every) != TSS_OK) {
		loop->failed++;
		return;
	}
	int64_t deviation = TARGET - (int64_t)value;
	loop->sum += deviation;
	loop->value = (int64_t)value + deviation / 4 + loop->sum / 64;
}

static void report(const struct loop *loop, uint64_t steps)
{
	char line[LINE];
	int size =
		snprintf(line, sizeof(line), "%lu steps, done after at most %lu us, %lu late, %lu failed, value %ld\n",
			 steps, loop->worst_us, loop->late, loop->failed, loop->value);
	(void)log_write_send(SLOT_LOG, line, (size_t)size);
}

int main(void)
{
	struct loop loop = {0};
	uint64_t begin = now_us();
	for (uint64_t n = 1;; n++) {
		begin += PARAMETERS->every;
		sleep_until(begin);
		step(&loop);
		uint64_t taken = now_us() - begin;
		loop.worst_us = taken > loop.worst_us ? taken : loop.worst_us;
		if (taken > PARAMETERS->every) {
			loop.late++;
			begin = now_us();
		}
		if (n % PARAMETERS->report == 0)
			report(&loop, n);
	}
}
