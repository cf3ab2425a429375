/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast.S - the call and the reply that are handed over at once: what sys_connection_call() and sys_port_reply_receive()
 * (obj/ipc.c) do for a message in registers, in less than two thirds of their instructions, since the message never
 * leaves the registers; more than those hold is copied by words. obj/ipc.c says why each step is right; tests run both and want the same.
 *
 * First everything is checked; registers of the thread are only saved meanwhile. Whatever is not just so (capabilities, a
 * queue, vector registers) goes to arch_syscall_general with all registers as they were. Then it acts, and
 * cannot fail. No interrupt comes in between, so need_resched stays false.
 */
#include "entry_macros.h"

	.section .entry.text, "ax"
	.code64

/* The slot that a handle leads to, in rax. r11: the unit. Changes rcx. See cspace_at(). */
	.macro SLOT handle
	leal (,%\handle,4), %eax
	movzbl %ah, %ecx
	movzbl %al, %eax
	shll $4, %eax
	addq UNIT_CAPS(%r11,%rcx,8), %rax
	.endm

/* Is its capability the one under that handle, and what is needed? See cspace_lookup_needed(). */
	.macro CHECK_CAP handle32, needs, otherwise
	cmpl %\handle32, CAP_HANDLE(%rax)
	jne \otherwise
	testl $\needs, CAP_REFUSED(%rax)
	jne \otherwise
	.endm

/* No capabilities, at most 32 bytes, and a type below 2^31. */
	.macro CHECK_TAG otherwise
	movq .Ltag_add(%rip), %r14
	addq %rsi, %r14
	orq %rsi, %r14
	testq %r14, .Ltag_mask(%rip)
	jne \otherwise
	.endm

/* No capabilities and at most 256 bytes, whose number is in r14; otherwise there is tag >> 32. */
	.macro CHECK_PAYLOAD otherwise
	movq %rsi, %r14
	shrq $32, %r14
	cmpq $MESSAGE_MAX, %r14
	ja \otherwise
	testl %esi, %esi
	js \otherwise
	.endm

/* What of them is not in registers, from the thread in rsp to that in r13. Changes rcx, rdi, and `spare`. */
	.macro COPY_PAYLOAD spare
	movq %rsi, %\spare
	movq THREAD_IPC(%rsp), %rsi
	addq $IPC_SEND, %rsi
	movq THREAD_IPC(%r13), %rdi
	addq $IPC_RECEIVE, %rdi
	leal -MESSAGE_REGISTERS(%r14), %ecx
	shrl $3, %ecx
	rep movsq
	movl %r14d, %ecx
	andl $7, %ecx
	rep movsb
	movq %\spare, %rsi
	.endm

/*
 * Of a message of r14 bytes, at most 256, nothing is left behind its end: in the registers, and in the page of the thread
 * in r13. See mode_clean(). Changes rax, rcx, rdi, r14.
 */
	.macro CLEAN
	movl $MESSAGE_REGISTERS, %ecx
	cmpl %ecx, %r14d
	jae 1f
	leaq .Lkept_bytes+MESSAGE_REGISTERS(%rip), %rax
	subq %r14, %rax
	andq (%rax), %r10
	andq 8(%rax), %r8
	andq 16(%rax), %r9
	andq 24(%rax), %rbx
	movl %ecx, %r14d
1:	movq THREAD_IPC(%r13), %rdi
	leaq IPC_RECEIVE - MESSAGE_REGISTERS(%rdi,%r14), %rdi
	xorl %eax, %eax
	negl %r14d
	movl %r14d, %ecx
	andl $7, %ecx
	rep stosb
	leal MESSAGE_MAX(%r14), %ecx
	shrl $3, %ecx
	rep stosq
	.endm

/* Do the threads in rsp and r13 run on one CPU, and without vector registers? Changes rax, or what is named. */
	.macro CHECK_LANE otherwise, through=rax
	movq THREAD_LANE(%rsp), %\through
	cmpq %\through, THREAD_LANE(%r13)
	jne \otherwise
	.endm

/* Somebody may wait for this CPU's lock. It is enough to look at each reply: no call goes on for long without one. */
	.macro CHECK_WANTED
#if CONFIG_MAX_CPUS > 1
	cmpl $0, %gs:CPU_NEED_RESCHED
	jne .Lreply_general
#endif
	.endm

/* Is the thread's timeout in the wheel as of an earlier wait of the same length? Then that it begins anew is enough. */
	.macro CHECK_TIMEOUT otherwise
	leaq 1(%rdx), %rcx
	cmpq %rcx, THREAD_AGAIN(%rsp)
	jne \otherwise
	.endm

/* Changes rax, rdx. See timer.h. */
	.macro RESTART_TIMEOUT
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movq %rax, THREAD_RESTARTED(%rsp)
	movb $1, THREAD_ARMED(%rsp)
	.endm

/* The thread in rsp stops here; that in r13 runs now, its results in their registers: thread_switch_to(), and back. */
	.macro HAND_OVER
	movq %gs:CPU_SCRATCH, %rax
	movq %rax, FRAME_rsp(%rsp)
	movq %r13, %gs:CPU_CURRENT
	incq THREAD_SWITCHES(%r13)
	movq THREAD_ROOT(%r13), %rax
	cmpq %rax, %gs:CPU_SPACE_ROOT
	je 1f
	movq %rax, %gs:CPU_SPACE_ROOT
#if !CONFIG_PTI
	movq %rax, %cr3
#endif
1:	LOAD_RETURN %r13
	LOAD %r13, rbp, r12, r14, r15, rsp
	movq THREAD_IPC_USER(%r13), %rax
	LOAD %r13, r13
	LOCK_GIVE
	UNIT_ROOT
	swapgs
	wrgsbase %rax
	xorl %eax, %eax
	wrfsbase %rax
	sysretq
	.endm

/* Who waits for a call at the port in rbp: he in r13, the free reply in r12, and what the call does to him in r11w. */
	.macro CHECK_RECEIVER nobody
	movq PORT_FAST(%rbp), %r12
	testq %r12, %r12
	je \nobody
	movq REPLY_SERVER(%r12), %r13
	CHECK_LANE .Lcall_general
	movzwl THREAD_PROGRESS(%rsp), %r11d
	subw $ONE_CALL_LEFT, %r11w
	jc .Lcall_general			/* none was left */
	.endm

	.macro CALL_COMMIT sched
	movq $0, PORT_FAST(%rbp)
	incq CONNECTION_CALLS(%r15)
	movq %rsp, REPLY_CALLER(%r12)
	movq %gs:CPU_SCHED, %rax
	movq %rax, \sched(%r12)
	movq %r12, THREAD_REPLY(%rsp)
	movb $STATE_CALLING, THREAD_PROGRESS(%rsp)
	movw %r11w, THREAD_PROGRESS(%r13)
	movb $0, THREAD_ARMED(%r13)
	SAVE %rsp, rdi
	incq %gs:CPU_FAST_CALLS
	movq CONNECTION_BADGE(%r15), %rdi
	movq REPLY_CAP(%r12), %rax
	movl CAP_HANDLE(%rax), %edx
	HAND_OVER
	.endm

	.globl arch_syscall_call
	.balign 64
arch_syscall_call:
	SAVE %rsp, KEPT
	LOCK_TAKE .Lcall_contended
	movq THREAD_LAST_CONNECTION(%rsp), %rax	/* a slot of this unit, as good as any other until it is compared */
	CHECK_CAP edi, NEEDS_CALL, .Lfind_connection
.Lconnection_found:
	movq CAP_OBJECT(%rax), %r15		/* the connection */
	movq CONNECTION_FAST_PORT(%r15), %rbp	/* its port; another one if it is stale, or its mode not FAST */
	CHECK_RECEIVER .Lcall_guarded
	CHECK_TAG .Lcall_payload
.Lcall_message:
	cmpq $-1, %rdx
	jne .Lcall_timed
.Lcall_commit:
	CALL_COMMIT REPLY_SCHED

.Lcall_timed:
	CHECK_TIMEOUT .Lcall_general
	RESTART_TIMEOUT
	jmp .Lcall_commit

.Lcall_payload:
	CHECK_PAYLOAD .Lcall_capability
	cmpq $-1, %rdx
	je .Lcall_copy
	CHECK_TIMEOUT .Lcall_general
.Lcall_copy:
	SAVE %rsp, rdi
	COPY_PAYLOAD rax
	LOAD %rsp, rdi
	jmp .Lcall_message

/* Just one capability, of those that need no further look: in C. */
.Lcall_capability:
	subq $ONE_CAPABILITY, %r14
	cmpq $MESSAGE_MAX, %r14
	ja .Lcall_general
	testl %esi, %esi
	js .Lcall_general
	cmpq $-1, %rdx
	je 1f
	CHECK_TIMEOUT .Lcall_general
1:	SAVE %rsp, ARGUMENTS
	movq %rsp, %rdi
	movq %r13, %rsi
	movq %gs:CPU_STACK, %rsp
	call message_hand_over_cap
	movq %gs:CPU_CURRENT, %rsp
	testb %al, %al
	LOAD %rsp, ARGUMENTS
	je .Lcall_general
	movzwl THREAD_PROGRESS(%rsp), %r11d
	subl $ONE_CALL_LEFT, %r11d
	cmpl $MESSAGE_REGISTERS, %r14d
	jbe .Lcall_message
	jmp .Lcall_copy

/* A HARDENED connection, method below 64, no capability: the same with the checks and the cleaning of obj/mode.c. */
.Lcall_guarded:
	cmpb $HARDENED, CONNECTION_GUARD(%r15)
	jne .Lcall_general
	movq CONNECTION_PORT(%r15), %rbp
	CHECK_RECEIVER .Lcall_general
	testl $~63, %esi
	jne .Lcall_general
	movq CONNECTION_METHODS(%r15), %rax
	btq %rsi, %rax
	jnc .Lcall_general
	CHECK_PAYLOAD .Lcall_general
	cmpq $-1, %rdx
	jne .Lcall_guarded_timed
.Lcall_guarded_commit:
	SAVE %rsp, rdi
	cmpl $MESSAGE_REGISTERS, %r14d
	jbe 1f
	COPY_PAYLOAD rax
1:	CLEAN
	LOAD %rsp, rdi
	movq CONNECTION_GUARD(%r15), %rax
	movq %rax, THREAD_GUARD(%rsp)
	movq $0, REPLY_SCHED(%r12)
	CALL_COMMIT REPLY_FAULT_SCHED

.Lcall_guarded_timed:
	CHECK_TIMEOUT .Lcall_general
	RESTART_TIMEOUT
	jmp .Lcall_guarded_commit

.Lfind_connection:
	SLOT rdi
	movq %rax, THREAD_LAST_CONNECTION(%rsp)
	CHECK_CAP edi, NEEDS_CALL, .Lcall_general
	jmp .Lconnection_found

.Lcall_general:
	LOCK_GIVE
.Lcall_contended:
	movq THREAD_UNIT(%rsp), %r11
	LOAD %rsp, KEPT
	movl $SYSCALL_CALL - SYSCALL_FIRST, %ecx
	movq UNIT_TABLE(%r11), %rax
	jmp arch_syscall_general

	.globl arch_syscall_reply_receive
	.balign 64
arch_syscall_reply_receive:
	SAVE %rsp, KEPT
	LOCK_TAKE .Lreply_contended
	CHECK_WANTED
	movq THREAD_LAST_PORT(%rsp), %rax
	CHECK_CAP edi, NEEDS_RECEIVE, .Lfind_port
.Lport_found:
	movq CAP_OBJECT(%rax), %rbp		/* the port */
	movq %rdi, %r14
	shrq $32, %r14
	movq THREAD_LAST_REPLY(%rsp), %rax
	CHECK_CAP r14d, NEEDS_REPLY, .Lfind_reply
.Lreply_found:
	movq CAP_OBJECT(%rax), %r12		/* the reply; its capability stays in rax */
	movq %gs:CPU_SCHED, %rcx
	cmpq %rcx, REPLY_SCHED(%r12)
	jne .Lreply_guarded
.Lreply_direct:
	cmpq %rbp, REPLY_PORT(%r12)
	jne .Lreply_general
	cmpq %rsp, PORT_RECEIVER(%rbp)
	jne .Lreply_general
	cmpb $0, PORT_BUSY(%rbp)
	jne .Lreply_general
	movq REPLY_CALLER(%r12), %r13
	CHECK_LANE .Lreply_general, rcx
	CHECK_TAG .Lreply_payload
.Lreply_message:
	cmpq $-1, %rdx
	jne .Lreply_timed
.Lreply_commit:
	movb $0, THREAD_ARMED(%r13)
	movq $0, REPLY_CALLER(%r12)
	addl $GENERATION_ONE, CAP_HANDLE(%rax)
	movq %rsp, REPLY_SERVER(%r12)
	movq %r12, PORT_FAST(%rbp)
	movq %rbp, THREAD_PORT(%rsp)
	movb $STATE_RECEIVING, THREAD_PROGRESS(%rsp)
	movb $STATE_READY, THREAD_PROGRESS(%r13)
	xorl %edi, %edi
	xorl %edx, %edx
	HAND_OVER

/*
 * The answer to a HARDENED call: cleaned first, then like any other. If it goes the general way after all it is clean
 * already, and nothing that is checked from here on refuses it. The reply's capability lies in r15 meanwhile.
 */
.Lreply_guarded:
	cmpq %rcx, REPLY_FAULT_SCHED(%r12)
	jne .Lreply_general
	movq REPLY_CALLER(%r12), %r13
	testq %r13, %r13
	je .Lreply_general
	cmpb $HARDENED, THREAD_GUARD(%r13)
	jne .Lreply_general
	CHECK_PAYLOAD .Lreply_general
	movb $0, THREAD_GUARD(%r13)
	movq %rax, %r15
	SAVE %rsp, rdi
	CLEAN
	LOAD %rsp, rdi
	movq %r15, %rax
	jmp .Lreply_direct

.Lfind_port:
	SLOT rdi
	movq %rax, THREAD_LAST_PORT(%rsp)
	CHECK_CAP edi, NEEDS_RECEIVE, .Lreply_general
	jmp .Lport_found
.Lfind_reply:
	SLOT r14
	movq %rax, THREAD_LAST_REPLY(%rsp)
	CHECK_CAP r14d, NEEDS_REPLY, .Lreply_general
	jmp .Lreply_found

.Lreply_timed:
	CHECK_TIMEOUT .Lreply_general
	movq %rax, %rcx
	RESTART_TIMEOUT
	movq %rcx, %rax
	jmp .Lreply_commit

.Lreply_payload:
	CHECK_PAYLOAD .Lreply_general
	cmpq $-1, %rdx
	je 1f
	CHECK_TIMEOUT .Lreply_general
1:	COPY_PAYLOAD r15
	jmp .Lreply_message

.Lreply_general:
	LOCK_GIVE
.Lreply_contended:
	LOAD %rsp, KEPT
	movl $SYSCALL_REPLY_RECEIVE - SYSCALL_FIRST, %ecx
	movq UNIT_TABLE(%r11), %rax
	jmp arch_syscall_general

	.balign 8
.Ltag_add:
	.quad 31 << 32
.Lkept_bytes:				/* a window of 32 bytes into it: as many of ones as the message has */
	.fill 32, 1, 0xff
	.fill 32, 1, 0
.Ltag_mask:
	.quad 0xffffffc080000000
