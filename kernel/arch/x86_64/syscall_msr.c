/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall_msr.c - tells the CPU where system calls enter. SDM vol. 3, 5.8.8. */
#include <arch.h>
#include <asm_offsets.h>

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_FMASK 0xc0000084u
#define EFER_SCE 1u
/* TF IF DF IOPL NT AC: what a unit may have set and the kernel must not inherit. */
#define FLAGS_CLEARED 0x00047700u

extern const char arch_syscall_entry[];

static void msr_write(uint32_t msr, uint64_t value)
{
	/* Safety: the three registers below only matter once a unit runs. */
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

void arch_init_syscalls(void)
{
	/* sysretq takes SS from STAR[63:48] + 8 and CS from + 16. */
	msr_write(MSR_STAR, (uint64_t)(SELECTOR_USER_DATA - 8) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (uint64_t)arch_syscall_entry);
	msr_write(MSR_FMASK, FLAGS_CLEARED);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
}
