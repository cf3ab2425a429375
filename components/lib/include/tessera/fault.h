/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - a thread's own handler of its exceptions: fix and resume, replay, or give up (abi/message.h has the record).
 *
 * The handler runs in the thread that faulted, on a stack of its own, with the record of the fault in the thread's IPC
 * page. It may change the record and returns TSS_FAULT_RESUME: the thread goes on at record->ip with record->sp, flags
 * and regs, so an unchanged record makes the instruction again (after the page was mapped, say). Or TSS_FAULT_GIVE_UP:
 * the fault goes on to the unit's fault port or its supervisor, as it does for kinds that were not subscribed to and for
 * a fault inside the handler. Vector registers are not in the record: a handler must not use them.
 */
#pragma once
#include <abi/message.h>
#include <tessera/syscalls.h>

typedef enum tss_fault_action tss_fault_handler_t(struct tss_fault_record *record);

#define TSS_FAULT_BIT(kind) (1ull << (kind)) /* of `kinds`; kind: enum tss_fault */

/*
 * From now on the calling thread's faults of these kinds go to `handler`, on the stack that ends at stack_top (16-byte
 * aligned, else ARGUMENT on argument 2). One handler and one set of kinds a unit: another thread that passes others
 * replaces them for all; each thread that wants them says so, with a stack of its own. NULL: none for this thread. A unit
 * with `exceptions: false` in the manifest ends at this call: it is denied, which is a fault.
 */
tss_status_t tss_on_fault(uint64_t kinds, tss_fault_handler_t *handler, void *stack_top);
