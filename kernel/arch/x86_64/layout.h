/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.h - where the kernel image is, for boot.S and C alike; kernel.ld says the same. */
#pragma once

#define LINK_BASE 0xffffffff80000000 /* where it runs is place.c's choice */
#define LINK_OFFSET 0x100000 /* of the image's first byte from LINK_BASE; also its physical address */

#define KERNEL_STACK_SIZE 16384
#define IST_STACK_SIZE 4096
/* Of one CPU: a guard page and the kernel's stack, then three times a guard page and one of gdt.c's. */
#define CPU_STACKS_SIZE (4096 + KERNEL_STACK_SIZE + 3 * (4096 + IST_STACK_SIZE))
