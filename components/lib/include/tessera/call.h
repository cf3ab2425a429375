/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * call.h - the instruction of a system call, with a mark beside it: the call's number in a section that is not loaded,
 * and that the linker drops with the code around it. What is left in a linked component is what it can call, and all
 * that its unit may (generator/calls.py). Operand [call] is the number, a constant.
 */
#pragma once

#define TSS_SYSCALL_MARKED                                                                                             \
	".Ltss%=: syscall\n\t"                                                                                         \
	".pushsection .tessera.calls, \"o\", @progbits, .Ltss%=\n\t.short %c[call]\n\t.popsection"
