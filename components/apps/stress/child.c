/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.c - units that live for a moment: one page of code, which calls through a connection of ours and yields for ever,
 * on some CPU, until it is killed or deleted in the middle of it.
 */
#include "stress.h"

#define CODE_AT 0x600000000000ull
#define CHILD_AT 0x400000ull
#define CHILD_IPC 0x500000ull
#define CHILD_PAGES 40u
#define CHILD_SLOTS 64u
#define CHILD_CONNECTION 16u
#define PATIENCE "100" /* microseconds */

extern const char child_code[], child_code_end[];
asm(".section .rodata\n"
    ".globl child_code, child_code_end\n"
    "child_code:\n"
    "	movl $0x1030, %eax\n" /* self_fs_base: the CPU has something of the thread's even when it idles */
    "	movl $0x400000, %edi\n"
    "	syscall\n"
    "1:	movl $0x1019, %eax\n" /* connection_call, four words in registers */
    "	movl $16, %edi\n"
    "	movabsq $0x2000000000, %rsi\n"
    "	movl $" PATIENCE ", %edx\n"
    "	incq %r10\n"
    "	syscall\n"
    "	movl $0x1002, %eax\n" /* self_yield */
    "	syscall\n"
    "	jmp 1b\n"
    "child_code_end:\n"
    ".text\n");
_Static_assert(TSS_SYS_connection_call == 0x1019 && TSS_SYS_self_yield == 0x1002 && TSS_SYS_self_fs_base == 0x1030,
	       "numbers in child_code");

static uint64_t code; /* MEMORY: the page */

void child_init(void)
{
	if (tss_memory_create(SELF, 1, &code) != TSS_OK || tss_unit_map(SELF, (cap_t)code, CODE_AT, RW) != TSS_OK)
		fail("child: no page", 0, 1);
	memcpy((void *)CODE_AT, child_code, (size_t)(child_code_end - child_code));
	if (tss_unit_unmap(SELF, (cap_t)code) != TSS_OK)
		fail("child: unmap", 0, 1);
}

/* What goes wrong for want of slots or memory, or because somebody has just ended the connection, is part of the game. */
static void child_run(struct worker *self, cap_t unit)
{
	uint64_t thread = TSS_CAP_NULL, sched = TSS_CAP_NULL;
	const struct service *service = &services[draw(self, PORTS)];
	cap_t own = derive((cap_t)code, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE | TSS_RIGHT_GRANT);
	(void)tss_unit_install(unit, CHILD_CONNECTION, service->connections[draw(self, PER_PORT)], TSS_RIGHT_CALL,
			       TSS_INSTALL_COPY);
	(void)tss_unit_install(unit, CHILD_CONNECTION + 1, own, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE, TSS_INSTALL_COPY);
	(void)tss_unit_map(unit, CHILD_CONNECTION + 1, CHILD_AT, TSS_RIGHT_READ | TSS_RIGHT_EXECUTE);
	(void)tss_thread_create(unit, CHILD_AT, CHILD_AT, CHILD_IPC, 0, &thread);
	(void)tss_sched_create(SYSTEM, unit, 40 + draw(self, 3), 1000, &sched);
	(void)tss_sched_place(SYSTEM, (cap_t)sched, draw(self, cpu_count));
	(void)tss_thread_start((cap_t)thread, (cap_t)sched);
	(void)tss_self_sleep(draw(self, 500) + 1);
	(void)tss_sched_place(SYSTEM, (cap_t)sched, draw(self, cpu_count));
	if (draw(self, 2))
		destroy(own); /* its code is unmapped under it: it faults, or was ended before */
	if (draw(self, 2))
		(void)tss_unit_kill(unit, draw(self, 2));
	if (draw(self, 2))
		destroy((cap_t)thread);
	destroy(unit);
	destroy(own);
	destroy((cap_t)thread);
	destroy((cap_t)sched);
}

void child_step(struct worker *self)
{
	uint64_t unit;
	if (tss_unit_create(SELF, CHILD_PAGES, CHILD_SLOTS, self->index, 0, &unit) == TSS_OK)
		child_run(self, (cap_t)unit);
}
