/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.S - from the Multiboot2 loader (32-bit protected mode, paging off) to C in the higher half.
 *
 * No absolute address is used: %edi holds the physical address of the image's first byte, and everything else is
 * reached by its distance from there. The first page tables map the low 4 GiB twice (identity, direct map) and, where
 * place.c wants it, the image; all writable and executable. mmu.c replaces them. The loader has zeroed .bss.
 */
#include "layout.h"

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_LOADED 0x36d76289
#define HERE(symbol) (symbol - boot_start)

#define PTE_TABLE 0x003	/* present, writable */
#define PTE_LARGE 0x083	/* present, writable, 2 MiB */

	.section .boot, "ax"
	.code32
boot_start:
	.balign 8
multiboot_header:	/* Multiboot2 3.1: header magic, architecture (0: i386), length, checksum */
	.long MULTIBOOT2_MAGIC, 0, multiboot_end - multiboot_header
	.long -(MULTIBOOT2_MAGIC + multiboot_end - multiboot_header)
	.word 1, 0	/* 3.1.5 information request: modules, memory map */
	.long 16, 3, 6
	.word 5, 1	/* 3.1.9 framebuffer, of any size: optional, text mode does as well */
	.long 20, 0, 0, 0, 0
	.word 6, 0	/* 3.1.10 modules page-aligned */
	.long 8
	.word 0, 0	/* end */
	.long 8
multiboot_end:

	.globl boot_entry
boot_entry:	/* Multiboot2 3.3: eax magic, ebx information; esp is undefined */
	movl %eax, %ecx
	rdtsc
	movl %eax, %esi
	movl %edx, %ebp
	cli
	cld
	cmpl $MULTIBOOT2_LOADED, %ecx
	jne boot_halt

	/* Safety: the word at 4(%ebx) is reserved (Multiboot2 3.6.1), so it can hold one return address. */
	leal 8(%ebx), %esp
	call 2f
2:	popl %edi
	subl $HERE(2b), %edi
	leal HERE(boot_stack_top)(%edi), %esp
	pushl %ebp	/* the time stamp, for C */
	pushl %esi
	pushl %ebx

/* Long mode and no-execute pages; Intel SDM 2A CPUID 80000001H. SYSCALL is shown in 64-bit mode only: features.c. */
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb boot_fail
	movl $0x80000001, %eax
	cpuid
	andl $(1 << 29 | 1 << 20), %edx
	cmpl $(1 << 29 | 1 << 20), %edx
	jne boot_fail

/* Tables lie one after the other: PML4, PDPT of low memory, PDPT of the image, its PD, four PDs of low memory. */
	leal HERE(boot_tables)(%edi), %esi
	leal 0x1000 + PTE_TABLE(%esi), %eax
	movl %eax, (%esi)		/* identity */
	movl %eax, 256 * 8(%esi)	/* direct map */
	addl $0x1000, %eax
	movl %eax, 511 * 8(%esi)	/* what is below it is arch_place()'s */
	addl $0x2000, %eax
	leal 0x1000(%esi), %edx
	movl $4, %ecx
	movl $0x1000, %ebx
	call fill_table
	leal 0x4000(%esi), %edx
	movl $PTE_LARGE, %eax
	movl $2048, %ecx
	movl $0x200000, %ebx
	call fill_table
	popl %ebx

/* Intel SDM 3A 9.8.5: PAE, CR3, EFER.LME, then CR0.PG. */
	movl %cr4, %eax
	orl $(1 << 5), %eax
	movl %eax, %cr4
	movl %esi, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $(1 << 8 | 1 << 11), %eax	/* LME, NXE */
	wrmsr
	movl $0x80010033, %eax	/* PG WP NE ET MP PE */
	movl %eax, %cr0

	leal HERE(boot_gdt)(%edi), %eax
	pushl %eax
	pushw $(boot_gdt_end - boot_gdt - 1)
	lgdt (%esp)
	addl $6, %esp
	pushl $0x08
	leal HERE(boot64)(%edi), %eax
	pushl %eax
	lret

/* %ecx entries from (%edx) on: %eax, and %ebx more each. */
fill_table:
	movl %eax, (%edx)
	addl $8, %edx
	addl %ebx, %eax
	loop fill_table
	ret

boot_fail:
	leal HERE(boot_fail_text)(%edi), %esi
1:	movb (%esi), %bl
	testb %bl, %bl
	jz 3f
	movl $100000, %ecx
2:	movw $0x3fd, %dx	/* line status; bit 5: can take a byte */
	inb %dx, %al
	testb $0x20, %al
	loopz 2b
	movw $0x3f8, %dx
	movb %bl, %al
	outb %al, %dx
	incl %esi
	jmp 1b
3:	movw $0xf4, %dx
	movl $1, %eax
	outl %eax, %dx
boot_halt:
	hlt
	jmp boot_halt
boot_fail_text:
	.asciz "PANIC: this CPU lacks long mode or no-execute pages; Tessera needs an x86-64 CPU with both\r\n"

	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
boot_gdt_end:

	.code64
boot64:
	xorl %eax, %eax		/* gdt_init loads the other segment registers; until then the loader's flat ones do */
	movl %eax, %fs
	movl %eax, %gs
	movl %esp, %esp		/* the upper halves are undefined after the switch */
	call arch_place
	movabsq $(LINK_BASE + LINK_OFFSET + boot_high - boot_start), %rcx
	addq %rcx, %rax
	jmp *%rax
boot_high:
	movl %ebx, %edi		/* arch_start(information, entry_tsc) */
	popq %rsi
	leaq boot_stack_top(%rip), %rsp
	xorl %ebp, %ebp		/* end of the chain of frames */
	call arch_start
	ud2

	.section .stacks, "aw", @nobits
	.globl cpu_stacks
	.balign 4096
cpu_stacks:
	.skip CONFIG_MAX_CPUS * CPU_STACKS_SIZE
boot_stack_top = cpu_stacks + 4096 + KERNEL_STACK_SIZE

	.section .boot.tables, "aw", @nobits
	.globl boot_tables
	.balign 4096
boot_tables:
	.skip 8 * 4096

	.section .note.GNU-stack, "", @progbits
