/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.c - the clock is the TSC, scaled to microseconds; the timer is the local APIC's. Both are calibrated in one
 * window against the HPET or, without one, the PIT, whose rates are known. The window ends as soon as neither a count of
 * the reference nor the time that its readings take is more than the PRECISION-th part of it: the rate is then wrong by at
 * most two such parts. Where counts are too coarse or readings too slow for that, it ends after WINDOW_US.
 *
 * The clock is one multiplication from a fixed origin, so nothing accumulates and it cannot drift against the TSC.
 * A deadline farther away than SPAN_MAX_US is reached in several shots; only the last one is told to the kernel.
 */
#include "x86.h"

#define WINDOW_US 1000u
#define PRECISION 10000u
#define SPAN_MAX_US 1000000000ull /* keeps microseconds times kHz far below 2^64 */
#define SCALE_SHIFT 50
#define STUCK_TICKS 4000000000ull /* of the TSC; below 2^64 / 1e9 */

#define MSR_TSC_DEADLINE 0x6e0
#define TIMER_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_4 1u /* Intel SDM 3A figure 10-10 */

/* IA-PC HPET specification 2.3 */
#define HPET_CAPABILITIES 0
#define HPET_CONFIG 2 /* in 64-bit words */
#define HPET_COUNTER 30
#define HPET_ENABLE 1ull
#define HPET_LEGACY 2ull
#define HPET_PERIOD_MAX 100000000u /* femtoseconds */

/* 8254 data sheet; port 0x61 bit 0: gate of channel 2, bit 1: loudspeaker, bit 5: its output */
#define PIT_PERIOD 838095345ull /* femtoseconds: 14.31818 MHz / 12 */
#define PIT_LATCH2 0x80
#define PIT_CHANNEL2 0x42
#define PIT_MODE 0x43
#define PIT_CONTROL 0x61

/* One moment as all counters saw it. */
struct moment {
	uint64_t tsc, width; /* somewhere within half a width around tsc */
	uint32_t lapic;
	uint32_t reference;
};

/* A counter of known rate. `read` also notes the time stamp right after. */
struct reference {
	uint32_t (*read)(uint64_t *after);
	uint64_t period; /* femtoseconds */
};

static uint64_t tsc_origin, tsc_khz, tsc_scale;
static uint64_t lapic_khz; /* of the timer, after division */
static volatile uint64_t *hpet;

static uint32_t hpet_read(uint64_t *after)
{
	uint32_t count = (uint32_t)hpet[HPET_COUNTER];
	*after = arch_tsc();
	return count;
}

/* The latch command freezes the count, which goes down; reading it out may take its time. */
static uint32_t pit_read(uint64_t *after)
{
	out8(PIT_MODE, PIT_LATCH2);
	*after = arch_tsc();
	unsigned low = in8(PIT_CHANNEL2);
	return 0xffff - (low | (unsigned)in8(PIT_CHANNEL2) << 8);
}

static bool hpet_start(void)
{
	hpet = acpi_info.hpet.raw ? mmu_map_registers(acpi_info.hpet, PAGE_SIZE) : NULL;
	uint64_t period = hpet ? hpet[HPET_CAPABILITIES] >> 32 : 0;
	if (period == 0 || period > HPET_PERIOD_MAX)
		return false;
	hpet[HPET_CONFIG] = (hpet[HPET_CONFIG] & ~HPET_LEGACY) | HPET_ENABLE;
	return true;
}

/* The tightest of a few readings, so that an interruption of the machine itself does not count. */
static struct moment moment_now(const struct reference *reference)
{
	struct moment best = {.width = UINT64_MAX};
	for (unsigned i = 0; i < 5; i++) {
		uint64_t before = arch_tsc(), after;
		uint32_t lapic = lapic_read(LAPIC_TIMER_NOW), count = reference->read(&after);
		if (after - before < best.width)
			best = (struct moment){before + (after - before) / 2, after - before, lapic, count};
	}
	return best;
}

/* kHz of the TSC; `tsc` and `lapic` get how far each counted. */
static uint64_t measure(const struct reference *reference, uint64_t *tsc, uint64_t *lapic)
{
	uint32_t window = (uint32_t)(WINDOW_US * 1000000000ull / reference->period);
	struct moment start = moment_now(reference);
	uint64_t now;
	for (uint32_t count = 0; count < window;) {
		count = reference->read(&now) - start.reference;
		if (now - start.tsc > STUCK_TICKS)
			panic("clock: neither HPET nor PIT counts");
		if (count >= PRECISION && now - start.tsc >= start.width * PRECISION)
			break;
	}
	struct moment end = moment_now(reference);
	uint64_t picoseconds = (uint32_t)(end.reference - start.reference) * reference->period / 1000;
	*tsc = end.tsc - start.tsc;
	*lapic = start.lapic - end.lapic;
	return *tsc * 1000000000 / picoseconds; /* STUCK_TICKS keeps the product below 2^64 */
}

static uint64_t measure_hpet(uint64_t *tsc, uint64_t *lapic)
{
	const struct reference reference = {hpet_read, hpet[HPET_CAPABILITIES] >> 32};
	uint64_t khz = measure(&reference, tsc, lapic);
	hpet[HPET_CONFIG] &= ~HPET_ENABLE;
	return khz;
}

/*
 * Channel 2 in mode 0 counts down from 0xffff once, which takes 55 ms; the loudspeaker stays off. Its output rises if
 * the machine stood still until the count wrapped: then once more.
 */
static uint64_t measure_pit(uint64_t *tsc, uint64_t *lapic)
{
	const struct reference reference = {pit_read, PIT_PERIOD};
	uint64_t khz;
	do {
		out8(PIT_CONTROL, (in8(PIT_CONTROL) & 0x0c) | 0x01);
		out8(PIT_MODE, 0xb0);
		out8(PIT_CHANNEL2, 0xff);
		out8(PIT_CHANNEL2, 0xff);
		khz = measure(&reference, tsc, lapic);
	} while (in8(PIT_CONTROL) & 0x20);
	out8(PIT_CONTROL, in8(PIT_CONTROL) & 0x0c);
	return khz;
}

/* Intel SDM 2A CPUID 15H: the exact rate, where the CPU tells it. */
static uint64_t cpuid_khz(void)
{
	struct cpuid r = cpuid_if_any(0x15);
	return r.eax && r.ebx ? (uint64_t)r.ecx * r.ebx / r.eax / 1000 : 0;
}

void clock_init(void)
{
	uint64_t tsc, lapic, measured;
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_4);
	lapic_write(LAPIC_TIMER_START, UINT32_MAX);
	feature_set(FEATURE_HPET, hpet_start());
	measured = feature_active(FEATURE_HPET) ? measure_hpet(&tsc, &lapic) : measure_pit(&tsc, &lapic);
	lapic_write(LAPIC_TIMER_START, 0);

	tsc_khz = cpuid_khz() ? cpuid_khz() : measured;
	if (!tsc_khz || !tsc || !lapic)
		panic("clock: %lu kHz measured, %lu ticks of the timer", tsc_khz, lapic);
	lapic_khz = lapic * tsc_khz / tsc;
	tsc_scale = (1000ull << SCALE_SHIFT) / tsc_khz;
	tsc_origin = boot_info.entry_tsc;
	clock_start_timer();
}

void clock_start_timer(void)
{
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_4);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (feature_active(FEATURE_TSC_DEADLINE) ? TIMER_TSC_DEADLINE : 0));
	/* Safety: SDM 3A 10.5.4.1, the mode must have changed before the first deadline is written. */
	__asm__ volatile("mfence" : : : "memory");
}

uint64_t arch_tsc_per_ms(void)
{
	return tsc_khz;
}

uint64_t arch_clock_at(uint64_t tsc)
{
	/* 128 bits: good for as long as the TSC itself. */
	return (uint64_t)((unsigned __int128)(tsc - tsc_origin) * tsc_scale >> SCALE_SHIFT);
}

uint64_t arch_clock_us(void)
{
	return arch_clock_at(arch_tsc());
}

/* One shot at the deadline, or as near to it as the counter reaches. The clock rounds down, so never early. */
static void arm(const struct cpu *cpu)
{
	uint64_t now = arch_clock_us();
	uint64_t span = cpu->timer_deadline > now ? cpu->timer_deadline - now : 0;
	if (span > SPAN_MAX_US)
		span = SPAN_MAX_US;
	if (feature_active(FEATURE_TSC_DEADLINE)) {
		write_msr(MSR_TSC_DEADLINE, arch_tsc() + span * tsc_khz / 1000 + 1);
		return;
	}
	uint64_t count = span * lapic_khz / 1000 + 1;
	lapic_write(LAPIC_TIMER_START, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
}

void arch_timer_set(struct cpu *cpu, uint64_t deadline_us)
{
	cpu->timer_deadline = deadline_us;
	cpu->timer_armed = true;
	arm(cpu);
}

/* A shot that was already under way when the timer was set anew is none of the kernel's business. */
void clock_interrupt(void)
{
	struct cpu *cpu = cpu_this();
	if (!cpu->timer_armed)
		return;
	if (arch_clock_us() < cpu->timer_deadline) {
		arm(cpu);
		return;
	}
	cpu->timer_armed = false;
	trap_timer();
}
