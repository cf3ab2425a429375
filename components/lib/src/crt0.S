/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crt0.S - where a unit's first thread starts: rdi = argument, rsp = top of the stack, 16-byte aligned.
 *
 * The image is linked at the address stored at __link_base; it lies at __image_start. Its only relocations are R_X86_64_RELATIVE
 * in the read-write segment (images/component.ld and the build see to that); they are applied here, before the first
 * line of C. Then the stack protector's word is drawn (guard.c), if configured, and tss_start called.
 */
	.section .text.start, "ax", @progbits
	.globl _start
	.hidden tss_start, tss_guard_stack
	.type _start, @function
_start:
	xorl %ebp, %ebp
	leaq __image_start(%rip), %rcx
	subq __link_base(%rip), %rcx		/* how far the image was moved */
	leaq __rela_start(%rip), %rsi
	leaq __rela_end(%rip), %rdx
1:	cmpq %rdx, %rsi
	jae 2f
	movq (%rsi), %rax		/* r_offset */
	movq 16(%rsi), %r8		/* r_addend */
	addq %rcx, %r8
	movq %r8, (%rcx, %rax)
	addq $24, %rsi
	jmp 1b
2:
#ifdef CONFIG_STACK_PROTECTOR
	movq %rdi, %rbx
	call tss_guard_stack
	movq %rbx, %rdi
#endif
	call tss_start
	ud2
	.size _start, . - _start
	.section .note.GNU-stack, "", @progbits
