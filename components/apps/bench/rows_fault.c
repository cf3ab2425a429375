/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows_fault.c - from a faulting instruction, a foreign or an interposed system call, to a handler and back behind it. The fault is a breakpoint, so that a
 * handler has nothing to do: what is measured is the kernel. (The instruction itself counts 0.)
 */
#include <tessera/redirect.h>
#include "bench.h"

#define STACK_SIZE 512

static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
extern const char resume_handler[] __attribute__((visibility("hidden")));

asm(".text\n"
    ".hidden resume_handler\n"
    "resume_handler:\n"
    "	xorl %edi, %edi\n" /* TSS_FAULT_RESUME */
    "	movl $0x102e, %eax\n"
    "	syscall\n"
    "	ud2\n");
_Static_assert(TSS_SYS_self_fault_return == 0x102e && TSS_FAULT_RESUME == 0, "as in resume_handler");

static uint64_t serve_nothing(uint64_t number, uint64_t arguments[6])
{
	(void)arguments;
	return number;
}

/* getpid() of Linux, served in this unit by a function in C. */
static void foreign_call(void)
{
	uint64_t number = 39;
	asm volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
}

/* A call that the monitor in the echo server's unit is asked about, and allows. Nothing takes that back, so it comes last. */
void rows_monitor(void)
{
	const uint64_t asked = 1ull << (TSS_SYS_self_version - TSS_SYSCALL_FIRST);
	if (tss_unit_interpose(TSS_SLOT_UNIT, SLOT_ECHO, asked, 0) == TSS_OK)
		MEASURE("interposed_rt_cross", (void)tss_self_version(NULL));
}

#define PAGED_AT 0x0000007000000000ull
#define PAGED_PAGES 256u

/* A page for the first time: the touch, the pager in another unit, and back. */
static void row_page(void)
{
	const volatile uint8_t *at = (const volatile uint8_t *)PAGED_AT;
	if (tss_unit_pager(TSS_SLOT_UNIT, SLOT_PAGES, PAGED_AT, PAGED_PAGES) != TSS_OK)
		return;
	MEASURE("page_rt_cross", (void)*at; at += TSS_PAGE_SIZE);
	while (TSS_CODE(tss_unit_pager(TSS_SLOT_UNIT, TSS_CAP_NULL, PAGED_AT, 0)) == TSS_E_AGAIN)
		;
}

/* In the echo server's unit, then on a stack of this thread's own. */
void rows_fault(void)
{
	if (tss_unit_fault_port(TSS_SLOT_UNIT, SLOT_ECHO) == TSS_OK)
		MEASURE("fault_rt_cross", asm volatile("int3"));
	row_page();
	if (tss_self_fault_handler((uint64_t)resume_handler, (uint64_t)&stack[STACK_SIZE]) == TSS_OK)
		MEASURE("fault_rt_same", asm volatile("int3"));
	(void)tss_self_fault_handler(0, 0);
	if (tss_redirect(serve_nothing, &stack[STACK_SIZE]) == TSS_OK)
		MEASURE("redirect_rt", foreign_call());
	(void)tss_redirect(NULL, NULL);
}
