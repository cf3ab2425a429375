/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h - per-CPU data, reached through GS in the kernel. Everything a CPU touches on its hot path is here or in the
 * current thread; nothing is shared with another CPU. Offsets of the first fields are known to entry.S
 * (asm_offsets.h, checked by static assertions in core/main.c).
 */
#pragma once
#include <types.h>

struct thread;
struct sched;
struct arch_extended;

struct cpu {
	struct cpu *self;            /* 0x00 */
	struct thread *current;      /* 0x08 whose state the entry stubs save; NULL: idle */
	uint64_t kernel_stack;       /* 0x10 top of the kernel stack */
	uint64_t scratch;            /* 0x18 in a system call: the user's rsp; in an exception, for a moment, its rax */
	struct sched *sched;         /* 0x20 scheduling context that is charged now; NULL: idle */
	uint64_t space_root;         /* 0x28 what CR3 holds */
	unsigned index;
	bool need_resched;           /* something more urgent may be ready: pick before going back to user */
	bool fsgsbase;               /* the CPU has those instructions */
	bool extended_used;          /* some thread has or had `extended`: only then a switch looks */
	struct arch_extended *extended; /* of the thread whose vector registers and FS base the CPU has; NULL: nobody's */
	uint64_t charged_tsc;        /* since when `sched` is charged */
	uint64_t init_tsc; /* when the first unit was about to run */
	uint64_t fast_calls;
	struct sched *next;          /* woken, more urgent than `sched` and all that are queued: it need not be queued itself */
	uint64_t slice_armed;        /* the timer is set to fire by this TSC, for the end of a slice; UINT64_MAX: not for one */
	uint64_t interrupts, timer_interrupts, slow_calls, faults, syscalls_denied;
};

#define CPUS_MAX 1
extern struct cpu cpus[CPUS_MAX];
ALWAYS_INLINE struct cpu *cpu_this(void);
