/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offsets.c - what assembly must know of C. Compiled to text only, of which kernel.mk makes build/include/asm_offsets.h:
 * a #define for each row, and a symbol for each word of a saved frame, from the start of struct thread.
 */
#include <port.h>
#include <syscall.h>

/* clang-format off */
#define VALUES(VALUE) \
	VALUE(CPU_CURRENT, offsetof(struct cpu, current)) \
	VALUE(CPU_STACK, offsetof(struct cpu, kernel_stack)) \
	VALUE(CPU_SCRATCH, offsetof(struct cpu, scratch)) \
	VALUE(CPU_ENTRY_STACK, offsetof(struct cpu, entry_stack)) \
	VALUE(CPU_SCHED, offsetof(struct cpu, sched)) \
	VALUE(CPU_SPACE_ROOT, offsetof(struct cpu, space_root)) \
	VALUE(CPU_NEED_RESCHED, offsetof(struct cpu, need_resched)) \
	VALUE(CPU_FAST_CALLS, offsetof(struct cpu, fast_calls)) \
	VALUE(CPU_CALL_PENDING, offsetof(struct cpu, call_pending)) \
	VALUE(CPU_SLICING, offsetof(struct cpu, slicing)) \
	VALUE(CPU_LOCK, offsetof(struct cpu, lock)) \
	VALUE(THREAD_FRAME, offsetof(struct thread, frame)) \
	VALUE(THREAD_UNIT, offsetof(struct thread, unit)) \
	VALUE(THREAD_IPC, offsetof(struct thread, ipc)) \
	VALUE(THREAD_IPC_USER, offsetof(struct thread, ipc_user)) \
	VALUE(THREAD_ROOT, offsetof(struct thread, root)) \
	VALUE(THREAD_PROGRESS, offsetof(struct thread, progress)) \
	VALUE(THREAD_PORT, offsetof(struct thread, port)) \
	VALUE(THREAD_REPLY, offsetof(struct thread, reply)) \
	VALUE(THREAD_AGAIN, offsetof(struct thread, timeout.again)) \
	VALUE(THREAD_RESTARTED, offsetof(struct thread, timeout.restarted)) \
	VALUE(THREAD_ARMED, offsetof(struct thread, timeout.armed)) \
	VALUE(THREAD_SWITCHES, offsetof(struct thread, switches)) \
	VALUE(THREAD_LAST_PORT, offsetof(struct thread, last_port)) \
	VALUE(THREAD_LAST_REPLY, offsetof(struct thread, last_reply)) \
	VALUE(THREAD_LAST_CONNECTION, offsetof(struct thread, last_connection)) \
	VALUE(THREAD_LANE, offsetof(struct thread, lane)) \
	VALUE(THREAD_REDIRECT, offsetof(struct thread, redirect)) \
	VALUE(THREAD_GUARD, offsetof(struct thread, guard)) \
	VALUE(UNIT_CAPS, offsetof(struct unit, caps.pages)) \
	VALUE(CAP_OBJECT, offsetof(struct capability, object)) \
	VALUE(CAP_HANDLE, offsetof(struct capability, handle)) \
	VALUE(CAP_REFUSED, offsetof(struct capability, refused)) \
	VALUE(CONNECTION_FAST_PORT, offsetof(struct connection, fast)) \
	VALUE(CONNECTION_BADGE, offsetof(struct connection, badge)) \
	VALUE(CONNECTION_PORT, offsetof(struct connection, port)) \
	VALUE(CONNECTION_GUARD, offsetof(struct connection, guard)) \
	VALUE(CONNECTION_METHODS, offsetof(struct connection, methods)) \
	VALUE(CONNECTION_CALLS, offsetof(struct connection, calls)) \
	VALUE(PORT_FAST, offsetof(struct port, fast)) \
	VALUE(PORT_RECEIVER, offsetof(struct port, receiver)) \
	VALUE(PORT_BUSY, offsetof(struct port, busy)) \
	VALUE(REPLY_PORT, offsetof(struct reply, port)) \
	VALUE(REPLY_CALLER, offsetof(struct reply, caller)) \
	VALUE(REPLY_SERVER, offsetof(struct reply, server)) \
	VALUE(REPLY_SCHED, offsetof(struct reply, sched)) \
	VALUE(REPLY_FAULT_SCHED, offsetof(struct reply, fault_sched)) \
	VALUE(REPLY_CAP, offsetof(struct reply, cap)) \
	VALUE(IPC_SEND, offsetof(struct tss_ipc_page, send) + 8 * TSS_MESSAGE_REGISTERS) \
	VALUE(IPC_RECEIVE, offsetof(struct tss_ipc_page, recv) + 8 * TSS_MESSAGE_REGISTERS) \
	VALUE(IPC_REDIRECT, offsetof(struct tss_ipc_page, redirect)) \
	VALUE(UNIT_TABLE, offsetof(struct unit, table)) \
	VALUE(TABLE_ROWS, offsetof(struct syscall_table, row)) \
	VALUE(HARDENED, TSS_MODE_HARDENED) \
	VALUE(SYSCALLS, TSS_SYSCALL_COUNT) \
	VALUE(SYSCALL_FIRST, TSS_SYSCALL_FIRST) \
	VALUE(ABI_VERSION, TSS_ABI_VERSION) \
	VALUE(SYSCALL_CALL, TSS_SYS_connection_call) \
	VALUE(SYSCALL_REPLY_RECEIVE, TSS_SYS_port_reply_receive) \
	VALUE(NEEDS_CALL, CAP_NEEDS(TSS_TYPE_CONNECTION, TSS_RIGHT_CALL)) \
	VALUE(NEEDS_RECEIVE, CAP_NEEDS(TSS_TYPE_PORT, TSS_RIGHT_RECEIVE)) \
	VALUE(NEEDS_REPLY, CAP_NEEDS(TSS_TYPE_REPLY, TSS_RIGHT_SEND)) \
	VALUE(STATE_READY, TSS_THREAD_READY) \
	VALUE(STATE_RECEIVING, TSS_THREAD_RECEIVING) \
	VALUE(STATE_CALLING, TSS_THREAD_CALLING) \
	VALUE(MESSAGE_MAX, TSS_MESSAGE_MAX) \
	VALUE(MESSAGE_REGISTERS, 8 * TSS_MESSAGE_REGISTERS) \
	VALUE(FLAGS_INITIAL, ARCH_USER_FLAGS(0))
#define FRAME_WORDS(WORD) \
	WORD(rax) WORD(rbx) WORD(rcx) WORD(rdx) WORD(rsi) WORD(rdi) WORD(rbp) WORD(r8) WORD(r9) WORD(r10) WORD(r11) \
	WORD(r12) WORD(r13) WORD(r14) WORD(r15) WORD(rip) WORD(rflags) WORD(rsp) WORD(full) WORD(vector) WORD(error) \
	WORD(address)
#define WORD(name) __asm__ volatile("\n.ascii \"-> .set FRAME_" #name ", %c0\"" : : "i"(offsetof(struct thread, frame.name)));
#define VALUE(name, value) __asm__ volatile("\n.ascii \"-> #define " #name " %c0\"" : : "i"(value));
/* clang-format on */

/* Four bytes that are tested as one word. */
_Static_assert(offsetof(struct cpu, exclusive) == offsetof(struct cpu, need_resched) + 1 &&
		       offsetof(struct cpu, wanted) == offsetof(struct cpu, need_resched) + 2 &&
		       offsetof(struct cpu, traced) == offsetof(struct cpu, need_resched) + 3,
	       "CPU_NEED_RESCHED");
_Static_assert(sizeof(struct syscall_row) == 16 && sizeof(struct guard) == 8, "as fast.S has them");

void offsets(void);
void offsets(void)
{
	VALUES(VALUE)
	FRAME_WORDS(WORD)
}
