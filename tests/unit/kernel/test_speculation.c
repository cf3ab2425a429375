/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The barrier and the flush between PARANOID units, instruction by instruction: the program steps itself through the
 * hook and looks at each. WRMSR faults here, where it is recorded and skipped; VERW does no harm.
 * sources: kernel/arch/x86_64/speculation.c
 * flags: -Ikernel/arch/x86_64/include -Ibuild/include -D_GNU_SOURCE -fno-sanitize=all
 */
#include "../../../kernel/arch/x86_64/x86.h"
#include "check.h"
#include <signal.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

static bool has[FEATURE_COUNT];
static unsigned barriers, flushes, others;

bool feature_active(enum feature feature)
{
	return has[feature];
}

static void look(const uint8_t *at, const greg_t *registers)
{
	bool wrmsr = at[0] == 0x0f && at[1] == 0x30;
	bool verw = at[0] == 0x0f && at[1] == 0x00 && (at[2] >> 3 & 7) == 5;
	bool right = (uint32_t)registers[REG_RCX] == 0x49 && (uint32_t)registers[REG_RAX] == 1 &&
		     (uint32_t)registers[REG_RDX] == 0;
	barriers += wrmsr && right;
	others += wrmsr && !right;
	flushes += verw;
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *at = (const uint8_t *)registers[REG_RIP];
	if (!(at[0] == 0x0f && at[1] == 0x30)) /* that one faults before it is stepped over: on_fault has it */
		look(at, registers);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	look((const uint8_t *)registers[REG_RIP], registers);
	registers[REG_RIP] += 2;
}

static void run(bool barrier, bool flush)
{
	has[FEATURE_BRANCH_BARRIER] = barrier;
	has[FEATURE_BUFFER_FLUSH] = flush;
	barriers = flushes = others = 0;
	__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(TRAP_FLAG) : "memory", "cc");
	arch_flush_speculation();
	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "i"(~TRAP_FLAG) : "memory", "cc");
	CHECK(others == 0);
	CHECK(barriers == barrier);
	CHECK(flushes == flush);
}

int main(void)
{
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	sigaction(SIGTRAP, &step, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	for (unsigned i = 0; i < 4; i++)
		run(i & 1, i & 2);
	return 0;
}
