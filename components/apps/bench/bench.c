/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - measures, then prints one line a row: "bench NAME MIN MEDIAN MAX", and "bench done".
 *
 * The unit is a tick of the time-stamp counter: a guest instruction under the clock that make bench uses. What taking
 * the time costs is measured first and taken off.
 */
#include <abi/inspect.h>
#include <interfaces/terminal.h>
#include "bench.h"

#define ROWS_MAX 40

uint64_t samples[SAMPLES];

static struct row {
	const char *name;
	uint64_t least, median, most;
} rows[ROWS_MAX];
static unsigned row_count;
static uint64_t clock_cost;

void tss_output(const char *text, size_t size)
{
	(void)terminal_write(SLOT_TERMINAL, text, size, NULL, TSS_INFINITE);
}

static void sort(void)
{
	for (int i = 1; i < SAMPLES; i++) {
		uint64_t value = samples[i];
		int at = i;
		for (; at > 0 && samples[at - 1] > value; at--)
			samples[at] = samples[at - 1];
		samples[at] = value;
	}
}

static uint64_t net(uint64_t measured)
{
	return measured > clock_cost ? measured - clock_cost : 0;
}

static void add(struct row row)
{
	if (row_count == ROWS_MAX)
		printf("bench: there is no room for %s\n", row.name);
	else
		rows[row_count++] = row;
}

void report(const char *name)
{
	sort();
	add((struct row){name, net(samples[0]), net(samples[SAMPLES / 2]), net(samples[SAMPLES - 1])});
}

void report_one(const char *name, uint64_t value)
{
	add((struct row){name, value, value, value});
}

static void measure_clock(void)
{
	clock_cost = UINT64_MAX;
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t start = ticks(), end = ticks();
		clock_cost = end - start < clock_cost ? end - start : clock_cost;
	}
}

static void row_boot(void)
{
	struct tss_inspect_counters counters;
	uint64_t next;
	if (tss_system_inspect(TSS_SLOT_SYSTEM, TSS_INSPECT_COUNTERS, 0, 0, &next) != TSS_OK)
		return;
	memcpy(&counters, tss_ipc()->recv, sizeof(counters));
	report_one("boot_to_init", counters.init_tsc - counters.entry_tsc);
}

int main(void)
{
	measure_clock();
	row_boot();
	rows_objects();
	rows_ipc();
	rows_schedule();
	rows_fault();
	rows_trace();
	rows_monitor();
	for (unsigned i = 0; i < row_count; i++)
		printf("bench %s %lu %lu %lu\n", rows[i].name, rows[i].least, rows[i].median, rows[i].most);
	printf("bench done\n");
	for (;;)
		(void)tss_self_sleep(TSS_INFINITE);
}
