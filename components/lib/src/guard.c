/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.c - the word that functions with arrays keep below their return address, with CONFIG_STACK_PROTECTOR: another one
 * at each start of a unit, drawn by RDRAND, or by the jitter of time stamps, which is weak. Who finds it changed does not
 * return: an undefined instruction, which is a fault of the unit like any other.
 */
#include <stdbool.h>
#include <stdint.h>

#define RDRAND (1u << 30) /* Intel SDM vol. 2 CPUID, leaf 1, ecx */
#define TRIES 10 /* Intel SDM vol. 1, 7.3.17.1 */
#define JITTER_ROUNDS 64
#define MIX 0x9e3779b97f4a7c15ull /* odd: 2^64 divided by the golden ratio */

uint64_t __stack_chk_guard; /* the compiler knows both by these names */
_Noreturn void __stack_chk_fail(void);
void tss_guard_stack(void);

/* The time now, and ecx of that leaf of CPUID, which serializes. */
static uint64_t stamp(uint32_t leaf, uint32_t *ecx)
{
	uint32_t low, high, ebx;
	asm volatile("cpuid" : "=b"(ebx), "=c"(*ecx), "+a"(leaf) : "c"(0) : "rdx");
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Called by crt0.S before any other C, so that no function that is running has the old word. */
void tss_guard_stack(void)
{
	uint64_t mixed = 0, drawn = 0;
	uint32_t ecx = 0;
	bool ready = false;
	for (unsigned i = 0; i < JITTER_ROUNDS; i++)
		mixed = (mixed ^ mixed >> 29 ^ stamp(1, &ecx)) * MIX;
	for (unsigned i = 0; i < TRIES && !ready && ecx & RDRAND; i++)
		asm volatile("rdrand %0" : "=r"(drawn), "=@ccc"(ready));
	/* The lowest byte is zero, so that a string that runs over cannot hold it. */
	__stack_chk_guard = (mixed ^ mixed >> 32 ^ drawn) & ~0xffull;
}

_Noreturn void __stack_chk_fail(void)
{
	__builtin_trap();
}
