/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * speculation.c - what one unit has taught the branch predictors, or left in the CPU's buffers, is nobody else's: a
 * barrier for indirect branches (Intel SDM vol. 4, IA32_PRED_CMD) and a flush of the buffers (VERW where MD_CLEAR is
 * enumerated, SDM 2A CPUID leaf 7). On CPUs that have neither it does nothing. tests/unit/kernel/test_speculation.c
 * shows what it executes: no emulated CPU has these.
 */
#include "x86.h"

#define MSR_PRED_CMD 0x49u
#define PRED_CMD_IBPB 1u

void arch_flush_speculation(void)
{
	const uint16_t selector = SELECTOR_KERNEL_DATA;
	if (feature_active(FEATURE_BRANCH_BARRIER))
		write_msr(MSR_PRED_CMD, PRED_CMD_IBPB);
	/* Safety: only reads a selector; what it flushes besides is no architectural state. */
	if (feature_active(FEATURE_BUFFER_FLUSH))
		__asm__ volatile("verw %0" : : "m"(selector) : "cc");
}
