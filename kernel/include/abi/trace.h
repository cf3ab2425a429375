/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - where the kernel records events: a memory object of whoever started the trace (system_trace). Its first page
 * is the header, then each CPU has the same number of pages with a ring of records; what is left over stays unused.
 *
 * `written` counts a CPU's records since the start; record n is at place n % (pages * TSS_TRACE_PER_PAGE). The kernel
 * overwrites the oldest and believes nothing it finds here, so a reader that wants to know whether what it has copied was
 * whole reads `written` again after that: record n was, if written - n < pages * TSS_TRACE_PER_PAGE. All others before
 * are lost, and can be counted.
 */
#pragma once
#include "abi.h"

enum tss_trace {
#define TRACE_EVENT(number, name, category, arguments, text) TSS_TRACE_##name = (number),
#include "trace.def"
};

enum tss_trace_category {
#define TRACE_CATEGORY(bit, name, lower, text) TSS_TRACING_##name = 1 << (bit),
#include "trace.def"
	TSS_TRACING_ALL =
#define TRACE_CATEGORY(bit, name, lower, text) TSS_TRACING_##name |
#include "trace.def"
		0,
};

struct tss_trace_record {
	uint64_t tsc;
	uint64_t sequence;     /* its number */
	uint16_t event, cpu;   /* enum tss_trace */
	uint32_t thread, unit; /* ids of who ran, or did it; 0: nobody */
	uint32_t reserved;
	uint64_t arguments[4]; /* see trace.def */
};
#define TSS_TRACE_PER_PAGE (TSS_PAGE_SIZE / sizeof(struct tss_trace_record))

#define TSS_TRACE_CPUS_MAX 63u
struct tss_trace_header {
	uint64_t cpus, pages;  /* of each CPU's ring */
	uint64_t mask;         /* categories that are recorded; 0: no more */
	uint64_t tsc_per_ms, tsc;
	uint64_t reserved[3];
	struct {
		uint64_t written, reserved[7]; /* a cache line each */
	} cpu[TSS_TRACE_CPUS_MAX];
};
_Static_assert(sizeof(struct tss_trace_record) == 64, "a whole number of them in a page");
_Static_assert(sizeof(struct tss_trace_header) == TSS_PAGE_SIZE, "the first page");
