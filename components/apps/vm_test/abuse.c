/* SPDX-License-Identifier: BSD-2-Clause */
/* abuse.c - requests that a memory server refuses; and in the end a touch that nobody helps with. */
#include "vm_test.h"

void run_abuse(void)
{
	const uint64_t base = TSS_LAYOUT_PAGED, region = 256;
	uint64_t address = 0;
	CHECK(mem_map(SLOT_MEMORY, 1, VM_READ, &address, TSS_INFINITE) == MEM_ERROR_DETACHED);
	CHECK(mem_unmap(SLOT_MEMORY, base, 1, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(vm_open(SLOT_MEMORY) == TSS_OK);
	CHECK(mem_map(SLOT_MEMORY, 0, VM_READ, &address, TSS_INFINITE) == MEM_ERROR_NO_SPACE);
	CHECK(mem_map(SLOT_MEMORY, region + 1, VM_READ, &address, TSS_INFINITE) == MEM_ERROR_NO_SPACE);
	CHECK(mem_map(SLOT_MEMORY, ~0ull, VM_READ, &address, TSS_INFINITE) == MEM_ERROR_NO_SPACE);
	CHECK(mem_map(SLOT_MEMORY, 1, VM_WRITE, &address, TSS_INFINITE) == MEM_ERROR_PROTECTION);
	CHECK(mem_map(SLOT_MEMORY, 1, VM_READ | TSS_RIGHT_EXECUTE, &address, TSS_INFINITE) == MEM_ERROR_PROTECTION);
	CHECK(mem_map(SLOT_MEMORY, region, VM_READ, &address, TSS_INFINITE) == TSS_OK && address == base);
	CHECK(mem_map(SLOT_MEMORY, 1, VM_READ, &address, TSS_INFINITE) == MEM_ERROR_NO_SPACE);
	CHECK(mem_unmap(SLOT_MEMORY, base + 1, 1, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(mem_unmap(SLOT_MEMORY, base - PAGE, 1, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(mem_unmap(SLOT_MEMORY, base, region + 1, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(mem_unmap(SLOT_MEMORY, base + PAGE, ~0ull, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(mem_unmap(SLOT_MEMORY, base + PAGE, 2, TSS_INFINITE) == TSS_OK);
	CHECK(mem_unmap(SLOT_MEMORY, base, 2, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(mem_clone(SLOT_MEMORY, base + 3 * PAGE, 3, &address, TSS_INFINITE) == MEM_ERROR_NO_SPACE);
	CHECK(mem_clone(SLOT_MEMORY, base + 3 * PAGE, 2, &address, TSS_INFINITE) == TSS_OK && address == base + PAGE);
	CHECK(mem_watch(SLOT_MEMORY, TSS_SLOT_SYSTEM, TSS_INFINITE) != TSS_OK);
	CHECK(mem_totals(SLOT_MEMORY, 1000, &address, TSS_INFINITE) == MEM_ERROR_RANGE);
	CHECK(*(volatile uint64_t *)base == 0);
	printf("writing what may be read only\n");
	*(volatile uint64_t *)base = 1;
	printf("was written\n");
}
