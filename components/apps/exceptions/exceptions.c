/* SPDX-License-Identifier: BSD-2-Clause */
/* exceptions.c - faults that are mended while the program does not notice, and one that is not. */
#include <interfaces/log.h>
#include <tessera/fault.h>
#include <tessera/tessera.h>
#include "slots.h"

#define PAGE_AT 0x500000000ull
#define STACK_SIZE 4096
#define RCX 2 /* in record->regs */

TSS_OUTPUT_TO_LOG(SLOT_LOG)

static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static unsigned handled, breakpoints;

static uint64_t read_at(uint64_t address)
{
	uint64_t value;
	asm volatile("movq (%1), %0" : "=r"(value) : "r"(address) : "memory");
	return value;
}

/* A page of its own where it was read, once; the instruction is made again. */
static enum tss_fault_action map_page(uint64_t address)
{
	uint64_t memory;
	if (address < PAGE_AT || address >= PAGE_AT + TSS_PAGE_SIZE)
		return PARAMETERS->last == PARAMETER_LAST_IN_HANDLER ? (enum tss_fault_action)read_at(address + 8)
								     : TSS_FAULT_GIVE_UP;
	if (tss_memory_create(TSS_SLOT_UNIT, 1, &memory) != TSS_OK ||
	    tss_unit_map(TSS_SLOT_UNIT, (cap_t)memory, PAGE_AT, TSS_RIGHT_READ | TSS_RIGHT_WRITE) != TSS_OK)
		return TSS_FAULT_GIVE_UP;
	*(volatile uint64_t *)(PAGE_AT + 8) = 0x5eed;
	return TSS_FAULT_RESUME;
}

static enum tss_fault_action on_fault(struct tss_fault_record *record)
{
	handled++;
	switch (record->kind) {
	case TSS_FAULT_ARITHMETIC:
		record->regs[RCX] = 2;
		return TSS_FAULT_RESUME;
	case TSS_FAULT_DEBUG:
		breakpoints++;
		return TSS_FAULT_RESUME; /* its ip is behind the instruction already */
	case TSS_FAULT_READ:
		return map_page(record->address);
	default:
		return TSS_FAULT_GIVE_UP;
	}
}

int main(void)
{
	const uint64_t kinds =
		TSS_FAULT_BIT(TSS_FAULT_ARITHMETIC) | TSS_FAULT_BIT(TSS_FAULT_DEBUG) | TSS_FAULT_BIT(TSS_FAULT_READ);
	uint64_t quotient = 42, rest = 0;
	printf("begins\n");
	if (tss_on_fault(kinds, on_fault, &stack[STACK_SIZE]) != TSS_OK)
		return 1;
	asm volatile("divq %%rcx" : "+a"(quotient), "+d"(rest) : "c"(0ull) : "cc");
	printf("42 by what the handler says is %lu\n", quotient);
	printf("read %#lx from a page that was not there\n", read_at(PAGE_AT + 8));
	asm volatile("int3");
	printf("%u handled, %u breakpoint\n", handled, breakpoints);
	if (PARAMETERS->last == PARAMETER_LAST_UNSUBSCRIBED)
		asm volatile("ud2");
	(void)read_at(16);
	printf("not reached\n");
	return 0;
}
