/* SPDX-License-Identifier: BSD-2-Clause */
/* load.c - computes for `work` and sleeps for `sleep`, or not at all; what it computes is of no interest. */
#include <tessera/tessera.h>
#include "slots.h"

#define ROUND 1000u /* steps between two looks at the clock */

static uint64_t now_us(void)
{
	uint64_t now = 0;
	(void)tss_self_clock(&now);
	return now;
}

int main(void)
{
	volatile uint64_t steps = 0;
	for (;;) {
		for (uint64_t end = now_us() + PARAMETERS->work; now_us() < end;)
			for (unsigned i = 0; i < ROUND; i++)
				steps++;
		if (PARAMETERS->sleep != 0)
			(void)tss_self_sleep(PARAMETERS->sleep);
	}
}
