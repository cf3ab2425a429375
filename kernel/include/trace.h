/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - recording what happens (abi/trace.h, doc/adr/0008-trace-mailbox.md).
 *
 * Off, the paths of messages, wakes and switches do not know of it. On, each CPU enters at the way in without shorter
 * ways, dispatches through trace_dispatch(), which sees what the handlers of messages have done, and leaves by way of
 * kernel_leave(), since cpu->traced is one of the flags that each way out looks at. Rare paths ask trace_mask: TRACE().
 */
#pragma once
#include <abi/trace.h>
#include <cpu.h>
#include <syscall.h>

struct memory;

extern uint64_t trace_mask; /* categories; 0: off */

enum { /* each event's category, as a mask */
#define TRACE_EVENT(number, name, category, arguments, text) TRACE_OF_##name = TSS_TRACING_##category,
#include <abi/trace.def>
};

/* Record an event of thread `who`, or of the current one, with up to four arguments. */
#define TRACE_BY(who, event, ...)                                                                                      \
	(UNLIKELY(trace_mask & TRACE_OF_##event) ? trace_record(who, TSS_TRACE_##event, (uint64_t[4]){__VA_ARGS__})    \
						 : (void)0)
#define TRACE(event, ...) TRACE_BY(cpu_this()->current, event, __VA_ARGS__)

void trace_record(const struct thread *who, enum tss_trace event, const uint64_t arguments[4])
	__attribute__((cold));
void trace_leave(struct cpu *cpu); /* the CPU is about to leave the kernel, while it is traced */
void trace_forget(const struct memory *memory); /* it ends: is it the ring? */
void trace_panic(void); /* into the log: what came last on this CPU */
