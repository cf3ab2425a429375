/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.h - what the server's files share: the ring, and its way out. */
#pragma once
#include <abi/trace.h>
#include <tessera/tessera.h>

/* The memory that the kernel records into; ours to read. */
#define RING_AT 0x400000000ull
static inline struct tss_trace_header *ring_header(void)
{
	/* Safety: mapped before the server begins to serve; the kernel writes it at any time. */
	return (struct tss_trace_header *)RING_AT;
}

/* Records that a CPU's ring holds. */
static inline uint64_t ring_records(void)
{
	return ring_header()->pages * TSS_TRACE_PER_PAGE;
}

/* Copies record `n` of a CPU. False: it has been overwritten, or was while it was read. */
bool ring_read(uint64_t cpu, uint64_t n, struct tss_trace_record *to);
uint64_t ring_written(uint64_t cpu);

/* out.c: everything as lines on the terminal. Returns their number, 0 if the terminal did not take them. */
uint64_t put_out(void);
