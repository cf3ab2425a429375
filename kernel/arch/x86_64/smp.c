/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smp.c - the application processors, one after the other (Intel SDM 3A 8.4.4): INIT to all, then for each the STARTUP
 * that sends it through trampoline.S to ap_main(). If one does not come, lacks what the boot CPU has, or counts time
 * differently, it and those after it are left alone; should it come late, it finds nothing to do. Each shares the
 * kernel's tables and has its own GDT, TSS, stacks and timer.
 */
#include <thread.h>
#include "x86.h"

#define INIT_US 10000
#define STARTUP_US 200
#define LONGEST_US 1000000
#define TSC_ROUNDS 8

struct trampoline {
	uint64_t entry, stack, cpu, descriptor;
	uint32_t cr3, far;
	uint16_t far_selector, gdt_limit;
	uint32_t gdt;
} __attribute__((packed));
extern const char trampoline_start[], trampoline_data[], trampoline_end[];

/* How far the one that is being started has come; either side waits for the other. */
enum stage { STAGE_ABSENT, STAGE_HERE, STAGE_ASKED, STAGE_TOLD, STAGE_RUN, STAGE_LACKS };
static enum stage stage;
static uint64_t told_tsc;

static enum stage stage_get(void)
{
	return __atomic_load_n(&stage, __ATOMIC_ACQUIRE);
}

static void stage_set(enum stage next)
{
	__atomic_store_n(&stage, next, __ATOMIC_RELEASE);
}

static bool stage_reached(enum stage wanted, uint64_t patience_us)
{
	uint64_t end = arch_clock_us() + patience_us;
	while (stage_get() != wanted && arch_clock_us() < end)
		arch_pause();
	return stage_get() == wanted;
}

static void NORETURN ap_main(struct cpu *cpu)
{
	cpu_init(cpu);
	idt_load();
	if (!features_apply()) {
		stage_set(STAGE_LACKS);
		arch_stop();
	}
	lapic_init();
	arch_init_syscalls();
	clock_start_timer();
	sched_init(cpu);
	cpu->space_root = kernel_space.root.raw;
	for (stage_set(STAGE_HERE); stage_get() != STAGE_RUN; arch_pause()) {
		if (stage_get() == STAGE_LACKS)
			arch_stop();
		if (stage_get() == STAGE_ASKED) {
			told_tsc = arch_tsc();
			stage_set(STAGE_TOLD);
		}
	}
	stage_set(STAGE_ABSENT); /* for the next one */
	arch_resume();
}

/* Does it count the same time? What it says lies between a look before the question and one after the answer. */
static bool tsc_agrees(const struct cpu *cpu)
{
	for (unsigned round = 0; round < TSC_ROUNDS; round++) {
		uint64_t before = arch_tsc();
		stage_set(STAGE_ASKED);
		if (!stage_reached(STAGE_TOLD, LONGEST_US))
			return false;
		uint64_t after = arch_tsc();
		if (told_tsc < before || told_tsc > after) {
			log_printf("CPU %u: its clock says %lu between %lu and %lu\n", cpu->index, told_tsc, before,
				   after);
			return false;
		}
	}
	return true;
}

static bool cpu_start(struct cpu *cpu, struct trampoline *data, uint32_t page)
{
	data->stack = cpu_stack_top(cpu->index);
	data->cpu = (uint64_t)cpu;
	for (unsigned i = 0; i < 2 && stage_get() == STAGE_ABSENT; i++) {
		lapic_send(cpu->apic_id, ICR_STARTUP | ICR_ASSERT | page >> PAGE_SHIFT);
		(void)stage_reached(STAGE_HERE, i == 0 ? STARTUP_US : LONGEST_US);
	}
	if (!stage_reached(STAGE_HERE, LONGEST_US) || !tsc_agrees(cpu)) {
		log_printf("CPU with APIC id %u does not start\n", cpu->apic_id);
		data->entry = (uint64_t)arch_stop;
		stage_set(STAGE_LACKS);
		return false;
	}
	stage_set(STAGE_RUN);
	while (stage_get() != STAGE_ABSENT)
		arch_pause();
	cpus[0].owns_all = false;
	cpu_count++;
	return true;
}

/* The page gets the code and where it is; returns what is filled in for each CPU. */
static struct trampoline *trampoline_make(uint32_t page)
{
	char *to = phys_to_virt((paddr_t){page});
	__builtin_memcpy(to, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	struct trampoline *data = (struct trampoline *)(to + (trampoline_data - trampoline_start));
	data->entry = (uint64_t)ap_main;
	data->cr3 = (uint32_t)kernel_space.root.raw;
	data->far += page;
	data->gdt += page;
	return data;
}

void arch_start_cpus(void)
{
	uint32_t page = (uint32_t)boot_info.trampoline.raw;
	if (CPUS_MAX == 1 || acpi_info.cpu_count < 2 || !page)
		return;
	struct trampoline *data = trampoline_make(page);
	for (unsigned i = 0; i < acpi_info.cpu_count; i++)
		if (acpi_info.cpus[i] != cpus[0].apic_id)
			lapic_send(acpi_info.cpus[i], ICR_INIT | ICR_ASSERT);
	(void)stage_reached(STAGE_HERE, INIT_US);
	bool good = true;
	for (unsigned i = 0; i < acpi_info.cpu_count && cpu_count < CPUS_MAX && good; i++) {
		struct cpu *cpu = &cpus[cpu_count];
		if (acpi_info.cpus[i] == cpus[0].apic_id)
			continue;
		cpu->index = cpu_count;
		cpu->apic_id = acpi_info.cpus[i];
		good = cpu_start(cpu, data, page);
	}
	if (good)
		mmu_forget_low();
	log_printf("%u of %u CPUs, %s\n", cpu_count, acpi_info.cpu_count,
		   feature_active(FEATURE_X2APIC) ? "x2APIC" : "xAPIC");
}

void arch_stop_others(void)
{
	if (cpu_count > 1)
		lapic_send(0, ICR_NMI | ICR_ASSERT | ICR_OTHERS);
}
