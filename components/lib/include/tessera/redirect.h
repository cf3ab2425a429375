/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.h - serving system calls of another system's programs in their own address space.
 *
 * Code that was compiled for another kernel uses numbers that Tessera does not have. The kernel sends each such call of
 * a thread that has asked for it back into the thread, to a function of yours, on a stack of yours: not a byte is written
 * to the program's own stack, so its red zone is safe. What the function returns is the call's result.
 *
 * The function runs as the thread and with the unit's capabilities; whatever protects one program from another is the
 * unit. It may use everything a component may use, but (1) it must not use vector registers, which the program keeps
 * across its calls: build it with -mgeneral-regs-only or put TSS_NO_VECTORS before it and all that it calls; (2) it must
 * make no foreign call itself, which is a fault; (3) each thread needs a stack for it. GS is libtessera's in such a
 * program as well, FS base is the program's (tss_self_fs_base).
 */
#pragma once
#include <abi/message.h>
#include <tessera/syscalls.h>

/* For functions in components with `fpu: true`. */
#define TSS_NO_VECTORS __attribute__((target("general-regs-only")))

/*
 * Serves foreign call `number`; arguments: rdi, rsi, rdx, r10, r8, r9 as the program had them, and as it will have them
 * again, so what is written there shows. tss_ipc()->redirect has ip, sp and flags, which may be changed as well. Its
 * result goes into the program's rax; rcx and r11 are ip and flags then, as after any system call.
 */
typedef uint64_t tss_foreign_t(uint64_t number, uint64_t arguments[6]);

/*
 * From now on `serve` gets the foreign calls of the calling thread, on the stack that ends at stack_top (16-byte aligned,
 * else ARGUMENT on argument 2). One function serves a whole unit: another thread that passes a different one replaces it
 * for all. NULL: foreign calls of this thread are faults again.
 */
tss_status_t tss_redirect(tss_foreign_t *serve, void *stack_top);
