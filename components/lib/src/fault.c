/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c - where a thread's own faults arrive, and how they end. */
#include <stddef.h>
#include <tessera/fault.h>

static tss_fault_handler_t *fault_handler;
static uint64_t fault_kinds;
extern const char tss_fault_entry[] __attribute__((visibility("hidden")));

/* A record that the kernel refuses to go on with is given up; one that it refuses to pass on is the handler's own doing. */
_Noreturn void tss_fault_serve(struct tss_fault_record *record) __attribute__((used, visibility("hidden")));
_Noreturn void tss_fault_serve(struct tss_fault_record *record)
{
	const uint64_t kind = record->kind;
	enum tss_fault_action action = fault_kinds >> kind & 1 ? fault_handler(record) : TSS_FAULT_GIVE_UP;
	for (;;) {
		(void)tss_self_fault_return(action);
		record->kind = kind;
		action = TSS_FAULT_GIVE_UP;
	}
}

/* The kernel gives an aligned stack; a C function expects that its return address has been pushed. */
asm(".section .text.tss_fault_entry, \"ax\"\n"
    ".hidden tss_fault_entry\n.globl tss_fault_entry\n"
    "tss_fault_entry: call tss_fault_serve\n"
    "\tud2\n"
    ".text\n");

tss_status_t tss_on_fault(uint64_t kinds, tss_fault_handler_t *handler, void *stack_top)
{
	if (handler == NULL)
		return tss_self_fault_handler(0, 0);
	fault_handler = handler;
	fault_kinds = kinds;
	return tss_self_fault_handler((uint64_t)tss_fault_entry, (uint64_t)stack_top);
}
