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
#include "entry_macros.h"

	.section .entry.text, "ax"
	.code64

/* With CONFIG_RETPOLINE nothing is jumped to through a row; what rows lead to besides is arch_syscall_general's too. */
	.macro TRY number, to
	cmpl $\number - SYSCALL_FIRST, %ecx
	jne 1f
	leaq \to(%rip), %rcx
	cmpq %rcx, 8 * (\number - SYSCALL_FIRST)(%rax)
	je \to
	movl $\number - SYSCALL_FIRST, %ecx
1:
	.endm

/* In, and to the row of the unit's table. */
	.macro ENTER_TABLE
	ENTER
	leaq -SYSCALL_FIRST(%rax), %rcx
	cmpq $SYSCALLS - 1, %rcx
	ja .Lforeign
	movq THREAD_UNIT(%rsp), %r11
	movq UNIT_TABLE(%r11), %rax
	.endm

	.globl arch_syscall_entry
	.balign 64
arch_syscall_entry:
	ENTER_TABLE
#if CONFIG_RETPOLINE
	TRY SYSCALL_CALL, arch_syscall_call
	TRY SYSCALL_REPLY_RECEIVE, arch_syscall_reply_receive
	jmp arch_syscall_general
#else
	jmpq *(%rax,%rcx,8)
#endif

/* The same without a shorter way for any call. */
	.globl arch_syscall_entry_plain
	.balign 16
arch_syscall_entry_plain:
	ENTER_TABLE
	jmp arch_syscall_general

/*
 * The rows of a table lead here: rcx is the row's number, rax its table, r11 the unit, rsp the thread. FRAME_full is 0
 * whenever a unit is in a system call.
 */
	.globl arch_syscall_version
	.balign 16
arch_syscall_version:
	LOAD_RETURN %rsp
	movq %gs:CPU_SCRATCH, %rsp
	movl $ABI_VERSION, %edx
	xorl %eax, %eax
	LEAVE

	.globl arch_syscall_general
	.balign 16
arch_syscall_general:
	SAVE %rsp, rbx, ARGUMENTS
	PUT_ASIDE %rsp, rdx
	leaq SYSCALL_FIRST(%rcx), %rdx
	movq %rdx, FRAME_rax(%rsp)
	shlq $4, %rcx
	leaq TABLE_ROWS(%rax,%rcx), %rsi
	movq %rsp, %rdi
	movq %gs:CPU_STACK, %rsp
	LOCK_TAKE .Lcontended_call
.Ldispatch:
	pushq %rdi
#if CONFIG_RETPOLINE
	movq syscall_dispatcher(%rip), %rax
	call .Lretpoline
#else
	call *syscall_dispatcher(%rip)
#endif
.Lcalled:
	popq %rdi		/* the thread whose call this was; current may be another by now */
	testq %rax, %rax
	jne .Lnot_ok
.Lfinished:
	cmpl $0, %gs:CPU_NEED_RESCHED	/* exclusive and wanted as well */
	jne .Lpreempted
	LOCK_GIVE
	LOAD_RETURN %rdi
	LOAD %rdi, rsp, rdx, rsi, r8, r9, r10, rdi	/* the same thread goes on: C has kept the rest */
	LEAVE

/*
 * A number that no table has: to the thread's handler, which finds the registers as they are, and in the IPC page what it
 * cannot (struct tss_redirect). That page is the unit's, so ip there may be a lie; it only chooses between two ways that
 * are both open to the thread. What it was handed is the thread's own, so no lock is taken.
 */
.Lforeign:
	movq THREAD_IPC(%rsp), %r11
	movq THREAD_REDIRECT(%rsp), %rcx
	jrcxz .Lunknown
	cmpq $0, IPC_REDIRECT(%r11)
	jne .Lunknown			/* its handler is at work, and called by itself */
	movq %rax, IPC_REDIRECT+24(%r11)
	movq FRAME_rip(%rsp), %rcx
	movq %rcx, IPC_REDIRECT(%r11)
	movq %gs:CPU_SCRATCH, %rcx
	movq %rcx, IPC_REDIRECT+8(%r11)
	movq FRAME_rflags(%rsp), %rcx
	movq %rcx, IPC_REDIRECT+16(%r11)
	movq THREAD_REDIRECT(%rsp), %rcx
	movq THREAD_REDIRECT+8(%rsp), %rsp
	movl $FLAGS_INITIAL, %r11d
	LEAVE

/* And nobody serves it. */
.Lunknown:
	SAVE %rsp, rax, rbx, ARGUMENTS
	PUT_ASIDE %rsp, rdx
	movq %rsp, %rdi
	movq %gs:CPU_STACK, %rsp
	LOCK_TAKE .Lcontended_call
.Lunknown_locked:
	pushq %rdi
	call sys_denied
	jmp .Lcalled

/* To where rax says, by a return that is predicted to lead into the loop (Intel: Retpoline, 2018, figure 1). */
.Lretpoline:
	call 1f
2:	pause
	lfence
	jmp 2b
1:	movq %rax, (%rsp)
	ret

.Lnot_ok:
	js .Lswitched		/* SYSCALL_NO_RESULT: it blocked, switched, or wrote its results itself */
	movq %rax, %rsi
	pushq %rdi
	call syscall_failed
	popq %rdi
	LOAD %rdi, rbx
	jmp .Lfinished

/* Begin the current system call anew; it has changed nothing. If its thread has to wait, it does so in its unit. */
.Lcontended_call:
	movb $1, %gs:CPU_CALL_PENDING
	call cpu_lock_contended
	.globl arch_syscall_restart
arch_syscall_restart:
	movb $0, %gs:CPU_CALL_PENDING
	movq %gs:CPU_STACK, %rsp
	movq %gs:CPU_CURRENT, %rdi
	testq %rdi, %rdi
	jz .Lreschedule		/* gone while this CPU was parked */
	cmpb $0, %gs:CPU_NEED_RESCHED
	jne 1f
	LOAD %rdi, KEPT
	movq FRAME_rax(%rdi), %rcx
	subq $SYSCALL_FIRST, %rcx
	cmpq $SYSCALLS - 1, %rcx
	ja .Lunknown_locked
	movq THREAD_UNIT(%rdi), %rax
	movq UNIT_TABLE(%rax), %rax
	shlq $4, %rcx
	leaq TABLE_ROWS(%rax,%rcx), %rsi
	jmp .Ldispatch
1:	subq $SYSCALL_SIZE, FRAME_rip(%rdi)	/* rax is still the number */
	jmp .Lreschedule

.Lpreempted:
	movq %rax, FRAME_rax(%rdi)
.Lswitched:
	movl %gs:CPU_NEED_RESCHED, %eax
	testl %eax, %eax
	je arch_resume
	cmpl $1, %eax
	jne .Lreschedule
	call sched_schedule	/* the first thing that kernel_leave() would do, and mostly the only one */
	cmpl $0, %gs:CPU_NEED_RESCHED
	je arch_resume
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
	LOCK_GIVE
	LOAD_RETURN %rbx
	LOAD %rbx, ARGUMENTS, rsp, rbx
	LEAVE

.Lfull:
	movq $0, FRAME_full(%rbx)
	movq %gs:CPU_ENTRY_STACK, %rsp
	pushq $SELECTOR_USER_DATA
	pushq FRAME_rsp(%rbx)
	pushq FRAME_rflags(%rbx)
	pushq $SELECTOR_USER_CODE
	pushq FRAME_rip(%rbx)
	LOAD %rbx, ARGUMENTS, rcx, r11, rbx
	LOCK_GIVE
	UNIT_ROOT
	swapgs
	iretq

/* An interrupt leaves this loop by way of .Lkernel; sti takes effect after hlt has begun (SDM vol. 2 STI). */
.Lidle:
	movq %gs:CPU_STACK, %rsp
	xorl %ebp, %ebp
	LOCK_GIVE
	sti
	cmpb $0, %gs:CPU_SLICING
	jne arch_between_slices
	hlt

/* Interrupts had their chance: with the next slice of what the scheduler found to do. */
	.globl arch_between_slices
arch_between_slices:
	cli
	movb $0, %gs:CPU_SLICING
	movb $1, %gs:CPU_NEED_RESCHED
	LOCK_TAKE .Lcontended_slice
	jmp .Lreschedule

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
	KERNEL_ROOT rax
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
.Lcontended_slice:
	call cpu_lock_contended
	jmp .Lreschedule

/* GS may still be the user's if this hit next to a swapgs: arch_exception_kernel() finds out. */
.Lbroken:
	KERNEL_ROOT rdi
	movq (%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq %cr2, %rcx
	movq 40(%rsp), %r8
	andq $~15, %rsp
	call arch_exception_kernel
