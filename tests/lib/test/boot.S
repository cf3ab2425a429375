/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.S - a boot sector to try vm.py with: greets on COM1, then answers each key: 'p' prints what a panic prints,
 * 'x' ends QEMU through isa-debug-exit with code 3, anything else is echoed.
 */
	.code16
	.globl _start
_start:
	xor %ax, %ax
	mov %ax, %ds
	mov $greeting, %si
	call print
next:
	mov $0x3fd, %dx
	inb %dx, %al
	test $1, %al
	jz next
	mov $0x3f8, %dx
	inb %dx, %al
	cmp $'p', %al
	je panic
	cmp $'x', %al
	je exit
	outb %al, %dx
	jmp next
panic:
	mov $panicked, %si
	call print
	jmp next
exit:
	mov $3, %al
	mov $0xf4, %dx
	outb %al, %dx
	jmp next
print:
	mov $0x3f8, %dx
1:	lodsb
	test %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	ret
greeting:
	.asciz "hello from the boot sector\r\ntessera> "
panicked:
	.asciz "\r\nPANIC: as asked\r\n  kernel+0x10\r\n"
	.org 510
	.word 0xaa55
