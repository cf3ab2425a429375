/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.c - for Eva: kernel/mm/frame.c on a machine of two regions with three frames each, one of which is the bitmap's:
 * each row of STEPS steps. After each step every frame is either given or free; what is on the free list or in a CPU's
 * cache has its bit set, nothing else has, and the count is right. What frames hold is not looked at.
 */
#include <stdint.h>
/* Where RAM lies, and which CPU this is: an array, and the first. */
#define phys_to_virt types_phys_to_virt
#define virt_to_phys types_virt_to_phys
#include <types.h>
#undef phys_to_virt
#undef virt_to_phys
#define CPUS_MAX 2
#define cpu_this arch_cpu_this
#include <arch_inline.h>
#undef cpu_this
#define __builtin_memset fill

#ifndef STEPS
#define STEPS 4
#endif
#define FRAMES 9
#define KINDS 5

static uint8_t ram[FRAMES * PAGE_SIZE];
struct cpu cpus[CPUS_MAX];
unsigned cpu_count;

static inline void *phys_to_virt(paddr_t address)
{
	return ram + address.raw;
}
static inline paddr_t virt_to_phys(const void *address)
{
	return (paddr_t){(uint64_t)((const uint8_t *)address - ram)};
}
static inline struct cpu *cpu_this(void)
{
	return &cpus[0];
}
static void *fill(void *at, int value, uint64_t size)
{
	for (uint64_t i = 0; i < 8; i++)
		((uint8_t *)at)[i] = (uint8_t)value;
	return at;
}

#include "eva.h"
#include "kernel/mm/frame.c"

struct boot_info boot_info;
static struct unit payer;
static bool given[FRAMES];
static unsigned held[FRAMES], count;

void panic(const char *format, ...)
{
	PROVE(false);
	for (;;)
		;
}

static void machine_make(void)
{
	boot_info.ram[0] = (struct boot_region){{1 * PAGE_SIZE}, 3 * PAGE_SIZE};
	boot_info.ram[1] = (struct boot_region){{6 * PAGE_SIZE}, 3 * PAGE_SIZE};
	boot_info.ram_count = 2;
	frames.free = NULL;
	frames.region = 0;
	frames.taken = 0;
	frame_count.total = 0;
	cpus[0].frame_count = cpus[0].frames_clear = cpus[1].frame_count = cpus[1].frames_clear = 0;
	payer.budget = 5;
	payer.used = 0;
	count = 0;
	for (unsigned i = 0; i < FRAMES; i++)
		given[i] = false;
	PROVE(frame_init() == 5);
}

static void frame_see(uint64_t *seen, const void *frame)
{
	uint64_t bit = 1ull << virt_to_phys(frame).raw / PAGE_SIZE;
	PROVE(!(*seen & bit));
	*seen |= bit;
}

static void check(void)
{
	uint64_t seen = 0, bits = frames.bitmap[0] << 1; /* the first frame has number 1 */
	unsigned left = FRAMES;
	for (const struct free_frame *frame = frames.free; frame && left; frame = frame->next, left--)
		frame_see(&seen, frame);
	for (unsigned i = 0; i < cpus[0].frame_count; i++)
		frame_see(&seen, cpus[0].frames[i]);
	PROVE(left && seen == bits);
	for (unsigned i = 0; i < FRAMES; i++)
		PROVE(!(given[i] && (seen >> i & 1)));
	PROVE(frame_count.available == 5 - count && payer.used == count);
}

static void take(void *frame, unsigned pages, unsigned alignment)
{
	uint64_t number = frame ? virt_to_phys(frame).raw / PAGE_SIZE : 0;
	PROVE(!frame || (virt_to_phys(frame).raw % PAGE_SIZE == 0 && number % alignment == 0));
	for (unsigned i = 0; frame && i < pages; i++, number++) {
		PROVE((number >= 1 && number < 3) || (number >= 6 && number < 9));
		PROVE(!given[number]);
		given[number] = true;
		held[count++] = (unsigned)number;
	}
}

static void give(unsigned which)
{
	if (!count)
		return;
	frame_free(&payer, ram + held[which] * PAGE_SIZE);
	given[held[which]] = false;
	held[which] = held[--count];
}

static void step(unsigned kind)
{
	bool full = count == 5;
	void *frame;
	switch (kind) {
	case 0:
		frame = frame_alloc(&payer);
		PROVE(full == !frame);
		take(frame, 1, 1);
		break;
	case 1:
		give(0);
		break;
	case 2:
		give(count - 1);
		break;
	case 3:
		take(frame_alloc_run(&payer, 2, PAGE_SIZE), 2, 1);
		break;
	default:
		take(frame_alloc_run(&payer, 1, 2 * PAGE_SIZE), 1, 2);
	}
	check();
}

/* One CPU keeps no frames of its own, one of two does. */
void frames_prove(void)
{
	unsigned rows = 1;
	for (unsigned i = 0; i < STEPS; i++)
		rows *= KINDS;
	for (cpu_count = 1; cpu_count <= 2; cpu_count++)
		for (unsigned row = 0; row < rows; row++) {
			unsigned rest = row;
			machine_make();
			for (unsigned i = 0; i < STEPS; i++, rest /= KINDS)
				step(rest % KINDS);
		}
}
