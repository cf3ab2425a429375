/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.S - tss_redirect_entry, where the kernel sends foreign system calls (tessera/redirect.h): registers as the
 * program had them, rsp the handler's. It gives them all back without a system call. ip in the IPC page is cleared as
 * late as possible: until then a foreign call of the handler is a fault; after it nothing is read from there but sp.
 */
	.set REDIRECT_IP, 0x3c0		/* struct tss_redirect in the IPC page; src/redirect.c compares */
	.set REDIRECT_SP, 0x3c8
	.set REDIRECT_FLAGS, 0x3d0

	.section .text.tss_redirect_entry, "ax", @progbits
	.globl tss_redirect_entry
	.hidden tss_redirect_entry, tss_redirect_serve
	.type tss_redirect_entry, @function
tss_redirect_entry:
	pushq %r9
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	movq %rax, %rdi
	movq %rsp, %rsi
	call *tss_redirect_serve(%rip)
	popq %rdi
	popq %rsi
	popq %rdx
	popq %r10
	popq %r8
	popq %r9
	movq %gs:REDIRECT_IP, %rcx
	movq %gs:REDIRECT_FLAGS, %r11
	movq $0, %gs:REDIRECT_IP
	pushq %r11
	popfq
	movq %gs:REDIRECT_SP, %rsp
	jmp *%rcx
	.size tss_redirect_entry, . - tss_redirect_entry
	.section .note.GNU-stack, "", @progbits
