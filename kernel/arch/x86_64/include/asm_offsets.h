/* SPDX-License-Identifier: BSD-2-Clause */
/* asm_offsets.h - offsets that entry.S needs; core/main.c asserts them. */
#pragma once
#define CPU_SELF 0x00
#define CPU_CURRENT 0x08
#define CPU_STACK 0x10
#define CPU_SCRATCH 0x18
#define CPU_SCHED 0x20
#define CPU_NEED_RESCHED 0x34 /* and the two bytes after it */
#define CPU_CALL_PENDING 0x38
#define CPU_LOCK 0xc0

/* From the start of struct thread. */
#define THREAD_FRAME 0x28
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
