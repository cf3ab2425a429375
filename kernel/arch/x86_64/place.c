/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - where the kernel runs, and the word that guards its stacks: both drawn by lot at each boot, if configured.
 *
 * With CONFIG_KASLR the image is mapped at one of 2^ARCH_PLACE_BITS addresses with equal chance: 2 MiB apart in the lower
 * half of each GiB of the last 512 GiB, which leaves the upper half for an image of up to 512 MiB. It is not moved in
 * physical memory, and the direct map, where nothing can be executed, has a fixed address: what is hidden is code.
 *
 * boot.S calls arch_place() at the image's physical address, before relocation: no pointer may be read here.
 */
#include <enabled.h>
#include "x86.h"

#define PLACE_WINDOW 0xffffff8000000000ull
#define PLACE_MASK 0x7fdfe00000ull /* which GiB, and which 2 MiB of its lower half */
_Static_assert(__builtin_popcountll(PLACE_MASK) == ARCH_PLACE_BITS, "the entropy that is told");
#define TRIES 10 /* Intel SDM vol. 1, 7.3.17.1: RDRAND may fail for a moment */
#define JITTER_ROUNDS 64
#define MIX 0x9e3779b97f4a7c15ull /* odd: 2^64 divided by the golden ratio */

uint64_t __stack_chk_guard; /* what the compiler's check compares with */

/* Time stamps around an instruction that serializes: the only source that every CPU has, and a weak one; then RDRAND. */
static uint64_t draw(void)
{
	uint64_t mixed = 0, drawn = 0;
	bool ready = false;
	for (unsigned i = 0; i < JITTER_ROUNDS; i++)
		mixed = (mixed ^ mixed >> 29 ^ arch_tsc() ^ (uint64_t)cpuid(0, 0).eax << 32) * MIX;
	for (unsigned i = 0; i < TRIES && !ready && cpuid(1, 0).ecx >> 30 & 1; i++)
		/* Safety: writes one register and the carry flag. */
		__asm__ volatile("rdrand %0" : "=r"(drawn), "=@ccc"(ready));
	return mixed ^ mixed >> 32 ^ drawn;
}

uint64_t arch_place(void)
{
	uint64_t place = IS_ENABLED(CONFIG_KASLR) ? PLACE_WINDOW | (draw() & PLACE_MASK) : LINK_BASE;
	uint64_t *upper = boot_tables + 2 * TABLE_ENTRIES, *directory = upper + TABLE_ENTRIES;
	uint64_t page = (uint64_t)image_start & ~(LARGE_SIZE - 1); /* physical, as yet */
	boot_info.image.raw = (uint64_t)image_start;
	/* The lowest byte is zero, so that a string that runs over cannot hold it. */
	__stack_chk_guard = IS_ENABLED(CONFIG_STACK_PROTECTOR) ? draw() & ~0xffull : 0;
	upper[index_at(place, 3)] = (uint64_t)directory | PTE_PRESENT | PTE_WRITE;
	for (unsigned i = index_at(place, 2); i < TABLE_ENTRIES; i++, page += LARGE_SIZE)
		directory[i] = page | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	return place - LINK_BASE;
}

void __stack_chk_fail(void)
{
	panic("a function of the kernel has written over the end of its stack frame (stack protector)");
}
