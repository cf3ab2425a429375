/* SPDX-License-Identifier: BSD-2-Clause */
/* asm_constants.h - numbers that both C and assembly use; what else assembly needs of C: offsets.c. */
#pragma once
#define SYSCALL_SIZE 2 /* bytes of the instruction: SDM vol. 2 SYSCALL */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b /* sysret wants user data at STAR[63:48]+8, user code at +16 */
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
