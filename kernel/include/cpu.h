/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h - per-CPU data, reached through GS in the kernel, and what CPUs have to do with each other
 * (doc/adr/0004-several-cpus.md). Everything a CPU touches on its hot path is here or in objects at home on it. Offsets
 * of some fields are known to entry.S (offsets.c).
 *
 * Each CPU has a kernel lock, which entry.S takes on each way in and gives up on each way out. Who holds his own may work
 * on what is at home here; who holds all of them (exclusive) on everything. What is at home: `cpu` in threads, contexts,
 * ports, events and interrupt lines says where. A CPU that waits for a lock or for its turn to be exclusive is parked:
 * its thread's state is in the frame, and it does what the exclusive one asks (cpu_ask).
 */
#pragma once
#include <timer.h>

struct thread;
struct sched;
struct arch_extended;

#define PRIORITIES 256
#ifndef CPUS_MAX /* tests on the host have one */
#define CPUS_MAX CONFIG_MAX_CPUS
#endif
#define CACHE_LINE 64
#define FRAME_CACHE 16

struct run_queue {
	uint64_t summary; /* bit i: occupied[i] is not 0 */
	uint64_t occupied[PRIORITIES / 64];
	struct link queues[PRIORITIES];
};

struct cpu {
	struct cpu *self;            /* 0x00 */
	struct thread *current;      /* 0x08 whose state the entry stubs save; NULL: idle */
	uint64_t kernel_stack;       /* 0x10 top of the kernel stack */
	uint64_t scratch;            /* 0x18 in a system call: the user's rsp; in an exception, for a moment, its rax */
	struct sched *sched;         /* 0x20 scheduling context that is charged now; NULL: idle */
	uint64_t space_root;         /* 0x28 what was written to CR3 */
	unsigned index;
	union {
		struct {
			bool need_resched; /* 0x34 something more urgent may be ready: pick before going back to user */
			bool exclusive;    /* 0x35 all locks are this CPU's; give them up before going back to user */
			bool wanted;       /* 0x36 somebody waits for the lock: let him have it before going back to user */
			bool traced;       /* 0x37 what it does is recorded (trace.h): leave by way of kernel_leave() */
		};
		uint32_t leaving;          /* 0x34 all four: entry.S looks at them at once */
	};
	bool call_pending;           /* 0x38 the current thread waits, parked, for its system call to begin (anew) */
	bool owns_all;               /* exclusive, or the only CPU: may work on everything */
	bool fsgsbase;               /* the CPU has those instructions */
	bool extended_used;          /* some thread has or had `extended`: only then a switch looks */
	uint32_t apic_id;
	struct arch_extended *extended; /* of the thread whose vector registers and FS base the CPU has; NULL: nobody's */
	uint64_t charged_tsc;        /* since when `sched` is charged */
	uint64_t fast_calls;         /* 0x50 */
	struct sched *next;          /* woken, more urgent than `sched` and all that are queued: it need not be queued itself */
	uint64_t slice_armed;        /* the timer is set to fire by this TSC, for the end of a slice; UINT64_MAX: not for one */
	uint64_t timer_set_for;      /* us the hardware timer is set for; UINT64_MAX: stopped */
	uint64_t timer_deadline;     /* the same as clock.c sees it, which may take several shots */
	bool timer_armed;
	bool slicing;                /* there is more to do here: interrupts may come, then the scheduler goes on */
	uint64_t kicks;              /* CPUs to interrupt when the exclusive section ends */
	uint64_t lot;                /* CONFIG_PERTURB: state of the generator */
	uint64_t entry_stack;        /* where interrupts of a unit begin, and end; with CONFIG_PTI not the kernel's */
	uint64_t held;               /* CONFIG_LOCK_CHECK: bit r: a lock of that rank is held */
	uint64_t interrupts, timer_interrupts, slow_calls, faults, syscalls_denied, exclusives;
	uint64_t traced_events;      /* recorded since the trace began */
	uint32_t traced_thread;      /* id of the one that runs, as far as the trace knows; 0: none */
	_Alignas(CACHE_LINE) uint64_t lock; /* 0: free. Beside it what others write while this CPU is parked */
	bool parked;                        /* waits for a lock, and for what it is asked to do */
	void (*asked)(struct cpu *cpu, void *argument);
	void *asked_with;
	_Alignas(CACHE_LINE) struct run_queue run_queue;
	struct wheel wheel;
	unsigned frame_count, frames_clear; /* in `frames`; the first `frames_clear` of them are all zeros */
	void *frames[FRAME_CACHE];          /* free ones, which this CPU takes first */
};

#define CPU_LEAVING_TRACED 0xff000000u

extern struct cpu cpus[CPUS_MAX];
extern unsigned cpu_count; /* that run; their indexes are 0 to this - 1 */
ALWAYS_INLINE struct cpu *cpu_this(void);

#define EACH_CPU(cpu) for (struct cpu *cpu = cpus; cpu < cpus + cpu_count; cpu++)

ALWAYS_INLINE bool cpu_is_here(const struct cpu *cpu)
{
	return CPUS_MAX == 1 || cpu == cpu_this();
}
/* May this CPU work on everything? */
ALWAYS_INLINE bool cpu_is_exclusive(void)
{
	return CPUS_MAX == 1 || cpu_this()->owns_all;
}

/*
 * Go on with all locks; meanwhile anything may have happened to anything, current thread included (cpu->current is NULL
 * then), except to this CPU's stack. For interrupts and faults; system calls use kernel_exclusive().
 */
void cpu_exclusive(void);
/* Start the current system call, which has changed nothing yet, anew with all locks. */
void kernel_exclusive(const struct thread *self) NORETURN;
/* The end of a way through the kernel, if need_resched, exclusive or wanted is set. */
void kernel_leave(void);
void cpu_lock_contended(void); /* entry.S: somebody else has this CPU's lock */

/* ---- for the one that is exclusive ---- */
/* On another CPU: do(cpu, argument), now; it is parked then, its thread's state in the frame. On this: just do it. */
void cpu_ask(struct cpu *cpu, void (*asked)(struct cpu *cpu, void *argument), void *argument);
void cpu_resched(struct cpu *cpu); /* any CPU: pick again */

/* Ranks of the locks in their order: the turn to be exclusive, each CPU's own, then those that end a chain. */
enum { RANK_TURN, RANK_CPU, RANK_LEAF = 63 };
void lock_take(uint64_t *lock, unsigned rank);
void lock_give(uint64_t *lock, unsigned rank);
