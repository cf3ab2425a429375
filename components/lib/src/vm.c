/* SPDX-License-Identifier: BSD-2-Clause */
/* vm.c - the calls of tessera/vm.h: sizes to pages, and what the generated stubs do. */
#include <interfaces/mem.h>
#include <tessera/vm.h>

static uint64_t pages_of(uint64_t size)
{
	return size / TSS_PAGE_SIZE + (size % TSS_PAGE_SIZE != 0);
}

tss_status_t vm_open(cap_t memory)
{
	uint64_t base, pages;
	return mem_attach(memory, &base, &pages, TSS_INFINITE);
}

tss_status_t vm_map(cap_t memory, uint64_t size, unsigned protection, void **at)
{
	uint64_t address = 0;
	tss_status_t status = mem_map(memory, pages_of(size), protection, &address, TSS_INFINITE);
	*at = (void *)address;
	return status;
}

tss_status_t vm_unmap(cap_t memory, void *at, uint64_t size)
{
	return mem_unmap(memory, (uint64_t)at, pages_of(size), TSS_INFINITE);
}

tss_status_t vm_clone(cap_t memory, const void *at, uint64_t size, void **copy)
{
	uint64_t address = 0;
	tss_status_t status = mem_clone(memory, (uint64_t)at, pages_of(size), &address, TSS_INFINITE);
	*copy = (void *)address;
	return status;
}

tss_status_t vm_cache(cap_t memory, void *at, uint64_t size)
{
	return mem_cache(memory, (uint64_t)at, pages_of(size), false, TSS_INFINITE);
}

tss_status_t vm_keep(cap_t memory, void *at, uint64_t size)
{
	return mem_cache(memory, (uint64_t)at, pages_of(size), true, TSS_INFINITE);
}
