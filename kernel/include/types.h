/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types.h - the kernel's basic types. Addresses, slots and priorities are one-member structs, so that mixing them up
 * does not compile.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

#define PAGE_SIZE 4096ull
#define PAGE_SHIFT 12
#define PAGE_MASK (PAGE_SIZE - 1)

typedef struct {
	uint64_t raw;
} paddr_t; /* physical address */

typedef struct {
	uint64_t raw;
} uaddr_t; /* address in a unit; an allegation until uaddr_range_valid() has seen it */

/* What operations return: a TSS_E_* code with the number of the argument to blame. */
typedef tss_status_t status_t;
#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define SHARED_WITH_UNITS __attribute__((section(".bss.shared"))) /* in their page tables, but not for them: CONFIG_PTI */
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define ERR(code, argument) TSS_STATUS(TSS_E_##code, argument)

/* The direct map: all RAM, read-write, never executable. */
#define DIRECT_MAP_BASE 0xffff800000000000ull

/* Safety: only for addresses of RAM, which the direct map covers. */
static inline void *phys_to_virt(paddr_t address)
{
	return (void *)(address.raw + DIRECT_MAP_BASE);
}
static inline paddr_t virt_to_phys(const void *address)
{
	return (paddr_t){(uint64_t)address - DIRECT_MAP_BASE};
}

void panic(const char *format, ...) NORETURN __attribute__((format(printf, 1, 2)));
void log_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* An I/O-port object over these ports is in use: if COM1 is among them, the log keeps to its ring from now on. */
void log_console_release(uint64_t base, uint64_t count);

/*
 * What is done in slices: each thing of some hundred instructions costs 1 of what is `left` of a slice, larger ones more.
 * False: nothing is left.
 */
ALWAYS_INLINE bool slice_spend(unsigned *left, unsigned cost)
{
	bool some = *left;
	*left -= *left < cost ? *left : cost;
	return some;
}
#define SLICE_LOOKS 8 /* full slots that are looked at for 1 */
#define SLICE_PAGE 4  /* what it costs to fill a page or look for one */
