/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.S - the ways into the kernel and back out.
 *
 * In: the user's state goes into the current thread's frame (struct arch_frame, at THREAD_FRAME in struct thread),
 * then one C function runs on this CPU's kernel stack with interrupts off. Out: whatever thread is current then is
 * resumed from its frame: `full` by iretq, otherwise by sysretq. No current thread: idle with interrupts on.
 *
 * In the kernel GS is this CPU's struct cpu; the user's GS base waits in KERNEL_GS_BASE (SDM vol. 3, 5.8.8).
 */
#include <asm_offsets.h>

	.section .entry.text, "ax"
	.code64

	offset = THREAD_FRAME
#define WORD(name) .set FRAME_##name, offset; offset = offset + 8;
	FRAME_WORDS(WORD)

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

/* What both ways in leave untouched until it is saved. */
#define ARGUMENTS rdx, rsi, rdi, r8, r9, r10
#define KEPT rbp, r12, r13, r14, r15

/*
 * This CPU's kernel lock (core/cpu.c): taken on each way in, on the kernel's stack with the user's state saved, given up
 * on each way out. The line it is in is this CPU's alone unless another is exclusive.
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

/* Back to the thread in rbx, out of a system call; rax and the KEPT are in place. */
	.macro SYSRET
	LOCK_GIVE
	movq FRAME_rip(%rbx), %rcx	/* below TSS_USER_END - a page, so never non-canonical: sysretq cannot fault */
	movq FRAME_rflags(%rbx), %r11
	LOAD %rbx, ARGUMENTS, rsp, rbx
	swapgs
	sysretq
	.endm

/* SDM vol. 2 SYSCALL: rcx = return address, r11 = flags, rsp still the user's. FMASK has cleared IF, DF, TF, AC. */
	.globl arch_syscall_entry
	.balign 64
arch_syscall_entry:
	swapgs
	movq %rsp, %gs:CPU_SCRATCH
	movq %gs:CPU_CURRENT, %rsp
	movq %rcx, FRAME_rip(%rsp)
	movq %gs:CPU_SCRATCH, %rcx
	movq %rax, FRAME_rax(%rsp)
	SAVE %rsp, rbx, ARGUMENTS, KEPT
	movq %r11, FRAME_rflags(%rsp)
	movq %rcx, FRAME_rsp(%rsp)
	movq %rsp, %rdi		/* FRAME_full is 0 whenever a unit runs */
	movq %gs:CPU_STACK, %rsp
	movq %rax, %rsi
	LOCK_TAKE .Lcontended_call
.Ldispatch:
	call syscall_dispatch
	movq %gs:CPU_CURRENT, %rbx
	testq %rax, %rax
	jne .Lnot_ok
.Lfinished:
	cmpl $0, %gs:CPU_NEED_RESCHED	/* exclusive and wanted as well */
	jne .Lpreempted
	SYSRET			/* the same thread goes on: C has kept rbp and r12-r15 */

.Lnot_ok:
	js .Lswitched		/* SYSCALL_NO_RESULT: it blocked, switched, or wrote its results itself */
	movq %rbx, %rdi
	movq %rax, %rsi
	call syscall_failed
	jmp .Lfinished
.Lpreempted:
	movq %rax, FRAME_rax(%rbx)
	call kernel_leave
	jmp arch_resume
.Lswitched:
	cmpl $0, %gs:CPU_NEED_RESCHED
	jne .Lreschedule
	/* A hand-over, or a message that was there already: a system call of rbx has come to its end, with success. */
	LOAD %rbx, KEPT
	xorl %eax, %eax
	SYSRET

/* Begin the current system call anew; it has changed nothing. If its thread has to wait, it does so in its unit. */
.Lcontended_call:
	movb $1, %gs:CPU_CALL_PENDING
	call cpu_lock_contended
	.globl arch_syscall_restart
arch_syscall_restart:
	movb $0, %gs:CPU_CALL_PENDING
	movq %gs:CPU_STACK, %rsp
	movq %gs:CPU_CURRENT, %rbx
	testq %rbx, %rbx
	jz .Lreschedule		/* gone while this CPU was parked */
	cmpb $0, %gs:CPU_NEED_RESCHED
	jne 1f
	LOAD %rbx, KEPT
	movq %rbx, %rdi
	movq FRAME_rax(%rbx), %rsi
	jmp .Ldispatch
1:	subq $SYSCALL_SIZE, FRAME_rip(%rbx)	/* rax is still the number */

.Lreschedule:
	call kernel_leave

/* Run the current thread, or idle. Never returns; the stack's contents are given up. */
	.globl arch_resume
	.balign 16
arch_resume:
	movq %gs:CPU_CURRENT, %rbx
	testq %rbx, %rbx
	jz .Lidle
	LOAD %rbx, KEPT, rax
	cmpq $0, FRAME_full(%rbx)
	jne .Lfull
	SYSRET

.Lfull:
	movq $0, FRAME_full(%rbx)
	movq %gs:CPU_STACK, %rsp
	pushq $SELECTOR_USER_DATA
	pushq FRAME_rsp(%rbx)
	pushq FRAME_rflags(%rbx)
	pushq $SELECTOR_USER_CODE
	pushq FRAME_rip(%rbx)
	LOAD %rbx, ARGUMENTS, rcx, r11, rbx
	LOCK_GIVE
	swapgs
	iretq

/* An interrupt leaves this loop by way of .Lkernel; sti takes effect after hlt has begun (SDM vol. 2 STI). */
.Lidle:
	movq %gs:CPU_STACK, %rsp
	xorl %ebp, %ebp
	LOCK_GIVE
	sti
	hlt
	cli
	jmp arch_resume

/* One stub a vector, 16 bytes each: error code (0 where the CPU gives none), vector, common part. */
	.globl arch_vector_stubs
	.balign 16
arch_vector_stubs:
	vector = 0
	.rept 256
	.balign 16
	.if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
	pushq $0
	.endif
	pushq $vector
	jmp .Lvector
	vector = vector + 1
	.endr

/* Stack: vector, error, rip, cs, rflags, rsp, ss. */
	.balign 16
.Lvector:
	cld
	testb $3, 24(%rsp)
	jz .Lkernel
	swapgs
	movq %rax, %gs:CPU_SCRATCH
	movq %gs:CPU_CURRENT, %rax
	SAVE %rax, rbx, ARGUMENTS, KEPT, rcx, r11
	movq %gs:CPU_SCRATCH, %rbx
	movq %rbx, FRAME_rax(%rax)
	popq %rbx
	movq %rbx, FRAME_vector(%rax)
	popq FRAME_error(%rax)
	popq FRAME_rip(%rax)
	popq %rcx
	popq FRAME_rflags(%rax)
	popq FRAME_rsp(%rax)
	movq $1, FRAME_full(%rax)
	cmpl $14, %ebx
	jne 1f
	movq %cr2, %rcx
	movq %rcx, FRAME_address(%rax)
1:	movq %gs:CPU_STACK, %rsp
	pushfq			/* a unit's AC flag would lift SMAP; interrupt gates keep it (SDM vol. 3, 4.6.1) */
	andl $~0x40000, (%rsp)
	popfq
	xorl %ebp, %ebp
	LOCK_TAKE .Lcontended_trap
1:	movq %rax, %rdi
	call trap_user
	jmp arch_resume
.Lcontended_trap:
	call cpu_lock_contended
	movq %gs:CPU_CURRENT, %rax
	testq %rax, %rax
	jnz 1b
	jmp .Lidle_trap		/* its thread is gone, the interrupt is not */

/* From kernel mode: an interrupt can only have come out of the idle loop; an exception is the end. */
.Lkernel:
	cmpl $32, (%rsp)
	jb .Lbroken
	movq (%rsp), %rbx
	movq %gs:CPU_STACK, %rsp
	LOCK_TAKE .Lcontended_idle
.Lidle_trap:
	movq %rbx, %rdi
	call trap_idle
	jmp arch_resume
.Lcontended_idle:
	call cpu_lock_contended
	jmp .Lidle_trap

/* GS may still be the user's if this hit between entry and swapgs: the kernel's half has the sign bit. */
.Lbroken:
	movl $0xc0000101, %ecx
	rdmsr
	testl %edx, %edx
	js 1f
	swapgs
1:	movq (%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq %cr2, %rcx
	movq 40(%rsp), %r8
	andq $~15, %rsp
	call arch_exception_kernel
