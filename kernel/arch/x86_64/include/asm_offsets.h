/* SPDX-License-Identifier: BSD-2-Clause */
/* asm_offsets.h - offsets that entry.S needs; core/main.c asserts each of them. */
#pragma once
#define CPU_SELF 0x00
#define CPU_CURRENT 0x08
#define CPU_STACK 0x10
#define CPU_SCRATCH 0x18
#define CPU_SCHED 0x20
#define CPU_NEED_RESCHED 0x34

/* From the start of struct thread. */
#define THREAD_FRAME 0x28
#define FRAME_RAX (THREAD_FRAME + 0x00)
#define FRAME_RBX (THREAD_FRAME + 0x08)
#define FRAME_RCX (THREAD_FRAME + 0x10)
#define FRAME_RDX (THREAD_FRAME + 0x18)
#define FRAME_RSI (THREAD_FRAME + 0x20)
#define FRAME_RDI (THREAD_FRAME + 0x28)
#define FRAME_RBP (THREAD_FRAME + 0x30)
#define FRAME_R8 (THREAD_FRAME + 0x38)
#define FRAME_R9 (THREAD_FRAME + 0x40)
#define FRAME_R10 (THREAD_FRAME + 0x48)
#define FRAME_R11 (THREAD_FRAME + 0x50)
#define FRAME_R12 (THREAD_FRAME + 0x58)
#define FRAME_R13 (THREAD_FRAME + 0x60)
#define FRAME_R14 (THREAD_FRAME + 0x68)
#define FRAME_R15 (THREAD_FRAME + 0x70)
#define FRAME_RIP (THREAD_FRAME + 0x78)
#define FRAME_RFLAGS (THREAD_FRAME + 0x80)
#define FRAME_RSP (THREAD_FRAME + 0x88)
#define FRAME_FULL (THREAD_FRAME + 0x90)
#define FRAME_VECTOR (THREAD_FRAME + 0x98)
#define FRAME_ERROR (THREAD_FRAME + 0xa0)
#define FRAME_ADDRESS (THREAD_FRAME + 0xa8)

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b /* sysret wants user data at STAR[63:48]+8, user code at +16 */
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28
