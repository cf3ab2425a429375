/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.c - kern_vm_fault from end to end: the touch, the kernel's count of faults, the server's count of what it did, and
 * what the program sees, which is nothing but memory.
 */
#include "vm_test.h"

#define WORDS (PAGE / sizeof(uint64_t))

/* The server's totals before and after are this far apart. */
struct counted {
	uint64_t faults, zeroed, copied, kernel;
};

static struct counted count(void)
{
	return (struct counted){total(MEM_TOTAL_FAULTS), total(MEM_TOTAL_ZEROED), total(MEM_TOTAL_COPIED),
				kernel_faults()};
}

static void since(const char *what, struct counted before)
{
	struct counted now = count();
	printf("%s: %lu faults, %lu asked for, %lu zeroed, %lu copied\n", what, now.kernel - before.kernel,
	       now.faults - before.faults, now.zeroed - before.zeroed, now.copied - before.copied);
}

static void demand_zero(volatile uint64_t *at, uint64_t pages)
{
	struct counted before = count();
	uint64_t sum = 0;
	for (uint64_t i = 0; i < pages; i++)
		sum += at[i * WORDS] + at[i * WORDS + WORDS - 1];
	CHECK(sum == 0);
	since("first touch", before);
	before = count();
	for (uint64_t i = 0; i < pages; i++)
		at[i * WORDS] = i + 1;
	since("second touch", before);
}

static void copy_on_write(volatile uint64_t *at, uint64_t pages)
{
	void *copied = NULL;
	struct counted before = count();
	CHECK(vm_clone(SLOT_MEMORY, (const void *)at, pages * PAGE, &copied) == TSS_OK);
	since("clone", before);
	volatile uint64_t *copy = copied;
	before = count();
	for (uint64_t i = 0; i < pages; i++)
		CHECK(copy[i * WORDS] == i + 1 && at[i * WORDS] == i + 1);
	since("both read", before);
	before = count();
	for (uint64_t i = 0; i < pages; i++)
		copy[i * WORDS] = 100 + i;
	since("copy written", before);
	before = count();
	for (uint64_t i = 0; i < pages; i++)
		at[i * WORDS] = 200 + i;
	since("original written", before);
	for (uint64_t i = 0; i < pages; i++)
		CHECK(copy[i * WORDS] == 100 + i && at[i * WORDS] == 200 + i);
	CHECK(vm_unmap(SLOT_MEMORY, copied, pages * PAGE) == TSS_OK);
}

void run_flow(void)
{
	const uint64_t pages = 8;
	uint64_t present = 0, stored = 0, dropped = 0;
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	volatile uint64_t *at = map(pages, VM_READ | VM_WRITE);
	CHECK(mem_usage(SLOT_MEMORY, &present, &stored, &dropped, TSS_INFINITE) == TSS_OK && present == 0);
	demand_zero(at, pages);
	copy_on_write(at, pages);
	CHECK(mem_usage(SLOT_MEMORY, &present, &stored, &dropped, TSS_INFINITE) == TSS_OK && present == pages);
	CHECK(vm_unmap(SLOT_MEMORY, (void *)at, pages * PAGE) == TSS_OK);
	CHECK(total(MEM_TOTAL_PRESENT) == 0);
	/* What comes to the same place is new. */
	at = map(1, VM_READ | VM_WRITE);
	CHECK(*at == 0);
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	CHECK(total(MEM_TOTAL_PRESENT) == 0);
}
