/* SPDX-License-Identifier: BSD-2-Clause */
/* entry_macros.h - what entry.S and fast.S share: the first and the last instructions of a system call. */
#pragma once
#include <asm_constants.h>
#include <asm_offsets.h>

#define ONE_CALL_LEFT 0x100 /* of THREAD_PROGRESS */
#define GENERATION_ONE 0x10000 /* of CAP_HANDLE */
#define ONE_CAPABILITY 0x10000 /* of tag >> 32 */
/* clang-format off */

/* Registers into the frame that `base` points to, or back. */
	.macro SAVE base, registers:vararg
	.irp register, \registers
	movq %\register, FRAME_\register(\base)
	.endr
	.endm

	.macro LOAD base, registers:vararg
	.irp register, \registers
	movq FRAME_\register(\base), %\register
	.endr
	.endm

/* What a call's arguments are in, and what C leaves as it was. */
#define ARGUMENTS rdx, rsi, rdi, r8, r9, r10
#define KEPT rbp, r12, r13, r14, r15

/*
 * The first instructions of a system call, and the last ones. SDM vol. 2 SYSCALL: rcx = return address, r11 = flags,
 * rsp still the user's. FMASK has cleared IF, DF, TF, AC. While the call runs the user's rsp is in CPU_SCRATCH.
 */
	.macro ENTER
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_CURRENT, %rsp
	movq %rcx, FRAME_rip(%rsp)
	movq %r11, FRAME_rflags(%rsp)
	.endm

/* The way back of the thread in `base`; rip is below TSS_USER_END - a page, never non-canonical: it cannot fault. */
	.macro LOAD_RETURN base
	movq FRAME_rip(\base), %rcx
	movq FRAME_rflags(\base), %r11
	.endm

	.macro LEAVE
	swapgs
	sysretq
	.endm

/*
 * This CPU's kernel lock (core/cpu.c): taken on each way in with the user's state saved, given up on each way out. The
 * line it is in is this CPU's alone unless another is exclusive.
 */
	.macro LOCK_TAKE contended
#if CONFIG_MAX_CPUS > 1
	lock btsq $0, %gs:CPU_LOCK
	jc \contended
#endif
	.endm

	.macro LOCK_GIVE
#if CONFIG_MAX_CPUS > 1
	movb $0, %gs:CPU_LOCK
#endif
	.endm

/* What only counts when another thread is to run: what C has kept for the thread in `base`, and its stack. */
	.macro PUT_ASIDE base, through
	SAVE \base, KEPT
	movq %gs:CPU_SCRATCH, %\through
	movq %\through, FRAME_rsp(\base)
	.endm
