/* SPDX-License-Identifier: BSD-2-Clause */
/* trap.c - interrupts and exceptions, as entry.S hands them over. */
#include <thread.h>

#define VECTOR_NMI 2
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_PAGE_FAULT 14
#define VECTOR_INTERRUPTS 32
#define PAGE_FAULT_WRITE 0x2u
#define PAGE_FAULT_FETCH 0x10u

/* SDM vol. 3, table 6-1. */
static enum tss_fault fault_of_vector(uint64_t vector, uint64_t error)
{
	static const uint8_t kinds[VECTOR_INTERRUPTS] = {
		[0] = TSS_FAULT_ARITHMETIC, [1] = TSS_FAULT_DEBUG,       [3] = TSS_FAULT_DEBUG,
		[4] = TSS_FAULT_ARITHMETIC, [5] = TSS_FAULT_ARITHMETIC,  [6] = TSS_FAULT_INSTRUCTION,
		[7] = TSS_FAULT_VECTOR,     [10] = TSS_FAULT_PRIVILEGE,  [11] = TSS_FAULT_PRIVILEGE,
		[12] = TSS_FAULT_STACK,     [13] = TSS_FAULT_PRIVILEGE,  [16] = TSS_FAULT_ARITHMETIC,
		[17] = TSS_FAULT_STACK,     [19] = TSS_FAULT_ARITHMETIC,
	};
	if (vector == VECTOR_PAGE_FAULT)
		return error & PAGE_FAULT_FETCH   ? TSS_FAULT_EXECUTE
		       : error & PAGE_FAULT_WRITE ? TSS_FAULT_WRITE
						  : TSS_FAULT_READ;
	return kinds[vector] ? kinds[vector] : TSS_FAULT_MACHINE;
}

static void trap_exception(struct thread *thread)
{
	uint64_t vector = thread->frame.vector;
	if (vector == VECTOR_NMI || vector == VECTOR_MACHINE_CHECK)
		panic("%s in unit %.16s, ip %#lx", vector == VECTOR_NMI ? "non-maskable interrupt" : "machine check",
		      thread->unit->name, thread->frame.rip);
	uint64_t address = vector == VECTOR_PAGE_FAULT ? thread->frame.address : thread->frame.rip;
	thread_fault(thread, fault_of_vector(vector, thread->frame.error), address);
}

void trap_user(struct thread *thread)
{
	struct cpu *cpu = cpu_this();
	if (thread->frame.vector < VECTOR_INTERRUPTS) {
		trap_exception(thread);
	} else {
		cpu->interrupts++;
		arch_interrupt(&thread->frame, thread->frame.vector);
	}
	kernel_leave();
}

/* A vector below VECTOR_INTERRUPTS: what a thread did that has ended since. */
void trap_idle(uint64_t vector)
{
	cpu_this()->interrupts++;
	if (vector >= VECTOR_INTERRUPTS)
		arch_interrupt(NULL, vector);
	kernel_leave();
}
