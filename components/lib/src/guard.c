/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - the word that functions with arrays keep below their return address, with CONFIG_STACK_PROTECTOR: another one
 * at each start of a unit (draw.c). Who finds it changed does not return: an undefined instruction, which is a fault of the
 * unit like any other.
 */
#include <tessera/draw.h>

uint64_t __stack_chk_guard; /* the compiler knows both by these names */
_Noreturn void __stack_chk_fail(void);
void tss_guard_stack(void);

/* Called by crt0.S before any other C, so that no function that is running has the old word. */
void tss_guard_stack(void)
{
	/* The lowest byte is zero, so that a string that runs over cannot hold it. */
	__stack_chk_guard = tss_draw() & ~0xffull;
}

_Noreturn void __stack_chk_fail(void)
{
	__builtin_trap();
}
