/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h - a thread: saved state, IPC page, and what it waits for.
 *
 *   NEW -> start -> READY -> {RECEIVING, CALLING, WAITING, SLEEPING} -> READY ... -> ENDED
 *   a fault: READY -> CALLING the fault port -> READY, or FAULTED -> ENDED when it would run
 *
 * A thread waits for one thing at a time, perhaps with a timeout; thread_wake() ends any wait. READY covers running.
 */
#pragma once
#include <arch.h>
#include <abi/inspect.h>
#include <sched.h>
#include <timer.h>
#include <unit.h>

struct port;
struct reply;
struct event;

struct thread {
	struct object object;
	struct arch_frame frame; /* entry.S stores here: THREAD_FRAME in asm_offsets.h */
	struct unit *unit;
	struct tss_ipc_page *ipc; /* the kernel's alias */
	uint64_t ipc_user;        /* its address in the unit; the user's GS base */
	struct sched *home;
	union {
		struct {
			uint8_t state; /* enum tss_thread_state, RUNNING excepted */
			uint8_t left;  /* how many calls deeper the chain may grow from here */
		};
		uint16_t progress; /* both: what a hand-over changes at once */
	};
	struct link wait;         /* CALLING: in port->callers */
	uint64_t sequence;        /* CALLING: arrival number at the port */
	uint64_t badge;           /* CALLING: of the connection used */
	struct port *port;        /* RECEIVING, or CALLING and not yet received */
	struct reply *reply;      /* CALLING and received: who has to answer */
	struct event *event;      /* WAITING */
	struct timeout timeout;
	struct link parked;       /* contexts whose chain ends here */
	uint64_t switches;
	struct arch_extended *extended; /* &extension, or NULL: uses none of it */
	struct arch_extended extension;
	uint64_t fault_entry, fault_stack; /* its own fault handler; 0: none */
	bool fault_handling;               /* which is running */
	uint8_t fault;                     /* CALLING, FAULTED: enum tss_fault, the frame has the rest; 0: none */
	struct thread_start {
		uint64_t entry, stack, argument;
		struct sched *sched; /* it was started with; NULL: not started, or gone */
	} start;                     /* for a restart */
};

/* Arguments 2 to 5 of a system call. */
#define ARG1(thread) ((thread)->frame.rdi)
#define ARG2(thread) ((thread)->frame.rsi)
#define ARG3(thread) ((thread)->frame.rdx)
#define ARG4(thread) ((thread)->frame.r10)
#define ARG5(thread) ((thread)->frame.r8)

MUST_CHECK status_t thread_create(struct unit *unit, uint64_t entry, uint64_t stack, uint64_t ipc_page, uint64_t argument,
				  struct thread **out);
void thread_reset(struct thread *thread);                 /* first registers, empty IPC page, NEW */
void thread_start(struct thread *thread, struct sched *sched);
void thread_end(struct thread *thread);                   /* out of every queue; never runs again */
void thread_leave(struct thread *thread, uint64_t code);  /* the same; the last one ends its unit with that code */
/* Ends the wait with status as the call's result, other results 0; the thread is ready. */
void thread_wake(struct thread *thread, status_t status);
void thread_block(struct thread *thread, enum tss_thread_state state, uint64_t timeout_us);
/* ARGUMENT (number, number + 1) unless a thread may begin there. */
MUST_CHECK status_t thread_check_start(uint64_t entry, uint64_t stack, unsigned number);

/* ---- fault.c ---- */
/* The current thread cannot go on: state in its frame. Its handler, its unit's fault port, or its supervisor is next. */
void thread_fault(struct thread *thread, enum tss_fault kind, uint64_t address);
void fault_supervise(struct thread *thread); /* nobody else has helped: its unit ends */
/* The record of from's fault becomes the message that `to`, READY, has received. */
void fault_deliver(struct thread *to, const struct thread *from, uint64_t badge, struct reply *reply);
/* The answer to a fault: takes the registers over. caller->fault stays set if it gives up. ARGUMENT (2: the tag). */
MUST_CHECK status_t fault_reply(const struct thread *self, struct reply *reply, uint64_t tag);
status_t fault_leave(void); /* end of a system call: whatever is current goes on with its whole frame */

/* Make it current: address space, GS base, and what only some threads have. */
ALWAYS_INLINE void thread_switch_to(struct thread *thread)
{
	struct cpu *cpu = cpu_this();
	cpu->current = thread;
	thread->switches++;
	arch_space_activate(cpu, &thread->unit->space);
	arch_user_gs_set(&thread->ipc_user);
	if (UNLIKELY(cpu->extended_used) && cpu->extended != thread->extended)
		arch_extended_switch(cpu, thread->extended);
}

ALWAYS_INLINE bool timeout_valid(uint64_t timeout_us)
{
	return timeout_us <= TSS_TIMEOUT_MAX || timeout_us == TSS_INFINITE;
}
