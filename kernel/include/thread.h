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

/* What a message is accepted under: of a connection, and of a call until it ends. */
struct guard {
	uint8_t mode;        /* enum tss_mode */
	bool shares;         /* memory may be handed over */
	uint32_t connection; /* object id */
};

struct port;
struct reply;
struct event;

struct upcall { /* a function of its unit's; entry 0: none */
	uint64_t entry, stack;
};

struct thread {
	struct object object;
	struct arch_frame frame; /* entry.S stores here: THREAD_FRAME in offsets.c */
	struct unit *unit;
	struct cpu *cpu;         /* that of its scheduling context: where it runs, waits and times out */
	struct tss_ipc_page *ipc; /* the kernel's alias */
	uint64_t ipc_user;        /* its address in the unit; the user's GS base */
	uint64_t root;            /* unit->space.cr3 */
	struct sched *home;
	union {
		struct {
			uint8_t state; /* enum tss_thread_state, RUNNING excepted */
			uint8_t left;  /* how many calls deeper the chain may grow from here */
		};
		uint16_t progress; /* both: what a hand-over changes at once */
	};
	struct link wait;         /* CALLING: in port->callers; or alone */
	uint64_t sequence;        /* CALLING: arrival number at the port */
	uint64_t badge;           /* CALLING: of the connection used */
	struct port *port;        /* RECEIVING, or CALLING and not yet received */
	struct reply *reply;      /* CALLING and received: who has to answer */
	struct event *event;      /* WAITING */
	struct timeout timeout;
	struct link parked;       /* contexts whose chain ends here */
	uint64_t switches;
	struct capability *last_port, *last_reply, *last_connection; /* fast.S: slots of the unit where it found these last */
	const void *lane;         /* fast.S hands over within a lane: its CPU; or itself, if `extended` is set */
	struct upcall redirect;   /* where its foreign system calls go (entry.S) */
	struct arch_extended *extended; /* &extension, or NULL: uses none of it */
	struct arch_extended extension;
	struct upcall handler;             /* its own, of faults */
	bool fault_handling;               /* which is running */
	bool paging;                       /* CALLING, FAULTED: the fault is or was its pager's (pager.h) */
	uint8_t fault;                     /* CALLING, FAULTED: enum tss_fault, the frame has the rest; 0: none */
	struct interposed *interposed;     /* interpose.c: what its unit's monitor has allowed; NULL: never asked */
	struct thread_start {
		uint64_t entry, stack, argument;
		struct sched *sched; /* it was started with; NULL: not started, or gone */
	} start;                     /* for a restart */
	struct guard guard;          /* CALLING, unless through a FAST connection: of the one used */
	cap_t making;                /* what it makes, slice by slice; stale: nothing */
};

ALWAYS_INLINE void thread_set_cpu(struct thread *thread, struct cpu *cpu)
{
	thread->cpu = cpu;
	thread->unit->space.cpus |= 1ull << cpu->index;
	thread->lane = thread->extended ? (const void *)thread : cpu;
}

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
/* The same; the last one ends its unit with that code. A slice; false: there is more to do. */
bool thread_leave(struct thread *thread, uint64_t code, unsigned *left);
/* Threads of that unit, or that one, receive nowhere and answer nothing any more; a slice. Where a call is handed on to dies. */
bool threads_forget(struct unit *unit, void *thread, unsigned *left);
void thread_halt(struct thread *thread, enum tss_thread_state state); /* FAULTED, whatever it did; thread_end(): ENDED */
/* Ends the wait with status as the call's result, other results 0; the thread is ready. */
void thread_wake(struct thread *thread, status_t status);
/* It can run again. */
ALWAYS_INLINE void thread_ready(struct thread *thread)
{
	thread->state = TSS_THREAD_READY;
	sched_wake_parked(thread);
	sched_activate_home(thread);
}
/* Is all that the end of its wait touches at home on its CPU, this one? */
bool thread_waits_at_home(const struct thread *thread);
void thread_off_cpu(struct thread *thread); /* exclusive: not current anywhere any more, all registers in memory */
void thread_block(struct thread *thread, enum tss_thread_state state, uint64_t timeout_us);
/* ARGUMENT (number, number + 1) unless a thread may begin there. */
MUST_CHECK status_t thread_check_start(uint64_t entry, uint64_t stack, unsigned number);

/* ---- fault.c ---- */
/* The current thread cannot go on: state in its frame. Its handler, its unit's fault port, or its supervisor is next. */
void thread_fault(struct thread *thread, enum tss_fault kind, uint64_t address);
/* No handler is asked, its unit ends: now if the thread is the current one, else when it would run. Exclusive. */
void thread_stop(struct thread *thread, enum tss_fault kind, uint64_t address);
/* Who was asked has not helped: the next one, or a slice of its unit's end. False: it is FAULTED still. */
bool fault_unhandled(struct thread *thread);
/* The record of from's fault becomes the message that `to`, READY, has received. */
void fault_deliver(struct thread *to, const struct thread *from, uint64_t badge, struct reply *reply);
/* The answer to a fault: takes the registers over. caller->fault stays set if it gives up. ARGUMENT (2: the tag). */
MUST_CHECK status_t fault_reply(struct thread *self, struct reply *reply, uint64_t tag);

#define FAULT_RECORD_TAG(type) TSS_TAG(type, sizeof(struct tss_fault_record), 0)
/* The frame says what thread and CPU had before the instruction, rcx and r11 excepted. */
void fault_at_syscall(struct arch_frame *frame);
/* The thread calls with the record of its fault. False: nobody is there (NULL), or its own chain of calls ends at it. */
bool fault_call(struct thread *thread, struct connection *connection);
/* ---- interpose.c ---- */
MUST_CHECK status_t interpose_reply(const struct thread *self, struct reply *reply, uint64_t tag); /* as fault_reply() */
void interpose_end(struct thread *thread, status_t status, uint64_t value); /* results of a call not carried out */
void interpose_forget(struct thread *thread);                               /* it is reset or destroyed */

/* Make it current: address space, GS base, and what only some threads have. */
ALWAYS_INLINE void thread_switch_to(struct cpu *cpu, struct thread *thread)
{
	cpu->current = thread;
	thread->switches++;
	arch_space_activate(cpu, (paddr_t){thread->root});
	arch_user_bases_set(cpu, &thread->ipc_user, thread->extension.fs_base);
	if (UNLIKELY(cpu->extended_used) && cpu->extended != thread->extended)
		arch_extended_switch(cpu, thread->extended);
}

ALWAYS_INLINE bool timeout_valid(uint64_t timeout_us)
{
	return timeout_us <= TSS_TIMEOUT_MAX || timeout_us == TSS_INFINITE;
}
