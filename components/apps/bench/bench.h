/* SPDX-License-Identifier: BSD-2-Clause */
/* bench.h - samples, the clock, helper threads, and the rows. */
#pragma once
#include <tessera/tessera.h>
#include "slots.h"

#define SAMPLES 201 /* odd, so that the median is one of them */
#define PRIORITY 100u
#define PRIORITY_ABOVE 120u
#define PRIORITY_BELOW 80u

extern uint64_t samples[SAMPLES];

/* Ticks now; nothing before it may be counted late, nothing after it early, as far as the compiler is concerned. */
static inline uint64_t ticks(void)
{
	uint32_t low, high;
	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Runs `operation` once for each sample. A macro, so that no call of a function is in the figures. */
#define MEASURE(name, operation) MEASURE_AFTER(name, (void)0, operation)
/* The same, with something before each sample that is not in it. */
#define MEASURE_AFTER(name, before, operation)                                                                         \
	do {                                                                                                           \
		for (int measure_i = -8; measure_i < SAMPLES; measure_i++) {                                           \
			before;                                                                                        \
			uint64_t measure_start = ticks();                                                              \
			operation;                                                                                     \
			uint64_t measure_end = ticks();                                                                \
			if (measure_i >= 0)                                                                            \
				samples[measure_i] = measure_end - measure_start;                                      \
		}                                                                                                      \
		report(name);                                                                                          \
	} while (0)

/* Takes the samples as a row; they are printed at the end, so that no output disturbs a measurement. */
void report(const char *name);
void report_one(const char *name, uint64_t value);

/* A thread of this unit that runs run(argument), then exits. False if the kernel refuses. */
bool thread_run(void (*run)(void *argument), void *argument, unsigned priority);
#define THREADS_MAX 208u
extern cap_t thread_sched; /* of the one that was made last */

void rows_ipc(void);
void rows_objects(void);
void rows_schedule(void);
void rows_fault(void);
void rows_monitor(void);
void rows_trace(void);
