/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.h - instructions that fault in a known state, and what is heard of it (faulting.c). */
#pragma once
#include "ktest.h"

#define HIDDEN __attribute__((visibility("hidden")))
#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

#define CHILD_STACK (TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE) /* lowest address; two pages */
#define FAULT_SP 0x7ffff7ffde00ull /* in them */
#define FAULT_FLAGS 0x240ed7 /* all that a unit can set but TF; interrupts on */
#define FLAG_RESUME (1ull << 16) /* a CPU sets it in some records, QEMU in none */
_Static_assert(FAULT_SP > TSS_LAYOUT_IPC_PAGE - 4 * TSS_PAGE_SIZE && FAULT_SP < TSS_LAYOUT_IPC_PAGE - 2 * TSS_PAGE_SIZE,
	       "in the child's stack");

/* fault_NAME(rdi = an address) fills every register and faults at at_NAME. */
#define FAULTING_RAX(name, rax, instruction)                                                                           \
	void fault_##name(uint64_t address) HIDDEN;                                                                    \
	extern const char at_##name[] HIDDEN;                                                                          \
	asm(".text\n.globl fault_" #name ", at_" #name "\n.hidden fault_" #name ", at_" #name "\n"                     \
	    "fault_" #name ": movq $" STRING(0x7ffff7ffde00) ", %rsp\n\tpushq $" STRING(                               \
		    FAULT_FLAGS) "\n\tpopfq\n\t"                                                                       \
				 "movq $" rax ", %rax\n\tmovq $0xb0, %rbx\n\tmovl $0, %ecx\n\tmovq $0xd0, "            \
				 "%rdx\n\tmovq %rdi, %rsi\n\t"                                                         \
				 "movq $0xf0, %rdi\n\tmovq $0x100, %rbp\n\tmovq $0x108, %r8\n\tmovq $0x109, %r9\n\t"   \
				 "movq $0x110, %r10\n\tmovq $0x111, %r11\n\tmovq $0x112, %r12\n\tmovq $0x113, "        \
				 "%r13\n\t"                                                                            \
				 "movq $0x114, %r14\n\tmovq $0x100, %r15\n"                                            \
				 "at_" #name ": " instruction "\n\tud2\n")
#define FAULTING(name, instruction) FAULTING_RAX(name, "0xa0", instruction)

/* All but rax, rcx and r11, which some instructions use. */
void check_registers(const struct tss_fault_record *record, uint64_t in_rsi);
void job_fault(struct worker *self); /* a: fault_NAME, b: its address */
/* The next message on port is the record of a fault, whole; with `called` it waits for an answer. */
struct tss_fault_record fault_record(cap_t port, uint64_t badge, bool called);
extern cap_t fault_answer; /* the reply handle that came with it */
void unit_ended(cap_t watch, unsigned kind); /* the next and last message says so */
