/* SPDX-License-Identifier: BSD-2-Clause */
/* entry.S - Multiboot 1 header and entry, a stack for direct.c, and the jump to the kernel with what Multiboot 2 says. */
#define MULTIBOOT1_MAGIC 0x1badb002
#define MULTIBOOT2_LOADED 0x36d76289
#define WANTED 3	/* Multiboot 3.1.2: modules on pages, memory information */

	.section .header, "a"
	.balign 4
	.long MULTIBOOT1_MAGIC, WANTED, -(MULTIBOOT1_MAGIC + WANTED)

	.text
	.globl direct_start
direct_start:	/* Multiboot 3.2: eax magic, ebx information */
	cli
	cld
	movl $stack_top, %esp
	pushl %ebx
	pushl %eax
	call direct_main
	/* eax: the kernel's entry; its arguments are those of Multiboot 2. */
	movl %eax, %ecx
	movl $direct_information, %ebx
	movl $MULTIBOOT2_LOADED, %eax
	jmp *%ecx

	.bss
	.balign 16
	.space 8192
stack_top:
	.section .note.GNU-stack, "", @progbits
