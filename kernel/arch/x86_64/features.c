/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * features.c - what the CPU has, and the control registers as the kernel wants them. Vector and x87 instructions
 * fault until a thread that may use them runs (extended.c). Intel SDM 2A CPUID, 3A 2.5.
 */
#include <enabled.h>
#include "x86.h"

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP (1ull << 11)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

#define FEATURE_TEXT(name, text) text,
static const char *const names[FEATURE_COUNT] = {FEATURES(FEATURE_TEXT)};
static bool active[FEATURE_COUNT];

void feature_set(enum feature feature, bool is_active)
{
	active[feature] = is_active;
}

bool feature_active(enum feature feature)
{
	return active[feature];
}

bool arch_feature(unsigned index, const char **name, bool *is_active)
{
	if (index >= FEATURE_COUNT)
		return false;
	*name = names[index];
	*is_active = active[index];
	return true;
}

static void read_cpuid(void)
{
	uint32_t basic_max = cpuid(0, 0).eax;
	uint32_t extended_max = cpuid(0x80000000, 0).eax;
	struct cpuid basic = cpuid(1, 0);
	struct cpuid extended = cpuid(0x80000001, 0);

	if (!(extended.edx >> 11 & 1) || !(basic.edx >> 9 & 1))
		panic("this CPU lacks syscall or a local APIC");
	feature_set(FEATURE_NX, true); /* boot.S has looked */
	feature_set(FEATURE_GLOBAL_PAGES, basic.edx >> 13 & 1);
	feature_set(FEATURE_XSAVE, basic.ecx >> 26 & 1);
	feature_set(FEATURE_TSC_DEADLINE, basic.ecx >> 24 & 1);
	feature_set(FEATURE_HUGE_PAGES, extended.edx >> 26 & 1);
	if (basic_max >= 7) {
		struct cpuid structured = cpuid(7, 0);
		feature_set(FEATURE_SMEP, IS_ENABLED(CONFIG_SMEP) && structured.ebx >> 7 & 1);
		feature_set(FEATURE_SMAP, IS_ENABLED(CONFIG_SMAP) && structured.ebx >> 20 & 1);
		feature_set(FEATURE_UMIP, IS_ENABLED(CONFIG_UMIP) && structured.ecx >> 2 & 1);
	}
	if (extended_max >= 0x80000007)
		feature_set(FEATURE_TSC_INVARIANT, cpuid(0x80000007, 0).edx >> 8 & 1);
}

void features_init(void)
{
	/* With OSFXSR and TS set and EM clear every x87, MMX and SSE instruction raises #NM (SDM vol. 3, 2.5). */
	uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_MCE;
	read_cpuid();
	cr4 |= feature_active(FEATURE_GLOBAL_PAGES) ? CR4_PGE : 0;
	cr4 |= feature_active(FEATURE_SMEP) ? CR4_SMEP : 0;
	cr4 |= feature_active(FEATURE_SMAP) ? CR4_SMAP : 0;
	cr4 |= feature_active(FEATURE_UMIP) ? CR4_UMIP : 0;
	write_cr0((read_cr0() & ~CR0_EM) | CR0_WP | CR0_NE | CR0_MP | CR0_TS);
	write_cr4(cr4);
	vectors_init();
}
