/* SPDX-License-Identifier: BSD-2-Clause */
/* asm_offsets.h - offsets that entry.S needs; core/main.c asserts them. */
#pragma once
#define CPU_SELF 0x00
#define CPU_CURRENT 0x08
#define CPU_STACK 0x10
#define CPU_SCRATCH 0x18
#define CPU_SCHED 0x20
#define CPU_SPACE_ROOT 0x28
#define CPU_NEED_RESCHED 0x34 /* and the three bytes after it */
#define CPU_CALL_PENDING 0x38
#define CPU_FAST_CALLS 0x50
#define CPU_LOCK 0x100

/* From the start of struct thread. */
#define THREAD_FRAME 0x28
#define THREAD_UNIT 0xd8
#define THREAD_IPC 0xe8
#define THREAD_IPC_USER 0xf0
#define THREAD_ROOT 0xf8
#define THREAD_PROGRESS 0x108
#define THREAD_PORT 0x130
#define THREAD_REPLY 0x138
#define THREAD_AGAIN 0x168
#define THREAD_RESTARTED 0x170
#define THREAD_ARMED 0x17a
#define THREAD_SWITCHES 0x190
#define THREAD_LAST_PORT 0x198
#define THREAD_LAST_REPLY 0x1a0
#define THREAD_LAST_CONNECTION 0x1a8
#define THREAD_LANE 0x1b0
#define THREAD_REDIRECT 0x1b8 /* entry, stack */
#define THREAD_GUARD 0x220

/* Of other objects. */
#define UNIT_CAPS 0x40
#define CAP_OBJECT 0x00
#define CAP_HANDLE 0x18
#define CAP_REFUSED 0x1c
#define CONNECTION_FAST_PORT 0x28
#define CONNECTION_PORT 0x30
#define CONNECTION_BADGE 0x40
#define CONNECTION_CALLS 0x48
#define CONNECTION_GUARD 0x6c
#define CONNECTION_METHODS 0x78
#define PORT_FAST 0x28
#define PORT_RECEIVER 0x38
#define PORT_BUSY 0x48
#define REPLY_PORT 0x28
#define REPLY_CALLER 0x30
#define REPLY_SERVER 0x38
#define REPLY_SCHED 0x40
#define REPLY_FAULT_SCHED 0x48
#define REPLY_CAP 0x58
#define UNIT_TABLE 0x28
#define HARDENED 1
#define SYSCALLS 0x46
#define TABLE_ROWS (8 * SYSCALLS) /* of 16 bytes */
#define SYSCALL_FIRST 0x1000
#define ABI_VERSION 1
#define SYSCALL_CALL 0x1019
#define SYSCALL_REPLY_RECEIVE 0x1015

/* What `refused` of a capability must not have, and more numbers that C has other names for. */
#define NEEDS_CALL 0x200020
#define NEEDS_RECEIVE 0x100080
#define NEEDS_REPLY 0x400040
#define STATE_READY 1
#define STATE_RECEIVING 3
#define STATE_CALLING 4
#define ONE_CALL_LEFT 0x100 /* of THREAD_PROGRESS */
#define GENERATION_ONE 0x10000 /* of CAP_HANDLE */
#define MESSAGE_MAX 256
#define ONE_CAPABILITY 0x10000 /* of tag >> 32 */
#define MESSAGE_REGISTERS 32 /* bytes in registers */
#define IPC_SEND 0x120 /* of the IPC page: where what is not in registers lies, and arrives */
#define IPC_RECEIVE 0x220
#define IPC_REDIRECT 0x3c0 /* ip, sp, flags, number */
#define FLAGS_INITIAL 0x202

/* What struct arch_frame has there, in its order: entry.S numbers them, core/main.c compares. */
/* clang-format off */
#define FRAME_WORDS(X)                                                                                                 \
	X(rax) X(rbx) X(rcx) X(rdx) X(rsi) X(rdi) X(rbp) X(r8) X(r9) X(r10) X(r11) X(r12) X(r13) X(r14) X(r15)         \
	X(rip) X(rflags) X(rsp) X(full) X(vector) X(error) X(address)
/* clang-format on */

#define SYSCALL_SIZE 2 /* bytes of the instruction: SDM vol. 2 SYSCALL */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b /* sysret wants user data at STAR[63:48]+8, user code at +16 */
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
