/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * features.c - what the CPU has, and the control registers as the kernel wants them, those of system
 * calls included. Vector and x87 instructions fault until a thread that may use them runs (extended.c).
 * Intel SDM 2A CPUID, 3A 2.5.
 */
#include <enabled.h>
#include "x86.h"

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR4_MCE (1ull << 6)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)

/* Where system calls enter; Intel SDM 3A 5.8.8. */
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_FMASK 0xc0000084u
#define EFER_SCE 1u
/* TF IF DF IOPL NT AC: what a unit may have set and the kernel must not inherit. */
#define FLAGS_CLEARED 0x00047700u

extern const char arch_syscall_entry[], arch_syscall_entry_plain[];

enum { EBX = 1, ECX, EDX };
static const struct {
	const char *name;
	uint32_t leaf;
	uint8_t where, bit, cr4_bit;
	bool wanted;
} features[] = {
#define FEATURE(NAME, ...) {__VA_ARGS__},
	FEATURES(FEATURE)
#undef FEATURE
};
static bool active[FEATURE_COUNT];

void feature_set(enum feature feature, bool is_active)
{
	active[feature] = is_active;
}

bool feature_active(enum feature feature)
{
	return active[feature];
}

const char *arch_feature(uint64_t index, kernel_config_t *state)
{
	if (index >= FEATURE_COUNT)
		return NULL;
	*state = !features[index].wanted ? SWITCH_OFF : active[index] ? SWITCH_ACTIVE : SWITCH_LACKING;
	return features[index].name;
}

static bool cpu_has(uint32_t leaf, unsigned where, unsigned bit)
{
	struct cpuid r = cpuid_if_any(leaf);
	return (where == EBX ? r.ebx : where == ECX ? r.ecx : r.edx) >> bit & 1;
}

void features_init(void)
{
	if (!cpu_has(0x80000001, EDX, 11) || !cpu_has(1, EDX, 9))
		panic("this CPU lacks syscall or a local APIC");
	for (unsigned i = 0; i < FEATURE_COUNT; i++)
		active[i] = features[i].wanted &&
			    (!features[i].leaf || cpu_has(features[i].leaf, features[i].where, features[i].bit));
	(void)features_apply();
}

bool features_apply(void)
{
	/* With OSFXSR and TS set and EM clear every x87, MMX and SSE instruction raises #NM (SDM vol. 3, 2.5). */
	uint64_t cr4 = read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_MCE;
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (active[i] && features[i].leaf && !cpu_has(features[i].leaf, features[i].where, features[i].bit))
			return false;
		if (active[i] && features[i].cr4_bit)
			cr4 |= 1ull << features[i].cr4_bit;
	}
	write_cr0((read_cr0() & ~CR0_EM) | CR0_WP | CR0_NE | CR0_MP | CR0_TS);
	write_cr4(cr4);
	cpu_this()->fsgsbase = active[FEATURE_FSGSBASE];
	vectors_init();
	return true;
}

void arch_syscall_shortcuts(bool wanted)
{
	bool fast = wanted && active[FEATURE_FSGSBASE] && !IS_ENABLED(CONFIG_TRACK_GRANTS);
	write_msr(MSR_LSTAR, (uint64_t)(fast ? arch_syscall_entry : arch_syscall_entry_plain));
}

void arch_init_syscalls(void)
{
	/* sysretq takes SS from STAR[63:48] + 8 and CS from + 16. */
	write_msr(MSR_STAR, (uint64_t)(SELECTOR_USER_DATA - 8) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	arch_syscall_shortcuts(true);
	write_msr(MSR_FMASK, FLAGS_CLEARED);
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SCE);
}
