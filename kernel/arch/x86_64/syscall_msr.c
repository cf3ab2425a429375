/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall_msr.c - tells the CPU where system calls enter. SDM vol. 3, 5.8.8. */
#include "x86.h"

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_FMASK 0xc0000084u
#define EFER_SCE 1u
/* TF IF DF IOPL NT AC: what a unit may have set and the kernel must not inherit. */
#define FLAGS_CLEARED 0x00047700u

extern const char arch_syscall_entry[];

void arch_init_syscalls(void)
{
	/* Safety: these registers only matter once a unit runs. sysretq takes SS from STAR[63:48] + 8 and CS from + 16. */
	write_msr(MSR_STAR, (uint64_t)(SELECTOR_USER_DATA - 8) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	write_msr(MSR_LSTAR, (uint64_t)arch_syscall_entry);
	write_msr(MSR_FMASK, FLAGS_CLEARED);
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
}
