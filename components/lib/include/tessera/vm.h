/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm.h - memory on demand: ranges of addresses whose pages a memory server (components/servers/mem) supplies when they are
 * first touched. The kernel turns a missing page into a call to it (kernel/doc/adr/0007-memory.md); the program never
 * knows.
 *
 *   component.yaml   needs: {memory: {interface: mem, rights: [call]}}, defaults: {paged: 4M}
 *
 *   vm_open(SLOT_MEMORY)                           once a life, first: what a former life had is gone
 *   vm_map(SLOT_MEMORY, size, READ | WRITE, &at)   costs nothing until it is touched
 *
 * `paged` in the manifest says how many bytes of addresses there are; how much memory stands behind them is the server's
 * `memory`, for all its clients together. Touching a page for which there is none left is a fault like any other.
 */
#pragma once
#include <stdint.h>
#include <tessera/ipc.h>

#define VM_READ TSS_RIGHT_READ
#define VM_WRITE TSS_RIGHT_WRITE

/* What the server counts (mem_totals): pages unless it says something else. */
enum {
	MEM_TOTAL_FAULTS, /* page calls */
	MEM_TOTAL_ZEROED, /* supplied for the first time */
	MEM_TOTAL_COPIED, /* copied because one of several users wrote */
	MEM_TOTAL_DROPPED, /* caches */
	MEM_TOTAL_OUT, /* to the store */
	MEM_TOTAL_IN, /* and back */
	MEM_TOTAL_ENDED, /* clients ended for want of memory */
	MEM_TOTAL_LOW, /* times the kernel said that memory is low */
	MEM_TOTAL_PRESENT, /* in memory now */
	MEM_TOTALS
};

/* Sizes in bytes, rounded up to pages. Status: TSS_OK, a kernel's code, or MEM_ERROR_* of <interfaces/mem.h>. Each blocks. */
tss_status_t vm_open(cap_t memory);
tss_status_t vm_map(cap_t memory, uint64_t size, unsigned protection, void **at);
tss_status_t vm_unmap(cap_t memory, void *at, uint64_t size);
/* The same contents at another place; what is written here or there is seen only there. */
tss_status_t vm_clone(cap_t memory, const void *at, uint64_t size, void **copy);
/* May be dropped when memory is low: what is read there then is zeros. vm_keep(): from now on not any more. */
tss_status_t vm_cache(cap_t memory, void *at, uint64_t size);
tss_status_t vm_keep(cap_t memory, void *at, uint64_t size);
