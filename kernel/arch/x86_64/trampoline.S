/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trampoline.S - where an application processor begins: in real mode, at the page below 1 MiB that smp.c has copied this
 * to and filled in. From there to 64-bit mode in one step (Intel SDM 3A 9.8.5: nothing forbids PE and PG at once), on the
 * kernel's own tables, which map the page at its physical address for as long as CPUs are being started.
 */
#define HERE(symbol) (symbol - trampoline_start)

	.section .rodata.trampoline, "a"
	.globl trampoline_start, trampoline_data, trampoline_end
	.balign 16
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movl $(1 << 5), %eax	/* CR4: PAE */
	movl %eax, %cr4
	movl HERE(trampoline_cr3), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx	/* EFER: LME, NXE */
	rdmsr
	orl $(1 << 8 | 1 << 11), %eax
	wrmsr
	lgdtl HERE(trampoline_gdt)
	movl $0x80010033, %eax	/* PG WP NE ET MP PE */
	movl %eax, %cr0
	ljmpl *HERE(trampoline_far)

	.code64
trampoline_long:
	xorl %ebp, %ebp
	movl %ebp, %ds
	movl %ebp, %es
	movl %ebp, %fs
	movl %ebp, %ss
	movq trampoline_stack(%rip), %rsp
	movq trampoline_cpu(%rip), %rdi
	jmp *trampoline_entry(%rip)

/* struct trampoline in smp.c; what is relative to the page gets its address added there. */
	.balign 8
trampoline_data:
trampoline_entry:
	.quad 0
trampoline_stack:
	.quad 0
trampoline_cpu:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code, selector 8 */
trampoline_cr3:
	.long 0
trampoline_far:
	.long HERE(trampoline_long)
	.word 8
trampoline_gdt:
	.word 15
	.long HERE(trampoline_cpu) 	/* entry 0 is never read */
trampoline_end:

	.section .note.GNU-stack, "", @progbits
