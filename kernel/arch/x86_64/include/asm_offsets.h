/* SPDX-License-Identifier: BSD-2-Clause */
/* asm_offsets.h - offsets that entry.S needs; core/main.c asserts each of them. */
#pragma once
#define CPU_SELF 0x00
#define CPU_CURRENT 0x08
#define CPU_STACK 0x10
#define CPU_SCRATCH 0x18
#define CPU_SCHED 0x20
#define CPU_USER_GS 0x28
#define CPU_NEED_RESCHED 0x3c

#define FRAME_RAX 0x00
#define FRAME_RBX 0x08
#define FRAME_RCX 0x10
#define FRAME_RDX 0x18
#define FRAME_RSI 0x20
#define FRAME_RDI 0x28
#define FRAME_RBP 0x30
#define FRAME_R8 0x38
#define FRAME_R9 0x40
#define FRAME_R10 0x48
#define FRAME_R11 0x50
#define FRAME_R12 0x58
#define FRAME_R13 0x60
#define FRAME_R14 0x68
#define FRAME_R15 0x70
#define FRAME_RIP 0x78
#define FRAME_RFLAGS 0x80
#define FRAME_RSP 0x88
#define FRAME_FULL 0x90
#define FRAME_VECTOR 0x98
#define FRAME_ERROR 0xa0
#define FRAME_ADDRESS 0xa8

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b /* sysret wants user data at STAR[63:48]+8, user code at +16 */
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
