/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * draw.c - a number that is hard to guess, without asking anybody: RDRAND's, and the jitter of time stamps around a
 * serializing instruction, which alone is weak. Has no array, so it works before the stack protector does.
 */
#include <stdbool.h>
#include <tessera/draw.h>

#define RDRAND (1u << 30) /* Intel SDM vol. 2 CPUID, leaf 1, ecx */
#define TRIES 10 /* Intel SDM vol. 1, 7.3.17.1 */
#define JITTER_ROUNDS 64
#define MIX 0x9e3779b97f4a7c15ull /* odd: 2^64 divided by the golden ratio */

/* The time now, and ecx of that leaf of CPUID, which serializes. */
static uint64_t stamp(uint32_t leaf, uint32_t *ecx)
{
	uint32_t low, high, ebx;
	asm volatile("cpuid" : "=b"(ebx), "=c"(*ecx), "+a"(leaf) : "c"(0) : "rdx");
	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

uint64_t tss_draw(void)
{
	uint64_t mixed = 0, drawn = 0;
	uint32_t ecx = 0;
	bool ready = false;
	for (unsigned i = 0; i < JITTER_ROUNDS; i++)
		mixed = (mixed ^ mixed >> 29 ^ stamp(1, &ecx)) * MIX;
	for (unsigned i = 0; i < TRIES && !ready && ecx & RDRAND; i++)
		asm volatile("rdrand %0" : "=r"(drawn), "=@ccc"(ready));
	return mixed ^ mixed >> 32 ^ drawn;
}

uint32_t tss_draw_place(uint64_t more)
{
	return TSS_PLACE_FIRST + (uint32_t)((tss_draw() ^ more) % (TSS_PLACE_END - TSS_PLACE_FIRST));
}
