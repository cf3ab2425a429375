/* SPDX-License-Identifier: BSD-2-Clause */
/* font.S - the glyphs that generator/font.py makes of a Debian package's font at build time. */
	.section .rodata.font, "a"
	.globl font
	.type font, @object
font:
	.incbin "font.bin"
	.size font, . - font
	.section .note.GNU-stack, "", @progbits
